package imapd

import (
	"bytes"
	"crypto/tls"
	"io"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// The client of go-imap reads every response with its own parser.
func dialClient(t testing.TB, h *house, o *imapclient.Options) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(h.addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(testUser, testPassword).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientFetchesEverything(t *testing.T) {
	h := serve(t, nil)
	text := message(t, "mixed")
	h.put(t, text)
	c := dialClient(t, h, nil)
	if _, err := c.Select("INBOX", &imap.SelectOptions{CondStore: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	body := &imap.FetchItemBodySection{Peek: true}
	binary := &imap.FetchItemBinarySection{Part: []int{2}, Peek: true}
	got, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{Envelope: true, Flags: true, InternalDate: true, RFC822Size: true, UID: true,
		ModSeq: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
		BodySection: []*imap.FetchItemBodySection{body}, BinarySection: []*imap.FetchItemBinarySection{binary}}).Collect()
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	m := got[0]
	if m.Envelope.Subject != "Gr\u00fc\u00dfe aus Bern" || m.Envelope.From[0].Name != "J\u00fcrgen" || m.Envelope.To[0].Name != "Bob, Sales" {
		t.Errorf("envelope: %+v", m.Envelope)
	}
	multi, ok := m.BodyStructure.(*imap.BodyStructureMultiPart)
	if !ok || len(multi.Children) != 3 || multi.Children[2].(*imap.BodyStructureSinglePart).MessageRFC822.Envelope.Subject != "within" {
		t.Errorf("structure: %#v", m.BodyStructure)
	}
	if !bytes.Equal(m.FindBodySection(body), text) {
		t.Error("the message is not what it was")
	}
	if !bytes.Equal(m.FindBinarySection(binary), []byte{0, 1, 2, 3, 4}) {
		t.Errorf("binary: %v", m.FindBinarySection(binary))
	}
	if m.RFC822Size != int64(len(text)) || !m.InternalDate.Equal(testDate) || m.UID != 1 || m.ModSeq == 0 {
		t.Errorf("%+v", m)
	}
}

func TestClientChangesThings(t *testing.T) {
	h := serve(t, nil)
	for range 4 {
		h.put(t, message(t, "simple"))
	}
	c := dialClient(t, h, nil)
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Create("Gr\u00fc\u00dfe", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrArchive}}).Wait(); err != nil {
		t.Fatal(err)
	}
	moved, err := c.Move(imap.SeqSetNum(1, 3), "Gr\u00fc\u00dfe").Wait()
	if err != nil || len(moved.SourceUIDs.(imap.UIDSet)) == 0 {
		t.Fatal(moved, err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{Text: []string{"TOMORROW"}}, &imap.SearchOptions{ReturnAll: true, ReturnCount: true}).Wait()
	if err != nil || !slices.Equal(found.AllUIDs(), []imap.UID{2, 4}) || found.Count != 2 {
		t.Error(found, err)
	}
	boxes, err := c.List("", "Gr*", &imap.ListOptions{ReturnSpecialUse: true, ReturnStatus: &imap.StatusOptions{NumMessages: true, Size: true}}).Collect()
	if err != nil || len(boxes) != 1 || *boxes[0].Status.NumMessages != 2 || !slices.Contains(boxes[0].Attrs, imap.MailboxAttrArchive) {
		t.Error(boxes, err)
	}
}

func TestClientIdleHearsOfNewMail(t *testing.T) {
	h := serve(t, nil)
	exists := make(chan uint32, 10)
	c := dialClient(t, h, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				exists <- *d.NumMessages
			}
		}}})
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := c.Idle()
	if err != nil {
		t.Fatal(err)
	}
	h.put(t, message(t, "simple"))
	if n := <-exists; n != 1 {
		t.Errorf("%d messages", n)
	}
	if err := idle.Close(); err != nil {
		t.Error(err)
	}
	if err := idle.Wait(); err != nil {
		t.Error(err)
	}
}

func TestClientOverTLS(t *testing.T) {
	o := &imapclient.Options{TLSConfig: &tls.Config{InsecureSkipVerify: true}}
	start := serve(t, func(c *Config) { c.TLS = testCert() })
	c, err := imapclient.DialStartTLS(start.addr, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	implicit := serve(t, func(c *Config) { c.TLS, c.Implicit = testCert(), true })
	d, err := imapclient.DialTLS(implicit.addr, o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, c := range []*imapclient.Client{c, d} {
		if err := c.Login(testUser, testPassword).Wait(); err != nil {
			t.Error(err)
		}
		if c.Caps().Has(imap.CapStartTLS) {
			t.Error("STARTTLS is offered under TLS")
		}
	}
}

// A message much bigger than every buffer comes through unchanged both ways.
func TestClientBigMessage(t *testing.T) {
	h := serve(t, nil)
	text := append([]byte("Subject: big\r\n\r\n"), bytes.Repeat([]byte("0123456789abcdef\r\n"), 200_000)...)
	c := dialClient(t, h, nil)
	w := c.Append("INBOX", int64(len(text)), nil)
	if _, err := io.Copy(w, bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := w.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	body := &imap.FetchItemBodySection{}
	got, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{body}}).Collect()
	if err != nil || !bytes.Equal(got[0].FindBodySection(body), text) {
		t.Error("not what was sent", err)
	}
}
