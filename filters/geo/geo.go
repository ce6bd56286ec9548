// Package geo tells in which network a client is, by the databases that
// operators have of them: the number of the autonomous system, and the country.
// They are files in MMDB format, of MaxMind, DB-IP, IPinfo and others.
package geo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own. Both may name one file.
type Settings struct {
	ASN     string `hcl:"asn" form:"file"`     // a database with autonomous systems
	Country string `hcl:"country" form:"file"` // a database with countries
}

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "geo",
		Root: "client", // its facts are client.asn and client.country
		Doc:  "the autonomous system and the country of the client, by databases in MMDB format",
		From: pipeline.Connect,
		Facts: pipeline.Schema{
			{Name: "asn", Type: pipeline.Number, Doc: "the number of the autonomous system that the client is in, 0 where the database has none"},
			{Name: "country", Type: pipeline.String, Doc: "its country, as two capitals (ISO 3166 alpha-2), or nothing where the database has none"},
		},
		FactNeeds: map[string]string{
			"asn":     `asn = "/var/lib/GeoIP/GeoLite2-ASN.mmdb"`,
			"country": `country = "/var/lib/GeoIP/GeoLite2-Country.mmdb"`,
		},
		Scope:    pipeline.PerSession,
		Settings: func() any { return &Settings{} },
		Build:    build,
	}
}

type filter struct{ asn, country *database } // nil where none is named

// build reads the databases, a file that is named twice only once.
func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	s, log := settings.(*Settings), d.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f, err := filter{}, error(nil)
	if s.ASN != "" {
		f.asn = &database{path: s.ASN, fields: []string{"asn"}, now: d.Now, log: log}
	}
	switch {
	case s.Country == "":
	case s.Country == s.ASN:
		f.asn.fields = append(f.asn.fields, "country")
		f.country = f.asn
	default:
		f.country = &database{path: s.Country, fields: []string{"country"}, now: d.Now, log: log}
	}
	if f.asn != nil {
		err = f.asn.open()
	}
	if f.country != nil && f.country != f.asn {
		err = errors.Join(err, f.country.open())
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Inspect looks the client up. That a database does not know it is a fact; only
// that nobody could tell is an error.
func (f filter) Inspect(_ context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if f.asn == nil && f.country == nil {
		return pipeline.Finding{}, errors.New(`no database is named in filter "geo"`)
	}
	ip := tx.Client.Unmap()
	number, err := lookUp(f.asn, ip, asnOf)
	if err != nil {
		return pipeline.Finding{}, err
	}
	country, err := lookUp(f.country, ip, countryOf)
	if err != nil {
		return pipeline.Finding{}, err
	}
	return pipeline.Finding{
		Facts:  pipeline.Facts{"asn": float64(number), "country": country},
		Reason: f.reason(ip, number, country),
	}, nil
}

// lookUp asks a database for a field of an address; the zero value where there
// is no such database, or none for addresses of the kind. A panic over a damaged
// file is an error of the file.
func lookUp[T any](d *database, ip netip.Addr, field func(record) (T, error)) (v T, err error) {
	if d == nil || !ip.IsValid() {
		return v, nil
	}
	db := d.current()
	if ip.Is6() && db.Metadata.IPVersion == 4 {
		return v, nil
	}
	defer d.caught(&err)
	if v, err = field(db.Lookup(ip)); err != nil {
		err = fmt.Errorf("%s is damaged: %w", d.path, err)
	}
	return v, err
}

// reason is what is found, for the record.
func (f filter) reason(ip netip.Addr, number uint32, country string) string {
	text := ip.String() + " is in"
	if f.asn != nil {
		if number == 0 {
			text += " no known AS"
		} else {
			text += " AS" + strconv.FormatUint(uint64(number), 10)
		}
	}
	if f.country != nil {
		if country == "" {
			country = "no known country"
		}
		if f.asn != nil {
			text += ","
		}
		text += " " + country
	}
	return text
}
