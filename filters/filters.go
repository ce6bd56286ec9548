// Package filters says what a sort of filter is: its Kind. The filters
// themselves stand in folders below, one each; README.md walks through writing
// one.
package filters

import (
	"log/slog"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
)

// Kind is one sort of filter: enough to check, document, build and test it.
type Kind struct {
	Name string
	Doc  string         // one line for the reference
	From pipeline.Stage // the earliest stage at which its inputs exist

	// Named kinds are configured: `filter "dnsbl" "zen" {...}` has the facts
	// dnsbl.zen.*. The others have one instance, whose facts are spf.*, and which
	// a block `filter "spf" {...}` may adjust.
	Named bool

	Facts pipeline.Schema // name, type, closed set of words, meaning
	// Root is what the facts stand under where it is not the kind's Name:
	// attachment has a part of msg (msg.extensions), iprev a part of client.
	Root string

	// FactNeeds are facts that can be found only where a setting is written, each
	// with an example of the setting: without it, no rule may ask for the fact.
	FactNeeds map[string]string

	Needs []string       // kinds (not Named) whose findings it reads: dmarc reads spf and dkim
	Scope pipeline.Scope // how long a finding holds
	Slow  bool           // waits on the network: started as soon as it can
	// Offline says that it looks at the message and the state alone, so that tests
	// of policies run it; of the other kinds a test states the facts.
	Offline bool

	// Settings is a pointer to a new struct of the kind's own settings, with their
	// defaults, nil where it has none. See the package's README for the tags.
	Settings func() any
	// Build makes a filter. settings is what Settings returned, filled in and
	// checked for types; an error names what is wrong with a value.
	Build func(settings any, d Deps) (pipeline.Filter, error)
}

// Deps is all that a filter may use of the world.
type Deps struct {
	Name     string // of the instance: "dnsbl.zen"
	Hostname string // of this gateway
	DNS      dns.Resolver
	State    state.Store
	Now      func() time.Time
	Log      *slog.Logger
}

// Key is a setting that is an expression of the policy, evaluated for each
// message: what a limit counts for. known is false where a fact that it needs
// could not be found out.
type Key func(tx *pipeline.Transaction) (value string, known bool)
