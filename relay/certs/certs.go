// Package certs gives the servers their TLS certificates: from files, or
// self-signed.
package certs
