package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
)

func testAccounts(t *testing.T, e *Engine) {
	ctx := context.Background()
	if _, err := e.Store.Account("bob@example.com"); !errors.Is(err, imapstore.ErrNoAccount) {
		t.Errorf("an account that is not there: %v", err)
	}
	a := e.bob(t)
	if got := names(a); !slices.Equal(got, []string{"INBOX", "Drafts", "Junk", "Sent", "Trash"}) {
		t.Errorf("a new account has %q", got)
	}
	for _, i := range a.Mailboxes()[1:] {
		if i.Use != `\`+i.Name || !i.Subscribed || i.ID == "" {
			t.Errorf("%+v", i)
		}
	}
	if err := e.Store.Create(ctx, "BOB@example.com", imapstore.AccountOptions{}); !errors.Is(err, imapstore.ErrExists) {
		t.Errorf("the same account again: %v", err)
	}
	if err := e.Store.Create(ctx, "quarantine/spam", imapstore.AccountOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := names(e.account(t, "quarantine/spam")); !slices.Equal(got, []string{"INBOX"}) {
		t.Errorf("a quarantine has %q", got)
	}
	for _, bad := range []string{"", "a\x00b", "a\r\nb", strings.Repeat("x", 400), "\xff"} {
		if err := e.Store.Create(ctx, bad, imapstore.AccountOptions{}); !errors.Is(err, imapstore.ErrName) {
			t.Errorf("an account named %q: %v", bad, err)
		}
	}
	fill(t, box(t, a, "INBOX"), 2)
	if err := e.Store.Remove(ctx, "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	e.reopen()
	if got := e.Store.Names(); !slices.Equal(got, []string{"quarantine/spam"}) {
		t.Errorf("after Remove there are %q", got)
	}
	if err := e.Store.Remove(ctx, "bob@example.com"); !errors.Is(err, imapstore.ErrNoAccount) {
		t.Errorf("Remove of nobody: %v", err)
	}
	wantUIDs(t, box(t, e.bob(t), "INBOX"))
}

func testDelivery(t *testing.T, e *Engine) {
	e.bob(t)
	b := text(7)
	errs := deliver(e, message(b).With(mail.Field{Name: "Received", Value: "from x"}),
		rcpt("bob@example.com", ""), rcpt("carol@example.com", "Lists/go", "spam found", "a)b"), rcpt("bob@example.com", "Junk"))
	for i, err := range errs {
		if err != nil {
			t.Fatalf("recipient %d: %v", i, err)
		}
	}
	want := "Return-Path: <sender@example.org>\r\nReceived: from x\r\n" + string(b)
	carol := e.account(t, "carol@example.com") // made by the delivery
	for _, m := range []imapstore.Mailbox{box(t, e.account(t, "bob@example.com"), "INBOX"), box(t, e.account(t, "bob@example.com"), "junk"[:0]+"Junk"), box(t, carol, "Lists/go")} {
		x := entry(t, m, 1)
		if got := octets(t, x.Message); got != want || x.Size != int64(len(want)) || !x.Date.Equal(day) {
			t.Errorf("%s has %q, %d octets, of %v", m.Name(), got, x.Size, x.Date)
		}
	}
	if x := entry(t, box(t, carol, "Lists/go"), 1); !slices.Equal(x.Flags, []string{"a_b", "spam_found"}) {
		t.Errorf("tags became %q", x.Flags)
	}
	// A folder that cannot be is no reason to lose mail; a bounce has the null path.
	errs = e.Store.Deliver(context.Background(), delivery(mail.Address{}, message(b), rcpt("bob@example.com", "a//b")))
	if got := octets(t, entry(t, box(t, e.account(t, "bob@example.com"), "INBOX"), 2).Message); errs[0] != nil || !strings.HasPrefix(got, "Return-Path: <>\r\n") {
		t.Errorf("%v, %q", errs, got)
	}
}

func testDeliveryRefused(t *testing.T, e *Engine) {
	e.bob(t)
	errs := deliver(e, message(text(1)), rcpt("nobody@unknown.example", ""), rcpt("bob@example.com", ""), mail.Recipient{Address: imapstore.QuarantineAddress("none")})
	for _, i := range []int{0, 2} {
		if r, ok := errs[i].(mail.Reply); !ok || r.Code() != 550 || r.Enhanced() != "5.1.1" {
			t.Errorf("recipient %d: %v", i, errs[i])
		}
	}
	if errs[1] != nil {
		t.Error(errs[1])
	}
	wantUIDs(t, box(t, e.account(t, "bob@example.com"), "INBOX"), 1)
}

func testQuarantine(t *testing.T, e *Engine) {
	if err := e.Store.Create(context.Background(), "quarantine/spam", imapstore.AccountOptions{}); err != nil {
		t.Fatal(err)
	}
	errs := deliver(e, message(text(1)), mail.Recipient{Address: imapstore.QuarantineAddress("Spam"), Folder: "bob@example.com"})
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	wantUIDs(t, box(t, e.account(t, "quarantine/spam"), "bob@example.com"), 1)
}

func testQuota(t *testing.T, e *Engine) {
	ctx := context.Background()
	size := int64(len(text(0)))
	ret := int64(len("Return-Path: <sender@example.org>\r\n"))
	if err := e.Store.Create(ctx, "bob@example.com", imapstore.AccountOptions{Quota: 2*size + ret}); err != nil {
		t.Fatal(err)
	}
	a := e.account(t, "bob@example.com")
	m := box(t, a, "INBOX")
	fill(t, m, 1)
	big := message(make(mail.Bytes, 10*size))
	if r, ok := deliver(e, big, rcpt("bob@example.com", ""))[0].(mail.Reply); !ok || r.Code() != 552 || r.Enhanced() != "5.2.2" {
		t.Errorf("a message larger than the mailbox: %v", r)
	}
	if err := deliver(e, message(text(0)), rcpt("bob@example.com", ""))[0]; err != nil {
		t.Fatalf("up to the last octet: %v", err)
	}
	if r, ok := deliver(e, message(text(0)), rcpt("bob@example.com", ""))[0].(mail.Reply); !ok || r.Code() != 452 || r.Enhanced() != "4.2.2" {
		t.Errorf("over quota: %v", r)
	}
	if _, err := m.Append(ctx, message(text(0)), nil, day); !errors.Is(err, imapstore.ErrQuota) {
		t.Errorf("Append over quota: %v", err)
	}
	if _, err := m.Copy(ctx, []imapstore.UID{1}, "Junk"); !errors.Is(err, imapstore.ErrQuota) {
		t.Errorf("Copy over quota: %v", err)
	}
	if _, err := m.Move(ctx, []imapstore.UID{1}, "Junk"); err != nil {
		t.Errorf("Move over quota: %v", err)
	}
	if bytes, n, limit := a.Usage(); bytes != 2*size+ret || n != 2 || limit != bytes {
		t.Errorf("usage is %d octets, %d messages of %d", bytes, n, limit)
	}
	if err := e.Store.SetQuota(ctx, "bob@example.com", 0); err != nil {
		t.Fatal(err)
	}
	e.reopen()
	m = box(t, e.account(t, "bob@example.com"), "INBOX")
	if _, err := m.Append(ctx, big, nil, day); err != nil {
		t.Errorf("Append without a quota: %v", err)
	}
}

func testMaildrop(t *testing.T, e *Engine) {
	a := e.bob(t)
	unlock, err := a.LockMaildrop()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.account(t, "bob@example.com").LockMaildrop(); !errors.Is(err, imapstore.ErrInUse) {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	again, err := a.LockMaildrop()
	if err != nil {
		t.Fatal(err)
	}
	unlock() // the first one's, once more: it is not the second one's
	if _, err := a.LockMaildrop(); !errors.Is(err, imapstore.ErrInUse) {
		t.Errorf("after an old unlock: %v", err)
	}
	again()
}
