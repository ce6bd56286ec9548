// Package house keeps the rules of the house as tests: which floor a package
// stands on, what it may import, what stands at the top level, and that each
// folder says what it is for.
package house

import (
	"path"
	"strings"
)

// floors are the packages from the ground up. A package imports only what
// stands on lower floors, and a child may import its parent (not the other way
// round, except where the parent's row says so). Packages of one floor are
// neighbours and never import each other.
var floors = [][]string{
	{"relay/mail", "relay/meter"},
	{"relay/sasl"},
	{"relay/journal", "relay/mime", "relay/dns", "relay/certs", "relay/srs", "relay/ldap"},
	{"relay/journal/journaltest"},
	{"relay/trail/index"},
	{"relay/state", "relay/trail", "relay/sts"},
	{"relay/queue/dsn", "relay/report"},
	{"relay/pipeline", "relay/queue", "relay/route", "relay/guard"},
	{"relay/inbound", "relay/outbound"},
	{"relay"},
	{"filters", "imapstore"},
	{"imapstore/accounts", "imapstore/vol", "imapstore/imapd/wire", "filters/internal/*"},
	{"imapstore/imapd", "filters/*"},
	{"policies/internal/diag", "policies/internal/lists"},
	{"policies/internal/expr"},
	{"policies/internal/rules"},
	{"filters/builtin", "policies", "pop3pickup"},
	{"policies/test", "policies/replay"},
	{"filters/filtertest", "relay/*/*test", "imapstore/storetest"}, // used by tests only
	{"cmd/internal/admin", "cmd/internal/house", "cmd/internal/reports", "cmd/internal/story", "cmd/internal/authcheck", "cmd/internal/dkimkeys"},
	{"cmd/internal/appliance"},
	{"cmd/internal/demo", "cmd/internal/dryrun"},
	{"cmd/forepost", "packaging/*"},
}

// only names who may import a library, with the reason; the children of those
// folders may as well.
var only = []struct {
	library string
	by      []string
	why     string
}{
	{"github.com/hashicorp/hcl", []string{"policies"}, "one package knows the operator's language"},
	{"github.com/zclconf/go-cty", []string{"policies"}, "one package knows the operator's language"},
	{"github.com/miekg/dns", []string{"relay/dns", "relay/route"}, "v1 of it will be archived: it stays behind our resolver"},
	{"github.com/redis/go-redis", []string{"relay/state"}, "shared state has one door"},
	{"github.com/emersion/go-smtp", []string{"relay/inbound", "cmd/internal/demo"}, "the engine stays behind the shim; the demo's pretend internet is somebody else's server on purpose"},
	{"github.com/emersion/go-msgauth", []string{"filters", "relay/inbound", "cmd/internal/demo"}, "signatures are a filter's matter; the demo checks ours with it from outside"},
	{"github.com/prometheus", []string{"relay/meter"}, "metrics are declared through one package"},
	{"github.com/spf13/cobra", []string{"cmd"}, "the command line is the top floor"},
	{"os/exec", []string{"cmd", "relay/ldap/ldaptest"}, "no part of the gateway starts programs; a helper of tests starts a directory server"},
	{"github.com/oschwald/maxminddb-golang", []string{"filters/geo"}, "what makers of databases do differently is told apart in one place"},
	{"github.com/go-ldap", []string{"relay/ldap"}, "directories have one door"},
	{"unsafe", nil, "nothing here is worth it"},
}

// floorOf finds the floor of a package by its path below the module; ok is
// false for one that has none. An exact name goes before a pattern.
func floorOf(pkg string) (floor int, ok bool) {
	for i, row := range floors {
		for _, p := range row {
			if p == pkg {
				return i, true
			}
		}
	}
	for i, row := range floors {
		for _, p := range row {
			if m, _ := path.Match(p, pkg); m {
				return i, true
			}
		}
	}
	return 0, false
}

// mayImport tells whether a package may import another of the house.
func mayImport(from, to string) bool {
	if strings.HasPrefix(from, to+"/") { // a child its parent
		return true
	}
	f, okF := floorOf(from)
	t, okT := floorOf(to)
	return okF && okT && t < f
}

// within tells whether pkg is one of the folders or stands below one.
func within(pkg string, folders []string) bool {
	for _, f := range folders {
		if pkg == f || strings.HasPrefix(pkg, f+"/") {
			return true
		}
	}
	return false
}
