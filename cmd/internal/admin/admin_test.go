package admin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
	"github.com/forepost/forepost/relay/trail"
)

// fake answers what tests look for.
type fake struct{ did []string }

func (f *fake) Status() Status { return Status{Version: "test", Queue: 3} }
func (f *fake) Reload(context.Context) ReloadResult {
	return ReloadResult{Error: "line 3", Diagnostics: "Error"}
}
func (f *fake) Explain(id mail.ID) ([]trail.Story, error) {
	return []trail.Story{{Record: &trail.Record{ID: id}}}, nil
}
func (f *fake) Trace(q TraceQuery) ([]trail.Record, error) {
	return []trail.Record{{Subject: q.Text}}, nil
}
func (f *fake) Users() []User { return []User{{Name: "bob@example.com"}} }
func (f *fake) AddUser(_ context.Context, u NewUser) error {
	f.did = append(f.did, "add "+u.Name+" "+u.Password)
	return nil
}
func (f *fake) SetPassword(_ context.Context, name, pw string) error {
	f.did = append(f.did, "passwd "+name+" "+pw)
	return nil
}
func (f *fake) DisableUser(_ context.Context, name string, d bool) error {
	return errors.New("no " + name)
}
func (f *fake) RemoveUser(_ context.Context, name string) error {
	f.did = append(f.did, "remove "+name)
	return nil
}
func (f *fake) Queue(n int) []QueueEntry { return make([]QueueEntry, n) }
func (f *fake) QueueDo(_ context.Context, id mail.ID, what string) error {
	f.did = append(f.did, what+" "+string(id))
	return nil
}

func serve(t *testing.T) (*fake, *Client, string) {
	t.Helper()
	f := &fake{}
	path := filepath.Join(t.TempDir(), "control.sock")
	s, err := Listen(path, f)
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve()
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Log(err)
		}
	})
	return f, Dial(path), path
}

func TestCalls(t *testing.T) {
	f, c, _ := serve(t)
	ctx := t.Context()
	if s, err := c.Status(ctx); err != nil || s.Version != "test" || s.Queue != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	if r, err := c.Reload(ctx); err != nil || r.OK || r.Error != "line 3" {
		t.Errorf("%+v, %v", r, err)
	}
	if s, err := c.Explain(ctx, "4bQz7K2MwXc9T"); err != nil || len(s) != 1 || s[0].Record.ID != "4bQz7K2MwXc9T" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := c.Explain(ctx, "../../x"); err == nil || !strings.Contains(err.Error(), "not an ID") {
		t.Errorf("explaining what is no ID: %v", err)
	}
	if rs, err := c.Trace(ctx, TraceQuery{Text: "lunch"}); err != nil || len(rs) != 1 || rs[0].Subject != "lunch" {
		t.Errorf("%+v, %v", rs, err)
	}
	if es, err := c.Queue(ctx, 7); err != nil || len(es) != 7 {
		t.Errorf("%d, %v", len(es), err)
	}
	if err := c.DisableUser(ctx, "bob@example.com", true); err == nil || err.Error() != "no bob@example.com" {
		t.Errorf("an error of the gateway is told as %v", err)
	}
	for _, err := range []error{
		c.AddUser(ctx, NewUser{Name: "a@b.test", Password: "x"}), c.SetPassword(ctx, "a/b@b.test", "y"),
		c.RemoveUser(ctx, "a@b.test"), c.QueueDo(ctx, "4bQz7K2MwXc9T", "retry"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(f.did, ", "); got != "add a@b.test x, passwd a/b@b.test y, remove a@b.test, retry 4bQz7K2MwXc9T" {
		t.Errorf("the gateway was told: %s", got)
	}
}

func TestASocketThatAnswersIsNotReplacedAStaleOneIs(t *testing.T) {
	_, _, path := serve(t)
	if _, err := Listen(path, &fake{}); err == nil || !strings.Contains(err.Error(), "another Forepost") {
		t.Errorf("a second gateway on the same socket: %v", err)
	}
	stale := filepath.Join(t.TempDir(), "control.sock")
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Listen(stale, &fake{})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(stale); err != nil || st.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", st, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	if _, err := Dial(filepath.Join(t.TempDir(), "x.sock")).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

func (f *fake) Reports(_ context.Context, q ReportsQuery) ([]report.Summary, error) {
	return []report.Summary{{ID: q.ID, Domain: q.Domain, Messages: int(q.Since / time.Hour)}}, nil
}

func TestReportsQuery(t *testing.T) {
	_, c, _ := serve(t)
	got, err := c.Reports(t.Context(), ReportsQuery{ID: "x", Domain: "example.com", Since: 3 * time.Hour})
	if err != nil || len(got) != 1 || got[0].ID != "x" || got[0].Domain != "example.com" || got[0].Messages != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}
