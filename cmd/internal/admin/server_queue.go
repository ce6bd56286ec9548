package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"github.com/forepost/forepost/relay/mail"
)

// maxText bounds what is shown of a message, in octets.
const maxText = 32 << 20

func queue(m *http.ServeMux, b Queue) {
	m.HandleFunc("GET /v1/queue", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("limit"))
		if err != nil || n < 0 {
			n = 1000
		}
		es, err := b.QueueList(r.FormValue("filter"), n)
		answer(w, es, err)
	})
	m.HandleFunc("GET /v1/queue/messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		es, err := b.QueueShow(mail.ID(r.PathValue("id")))
		answer(w, es, err)
	})
	m.HandleFunc("GET /v1/queue/messages/{id}/text", func(w http.ResponseWriter, r *http.Request) {
		text := &bounded{}
		err := b.QueueText(text, mail.ID(r.PathValue("id")), r.FormValue("body") == "true")
		answer(w, text.b.Bytes(), err)
	})
	m.HandleFunc("GET /v1/queue/summary", func(w http.ResponseWriter, r *http.Request) { answer(w, b.QueueSummary(), nil) })
	m.HandleFunc("GET /v1/queue/shape", func(w http.ResponseWriter, r *http.Request) {
		rows, err := b.QueueShape(r.FormValue("filter"))
		answer(w, rows, err)
	})
	m.HandleFunc("POST /v1/queue/act", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(o QueueOrder) (any, error) { return b.QueueAct(r.Context(), o) })
	})
}

func routes(m *http.ServeMux, b Routes) {
	m.HandleFunc("GET /v1/routes/paused", func(w http.ResponseWriter, r *http.Request) { answer(w, b.Pauses(), nil) })
	m.HandleFunc("POST /v1/routes/paused", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(p RoutePause) (any, error) { return struct{}{}, b.PauseRoute(r.Context(), p) })
	})
	m.HandleFunc("DELETE /v1/routes/paused/{route}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, b.ResumeRoute(r.Context(), r.PathValue("route")))
	})
	m.HandleFunc("POST /v1/routes/test", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(address string) (any, error) { return b.TestRoute(r.Context(), address) })
	})
}

// bounded keeps what is written, up to maxText.
type bounded struct{ b bytes.Buffer }

func (w *bounded) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > maxText {
		return 0, fmt.Errorf("the message is longer than the %d octets that can be shown", maxText)
	}
	return w.b.Write(p)
}
