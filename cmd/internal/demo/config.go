package demo

import _ "embed"

// config is the demo's configuration, with places for the DNS server and the
// four ports.
//
//go:embed policy.hcl
var config string
