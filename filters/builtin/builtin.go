// Package builtin is the list of the filters that Forepost has.
package builtin

import (
	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/arc"
	"github.com/forepost/forepost/filters/attachment"
	"github.com/forepost/forepost/filters/body"
	"github.com/forepost/forepost/filters/clamav"
	"github.com/forepost/forepost/filters/contact"
	"github.com/forepost/forepost/filters/content"
	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/filters/dmarc"
	"github.com/forepost/forepost/filters/dnsbl"
	"github.com/forepost/forepost/filters/geo"
	"github.com/forepost/forepost/filters/greylist"
	"github.com/forepost/forepost/filters/iprev"
	"github.com/forepost/forepost/filters/ratelimit"
	"github.com/forepost/forepost/filters/rspamd"
	"github.com/forepost/forepost/filters/spf"
	"github.com/forepost/forepost/filters/uribl"
)

// Kinds are all of them, in the order in which the reference shows them. What
// instances of a kind share (the one pass of content) belongs to the list that
// they were built from: it is asked for once a configuration.
func Kinds() []filters.Kind {
	return []filters.Kind{
		iprev.Kind(),
		geo.Kind(),
		dnsbl.Kind(),
		spf.Kind(),
		dkim.Kind(),
		arc.Kind(),
		dmarc.Kind(),
		attachment.Kind(),
		body.Kind(),
		content.Kind(),
		uribl.Kind(),
		clamav.Kind(),
		rspamd.Kind(),
		contact.Kind(),
		ratelimit.Kind(),
		greylist.Kind(),
	}
}
