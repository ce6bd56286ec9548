package admin

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Quarantine is what the gateway answers about mail that is kept apart. A filter is
// text in the grammar of queue.ParseFilter; in names a quarantine, "" all of them.
type Quarantine interface {
	// QuarantineList finds messages, oldest first; limit 0 is all.
	QuarantineList(in, filter string, limit int) ([]Quarantined, error)
	// QuarantineText writes the header of a message, or all of it.
	QuarantineText(w io.Writer, id mail.ID, body bool) error
	QuarantineAct(ctx context.Context, o QuarantineOrder) (QuarantineResult, error)
}

// Quarantined is a message that is kept apart from a recipient.
type Quarantined struct {
	ID      mail.ID   `json:"id"`
	In      string    `json:"quarantine"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject,omitempty"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // when it is thrown away
	Size    int64     `json:"size"`
	Rule    string    `json:"rule,omitempty"` // that put it there; only for one message asked for by its ID
	Tags    []string  `json:"tags,omitempty"`
}

// QuarantineOrder is something to be done to all that a filter chooses.
type QuarantineOrder struct {
	What   string `json:"what"` // release, delete
	In     string `json:"quarantine,omitempty"`
	Filter string `json:"filter"`
	Force  bool   `json:"force,omitempty"` // of release: though the scan finds something else now
	DryRun bool   `json:"dry_run,omitempty"`
}

// QuarantineResult of a QuarantineOrder.
type QuarantineResult struct {
	Messages int      `json:"messages"`          // that the filter chooses
	Done     int      `json:"done"`              // of them
	Refused  []string `json:"refused,omitempty"` // why the others were not: "ID for bob@b.test: ..."
}

func quarantine(m *http.ServeMux, b Quarantine) {
	m.HandleFunc("GET /v1/quarantine", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("limit"))
		if err != nil || n < 0 {
			n = 1000
		}
		list, err := b.QuarantineList(r.FormValue("in"), r.FormValue("filter"), n)
		answer(w, list, err)
	})
	m.HandleFunc("GET /v1/quarantine/messages/{id}/text", func(w http.ResponseWriter, r *http.Request) {
		text := &bounded{}
		err := b.QuarantineText(text, mail.ID(r.PathValue("id")), r.FormValue("body") == "true")
		answer(w, text.b.Bytes(), err)
	})
	m.HandleFunc("POST /v1/quarantine/act", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(o QuarantineOrder) (any, error) { return b.QuarantineAct(r.Context(), o) })
	})
}

// QuarantineList finds messages in quarantines, oldest first.
func (c *Client) QuarantineList(ctx context.Context, in, filter string, limit int) (list []Quarantined, err error) {
	v := url.Values{"in": {in}, "filter": {filter}, "limit": {strconv.Itoa(limit)}}
	return list, c.do(ctx, "GET", "/v1/quarantine?"+v.Encode(), nil, &list)
}

// QuarantineText asks for a message's header, or all of it.
func (c *Client) QuarantineText(ctx context.Context, id mail.ID, body bool) (text []byte, err error) {
	v := url.Values{"body": {strconv.FormatBool(body)}}
	return text, c.do(ctx, "GET", "/v1/quarantine/messages/"+url.PathEscape(string(id))+"/text?"+v.Encode(), nil, &text)
}

// QuarantineAct does something to all that a filter chooses.
func (c *Client) QuarantineAct(ctx context.Context, o QuarantineOrder) (r QuarantineResult, err error) {
	return r, c.do(ctx, "POST", "/v1/quarantine/act", o, &r)
}
