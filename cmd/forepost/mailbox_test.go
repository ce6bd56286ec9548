package main

import (
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// fetchAll reads a mailbox over IMAP with somebody else's client.
func fetchAll(t *testing.T, g *gateway, user, password, box string) []string {
	t.Helper()
	c, err := imapclient.DialInsecure(g.address("imap", "mail"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	sel, err := c.Select(box, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if sel.NumMessages == 0 {
		return nil
	}
	var all imap.SeqSet
	all.AddRange(1, sel.NumMessages)
	section := &imap.FetchItemBodySection{Peek: true}
	list, err := c.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, string(m.FindBodySection(section)))
	}
	return got
}

// mailbox is how often each subject stands in INBOX.
func mailbox(t *testing.T, g *gateway, user, password string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, m := range fetchAll(t, g, user, password, "INBOX") {
		got[subjectOf(m)]++
	}
	return got
}

// below is a message from its first own field on: without what the gateway put
// on top.
func below(t *testing.T, message, firstField string) string {
	t.Helper()
	i := strings.Index(message, firstField)
	if i < 0 {
		t.Fatalf("%q is not in\n%s", firstField, message)
	}
	return message[i:]
}
