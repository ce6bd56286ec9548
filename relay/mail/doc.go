// Package mail has the words that every room of Forepost shares: addresses,
// envelopes, messages, IDs and replies. It knows no protocol, no storage and
// no policy.
package mail
