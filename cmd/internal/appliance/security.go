package appliance

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/sts"
	"github.com/forepost/forepost/relay/trail"
)

// liveDNS is the resolver in force.
type liveDNS struct{ a *Appliance }

func (d liveDNS) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	return d.a.live().dns.Query(ctx, name, qtype)
}

// livePolicies are the MTA-STS policies that are kept. What carries mail is made
// before the data directory is open, and asks when it delivers.
type livePolicies struct{ a *Appliance }

func (p livePolicies) Policy(ctx context.Context, domain string) sts.Found {
	return p.a.sts.Policy(ctx, domain)
}

// liveTrail is the trail, likewise.
type liveTrail struct{ a *Appliance }

func (t liveTrail) Record(r *trail.Record) { t.a.keep.trail.Record(r) }
func (t liveTrail) Event(e trail.Event)    { t.a.keep.trail.Event(e) }

// openPolicies opens the MTA-STS policies of other domains.
func (a *Appliance) openPolicies() (err error) {
	a.sts, err = sts.Open(sts.Options{Dir: filepath.Join(a.live().settings.DataDir, "sts"), DNS: liveDNS{a}, Dial: a.o.WebDial, TLS: a.o.WebTLS,
		Now: a.o.Now, Log: a.log.With("room", "sts")})
	return err
}

// startPolicies renews them in the background.
func (a *Appliance) startPolicies() {
	ctx, stop := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	gone.Go(func() { a.sts.Run(ctx) })
	a.undo.add("MTA-STS policies", func(context.Context) error {
		stop()
		gone.Wait()
		return nil
	})
}
