// Package imapd is the IMAP protocol (RFC 9051, RFC 3501) over the store.
package imapd
