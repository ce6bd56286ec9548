// Package imapd is the IMAP protocol, IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC
// 9051), over the store. README.md tells how a command flows through it.
package imapd
