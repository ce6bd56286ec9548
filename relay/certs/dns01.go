package certs

import (
	"log/slog"

	"github.com/caddyserver/certmagic"
	"github.com/libdns/rfc2136"
	"go.uber.org/zap"
)

// DNSUpdate is how challenges get into the DNS (DNS-01, RFC 8555 section 8.4): by
// dynamic updates (RFC 2136) that a TSIG key signs (RFC 8945).
type DNSUpdate struct {
	Server    string // the zone's primary server, host:port
	Key       string // the name of the key
	Algorithm string // hmac-sha256, ...
	Secret    string // base64
	// Resolvers are asked for the zone of a name, and whether the world sees the record
	// already, host:port; none: the system's, and the zone's own servers.
	Resolvers []string
}

func (d DNSUpdate) solver(log *slog.Logger) *certmagic.DNS01Solver {
	return &certmagic.DNS01Solver{DNSManager: certmagic.DNSManager{
		DNSProvider: &rfc2136.Provider{KeyName: d.Key, KeyAlg: d.Algorithm, Key: d.Secret, Server: d.Server},
		Resolvers:   d.Resolvers, Logger: zap.New(slogCore{log: log}),
	}}
}
