// Package pop3pickup is POP3 (RFC 1939) over the store, and the fetching of
// mail from remote POP3 mailboxes into the relay.
package pop3pickup
