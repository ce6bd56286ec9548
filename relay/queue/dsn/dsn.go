// Package dsn writes delivery status notifications (RFC 3464).
package dsn
