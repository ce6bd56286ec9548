package policies

import "time"

// Callout is the `callout` block: how much the next servers are asked about
// recipients (recipients = callout). A Rate of 0 is no limit.
type Callout struct {
	PerClient  Rate // of one network (/24, /64) or account; an unknown recipient counts ten times
	PerServer  Rate // of one route, whoever asks
	Concurrent int  // questions to one route at once
}

// callout reads the block.
func (l *loader) callout() {
	b := l.single("callout")
	if b == nil {
		l.set.Callout = Callout{Rate{1000, 10 * time.Minute}, Rate{3000, time.Minute}, 10}
		return
	}
	l.set.Callout = Callout{
		PerClient:  b.rate("per_client", "1000/10m"),
		PerServer:  b.rate("per_server", "3000/1m"),
		Concurrent: b.between("concurrent", 10, 1, 1000),
	}
	b.done()
}
