package outbound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

type storeFunc func(d Delivery) []error

func (f storeFunc) Deliver(_ context.Context, d Delivery) []error { return f(d) }

func TestLocal(t *testing.T) {
	var log bytes.Buffer
	var got Delivery
	full := mail.Defer(52, 2, 2, "The mailbox is full")
	gone := mail.Refuse(50, 1, 1, "No such mailbox")
	store := storeFunc(func(d Delivery) []error {
		got = d
		return []error{nil, full, fmt.Errorf("wrapped: %w", gone), errors.New("open /var/lib/x: input/output error")} // none for the fifth
	})
	env := envelope("a@to.test", "b@to.test", "c@to.test", "d@to.test", "e@to.test")
	env.Received = time.Unix(1700000000, 0)
	env.To[0].Folder = "Junk"
	msg := &mail.Message{Blob: mail.Bytes(message)}
	as := NewLocal(store, slog.New(slog.NewTextHandler(&log, nil))).Deliver(t.Context(), env, msg)
	check(t, show(as),
		"delivered 250 2.0.0 stored",
		"soft 452 4.2.2 The mailbox is full",
		"hard 550 5.1.1 No such mailbox",
		"soft 451 4.3.0 The mailbox cannot take mail at the moment",
		"soft 451 4.3.0 The mailbox cannot take mail at the moment")
	if got.ID != env.ID || got.From != env.From || len(got.To) != 5 || got.To[0].Folder != "Junk" || got.Message != msg || !got.Time.Equal(env.Received) {
		t.Errorf("the store was given %+v", got)
	}
	if !strings.Contains(log.String(), "input/output error") || strings.Contains(log.String(), "mailbox is full") {
		t.Errorf("the log says %s", log.String())
	}
	env.Binary, env.To = true, env.To[:1]
	check(t, show(NewLocal(store, nil).Deliver(t.Context(), env, &mail.Message{Blob: mail.Bytes("Content-Transfer-Encoding: binary\r\n\r\n\n")})), "delivered 250 2.0.0 stored")
	if got.Message.Size() != int64(len("Content-Transfer-Encoding: base64\r\n\r\nCg==\r\n")) {
		t.Errorf("a binary message has %d octets in the store", got.Message.Size())
	}
}
