package outbound

import (
	"context"
	"encoding/json"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/state"
)

// Keep lets the answers survive a restart, and nodes share them: memory is the
// store in force, asked each time. It is called before the first Probe.
func (p *Prober) Keep(memory func() state.Store) { p.memory = memory }

// answer is a probed as it is kept. Nothing but put writes keys of calloutPrefix:
// what others keep begins with their own names.
type answer struct {
	Known bool       `json:"known,omitempty"`
	Reply mail.Reply `json:"reply,omitzero"`
	Until time.Time  `json:"until"`
}

const calloutPrefix = "callout/"

// get finds an answer that still holds.
func (p *Prober) get(ctx context.Context, key string) (probed, bool) {
	now := p.c.o.Now()
	p.mu.Lock()
	a, ok := p.lru.Get(key)
	p.mu.Unlock()
	if ok && a.until.After(now) {
		return a, true
	}
	if p.memory == nil {
		return probed{}, false
	}
	text, err := p.memory().Get(ctx, calloutPrefix+key)
	var kept answer
	if err != nil || text == "" || json.Unmarshal([]byte(text), &kept) != nil || !kept.Until.After(now) {
		return probed{}, false // the server is asked again
	}
	a = probed{known: kept.Known, reply: kept.Reply, until: kept.Until}
	p.mu.Lock()
	p.lru.Add(key, a)
	p.mu.Unlock()
	return a, true
}

// put remembers an answer of a server. That somebody is unknown holds for a short
// time: the account may be made meanwhile.
func (p *Prober) put(ctx context.Context, key string, a probed) {
	keep := unknownTime
	if a.known {
		keep = knownTime
	}
	a.until = p.c.o.Now().Add(keep)
	p.mu.Lock()
	p.lru.Add(key, a)
	p.mu.Unlock()
	if p.memory == nil {
		return
	}
	text, err := json.Marshal(answer{a.known, a.reply, a.until})
	if err == nil {
		err = p.memory().Put(ctx, calloutPrefix+key, string(text), keep)
	}
	if err != nil {
		p.c.o.Log.Debug("an answer about a recipient was not kept", "error", err)
	}
}
