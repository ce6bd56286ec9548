package appliance

import (
	"context"
	"github.com/forepost/forepost/cmd/internal/admin"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

const twoDoors = `
hostname = "gw.test"
listener "one" {
  address = "127.0.0.1:0"
  tls     = off
}
listener "two" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.strict
}
domain "local.test" {
  route = route.store
}
policy "strict" {
  mail {
    reject "all" {}
  }
}
`

const oneDoor = `
hostname = "gw.test"
listener "one" {
  address = "127.0.0.1:0"
  tls     = off
}
domain "local.test" {
  route = route.store
}
`

func newAppliance(t *testing.T, config string) (a *Appliance, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "forepost.hcl")
	write(t, file, config)
	a, err := New(t.Context(), Options{Config: file, Data: filepath.Join(dir, "data"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Stop(context.Background()) })
	return a, file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Who is still inside a listener that a reload took away is judged as before,
// however many reloads follow.
func TestPlanOfAListenerThatWent(t *testing.T) {
	a, file := newAppliance(t, twoDoors)
	write(t, file, oneDoor)
	for range 2 {
		if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
			t.Fatal(r.Error, r.Diagnostics)
		}
	}
	p := a.PlanFor("two")
	if p == nil {
		t.Fatal("it has no plan any more")
	}
	tx := pipeline.NewTransaction(&pipeline.Session{ID: mail.ID("4bQz7K2Mwx")})
	if vs := p.Run(t.Context(), pipeline.Mail, tx); len(vs) != 1 || vs[0].Action != pipeline.Reject {
		t.Errorf("it is judged with %+v, want the rule of its policy", vs)
	}
}
