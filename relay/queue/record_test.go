package queue

import (
	"reflect"
	"testing"
	"time"
	"unique"

	"github.com/forepost/forepost/relay/mail"
)

// sample is an entry with something in every field.
func sample() (*entry, mail.Envelope) {
	env := mail.Envelope{
		ID: "4bQz7K2MwXc9T", From: mail.Address{Local: "a \"b\"", Domain: "a.test"},
		SMTPUTF8: true, EightBit: true, Binary: true, RequireTLS: true, Priority: -3, Ret: "FULL", EnvID: "x\r\ny",
		Received: time.UnixMicro(1795417200123456), Listener: "mx", Standing: mail.Disowned,
		To: []mail.Recipient{
			{Address: mail.Address{Local: "b\u00fc", Domain: "b.test"}, Original: "rfc822;b@b.test", Notify: mail.NotifyNever, Via: "ours.test"},
			{Address: mail.Address{Local: "c", Domain: "[192.0.2.1]"}, Route: "exchange", Folder: "Junk", Tags: []string{"spam", "external"}},
		},
	}
	e := newEntry(key{7, 1}, &env, &dress{
		prefix: []mail.Field{{Name: "Received", Value: "a\r\n b"}, {Name: "X", Value: ""}},
		edits:  []mail.Edit{{Off: 3, End: 9, With: []byte("new")}, {Off: 20, End: 21}},
	})
	e.rcpts[1] = rcpt{
		next: 1795417299999, attempts: 12, state: Waiting, warned: true,
		last: unique.Make(last{reply: mail.Defer(21, 4, 2, "busy\nreally"), host: "ex1[192.0.2.1]:25", route: "exchange", remote: true}),
	}
	return e, env
}

func TestEntryRecord(t *testing.T) {
	e, env := sample()
	got, err := decodeEntry(entryRecord(e), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, e) {
		t.Errorf("got  %+v\nwant %+v", got, e)
	}
	back, err := decodeEnvelope([]byte(got.env))
	if err != nil || !reflect.DeepEqual(back, env) {
		t.Errorf("envelope %+v, error %v", back, err)
	}
}

// What is Ready or Active in memory is Waiting on the disk: after a restart
// nobody would wake it otherwise.
func TestActiveIsKeptAsWaiting(t *testing.T) {
	for _, s := range []State{Ready, Active} {
		e, _ := sample()
		e.rcpts[0].state, e.rcpts[1].state = s, s
		got, err := decodeEntry(entryRecord(e), nil)
		if err != nil || got.rcpts[0].state != Waiting || got.rcpts[1].state != Waiting {
			t.Errorf("%s is kept as %v, error %v", s, got.rcpts, err)
		}
	}
}

func TestNewerVersionIsRefused(t *testing.T) {
	e, _ := sample()
	r := entryRecord(e)
	r[0] = version + 1
	if _, err := decodeEntry(r, nil); err == nil {
		t.Error("a record of a newer version was read as one of ours")
	}
}

// Every record cut short is refused, never a panic nor half an entry.
func TestCutRecords(t *testing.T) {
	e, _ := sample()
	r := entryRecord(e)
	for n := range r {
		if _, err := decodeEntry(r[:n], nil); err == nil {
			t.Errorf("the first %d of %d octets make an entry", n, len(r))
		}
	}
}

// FuzzEntry: any octets give an entry that can be kept again, or an error.
func FuzzEntry(f *testing.F) {
	e, _ := sample()
	f.Add(entryRecord(e))
	f.Add([]byte{version, 1, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(data, nil)
		if err != nil {
			return
		}
		again, err := decodeEntry(entryRecord(e), nil)
		if err != nil || again.left != e.left || len(again.rcpts) != len(e.rcpts) {
			t.Errorf("kept again: %v, %+v", err, again)
		}
	})
}
