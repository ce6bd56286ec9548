package policies

import (
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/mail"
)

// defaultDataDir is where a package puts the data.
const defaultDataDir = "/var/lib/forepost"

// head reads the attributes at the top of the files.
func (l *loader) head() {
	b := &body{l: l, b: &hclsyntax.Body{Attributes: l.attrs}, what: "the top of the file",
		at: hcl.Range{Filename: l.files[0], Start: hcl.InitialPos, End: hcl.InitialPos}}
	l.set.Hostname = l.hostname(b)
	l.set.DataDir = filepath.Clean(b.text("data_dir", defaultDataDir))
	b.known = append(b.known, "include", "postmaster")
	l.classes["spam"], l.classes["malware"] = true, true
	for _, c := range b.texts("classes") {
		l.classes[c] = true
	}
	l.set.Classes = slices.Sorted(maps.Keys(l.classes))
	b.done()
}

func (l *loader) hostname(b *body) string {
	name := b.text("hostname", "")
	if name == "" {
		if b.has("hostname") {
			return "localhost"
		}
		if h, err := os.Hostname(); err == nil {
			name = h
		}
		l.bag.Warn(diag.MissingAttribute, b.at, "hostname is not set; the machine's own name, "+name+", is used.", "Write hostname = \"mx.example.com\", the name that the DNS has for this host.")
	}
	d, err := mail.ParseDomain(name)
	if err != nil {
		b.bad("hostname", "\""+name+"\" is no host name.", "Write hostname = \"mx.example.com\".")
		return "localhost"
	}
	return d
}

// postmaster is who is told of troubles; by default that of the first domain.
func (l *loader) postmaster() {
	domain := l.set.Hostname
	if len(l.set.Domains) > 0 {
		domain = l.set.Domains[0].Name
	}
	l.set.Postmaster = mail.Address{Local: "postmaster", Domain: domain}
	a, ok := l.attrs["postmaster"]
	if !ok {
		return
	}
	if as := l.addressesOf(a.Expr, "postmaster"); len(as) == 1 {
		l.set.Postmaster = as[0]
	} else if len(as) > 1 {
		l.bag.Error(diag.BadValue, a.Expr.Range(), "postmaster is one address.", "")
	}
}
