package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
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
type fake struct {
	Policy     // none of it is asked here
	Quarantine // nor of this
	did        []string
}

func (f *fake) Status() Status { return Status{Version: "test", Queue: 3} }
func (f *fake) Reload(context.Context, ReloadOptions) ReloadResult {
	return ReloadResult{Error: "line 3", Diagnostics: "Error"}
}
func (f *fake) Explain(id mail.ID) ([]trail.Story, error) {
	return []trail.Story{{Record: &trail.Record{ID: id}}}, nil
}
func (f *fake) Trace(q TraceQuery) ([]trail.Record, error) {
	return []trail.Record{{Subject: q.Text}}, nil
}
func (f *fake) Users() []User { return []User{{Name: "bob@example.com"}} }
func (f *fake) User(_ context.Context, name string) (UserDetail, error) {
	return UserDetail{User: User{Name: name}, Login: "scram"}, nil
}
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
func (f *fake) LimitUser(_ context.Context, name string, l UserLimit) error {
	f.did = append(f.did, "limit "+name+" "+l.Messages)
	return nil
}
func (f *fake) RemoveUser(_ context.Context, name string) error {
	f.did = append(f.did, "remove "+name)
	return nil
}
func (f *fake) QueueList(filter string, n int) ([]QueueEntry, error) {
	return make([]QueueEntry, n), nil
}
func (f *fake) QueueShow(id mail.ID) ([]QueueEntry, error) { return []QueueEntry{{ID: id}}, nil }
func (f *fake) QueueText(w io.Writer, id mail.ID, body bool) error {
	_, err := fmt.Fprintf(w, "%s %v \xe9\r\n", id, body)
	return err
}
func (f *fake) QueueAct(_ context.Context, o QueueOrder) (QueueResult, error) {
	f.did = append(f.did, fmt.Sprintf("%s %s (%s) %v", o.What, o.Filter, o.Why, o.DryRun))
	return QueueResult{Done: 3}, nil
}
func (f *fake) QueueSummary() QueueSummary { return QueueSummary{Messages: 5} }
func (f *fake) QueueShape(filter string) ([]ShapeRow, error) {
	if filter == "" {
		return nil, errors.New("no filter")
	}
	return []ShapeRow{{Domain: filter, Ages: [10]int{9: 1}}}, nil
}
func (f *fake) Pauses() []RoutePause { return []RoutePause{{Route: "a/b"}} }
func (f *fake) PauseRoute(_ context.Context, p RoutePause) error {
	f.did = append(f.did, "pause "+p.Route)
	return nil
}
func (f *fake) ResumeRoute(_ context.Context, r string) error {
	f.did = append(f.did, "resume "+r)
	return nil
}
func (f *fake) TestRoute(_ context.Context, a string) (RouteTest, error) {
	return RouteTest{Route: a, Steps: []RouteStep{{What: "hosts"}}}, nil
}

func (f *fake) Bans(context.Context) ([]Ban, error) { return []Ban{{Network: "192.0.2.0/24"}}, nil }
func (f *fake) AddBan(_ context.Context, n NewBan) (Ban, error) {
	f.did = append(f.did, "ban "+n.Network)
	return Ban{Network: n.Network}, nil
}
func (f *fake) RemoveBan(_ context.Context, network string) error {
	f.did = append(f.did, "unban "+network)
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
	if r, err := c.Reload(ctx, ReloadOptions{}); err != nil || r.OK || r.Error != "line 3" {
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
	if err := c.DisableUser(ctx, "bob@example.com", true); err == nil || err.Error() != "no bob@example.com" {
		t.Errorf("an error of the gateway is told as %v", err)
	}
	for _, err := range []error{
		c.AddUser(ctx, NewUser{Name: "a@b.test", Password: "x"}), c.SetPassword(ctx, "a/b@b.test", "y"),
		c.RemoveUser(ctx, "a@b.test"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(f.did, ", "); got != "add a@b.test x, passwd a/b@b.test y, remove a@b.test" {
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

func TestQueueCalls(t *testing.T) {
	f, c, _ := serve(t)
	ctx := t.Context()
	if es, err := c.QueueList(ctx, "age>2h to:bob@*", 7); err != nil || len(es) != 7 {
		t.Errorf("%d, %v", len(es), err)
	}
	if es, err := c.QueueShow(ctx, "4bQz7K2MwXc9T"); err != nil || len(es) != 1 || es[0].ID != "4bQz7K2MwXc9T" {
		t.Errorf("%+v, %v", es, err)
	}
	if text, err := c.QueueText(ctx, "4bQz7K2MwXc9T", true); err != nil || string(text) != "4bQz7K2MwXc9T true \xe9\r\n" {
		t.Errorf("%q, %v", text, err)
	}
	if r, err := c.QueueAct(ctx, QueueOrder{What: "bounce", Filter: "to:@x.test", Why: "gone", DryRun: true}); err != nil || r.Done != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if s, err := c.QueueSummary(ctx); err != nil || s.Messages != 5 {
		t.Errorf("%+v, %v", s, err)
	}
	if rows, err := c.QueueShape(ctx, "size>5MB"); err != nil || len(rows) != 1 || rows[0].Domain != "size>5MB" || rows[0].Ages[9] != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
	if _, err := c.QueueShape(ctx, ""); err == nil || err.Error() != "no filter" {
		t.Errorf("%v", err)
	}
	if ps, err := c.Pauses(ctx); err != nil || len(ps) != 1 || ps[0].Route != "a/b" {
		t.Errorf("%+v, %v", ps, err)
	}
	if r, err := c.TestRoute(ctx, "bob@b.test"); err != nil || r.Route != "bob@b.test" || len(r.Steps) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, err := range []error{c.PauseRoute(ctx, RoutePause{Route: "a/b"}), c.ResumeRoute(ctx, "a/b")} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(f.did, ", "); got != "bounce to:@x.test (gone) true, pause a/b, resume a/b" {
		t.Errorf("the gateway was told: %s", got)
	}
}
