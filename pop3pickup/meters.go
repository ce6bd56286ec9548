package pop3pickup

import "github.com/forepost/forepost/relay/meter"

var (
	sessions  = meter.Gauge("forepost_pop3_sessions", "POP3 sessions that are open.")
	refused   = meter.Counter("forepost_pop3_refused_total", "POP3 connections that were turned away because there were too many.")
	logins    = meter.Counter("forepost_pop3_logins_total", "POP3 logins by result: ok, credentials, in_use, delay, later, error.", "result")
	retrieved = meter.Counter("forepost_pop3_retrieved_total", "Messages that were fetched over POP3 (RETR, and TOP that gave all).")
	deleted   = meter.Counter("forepost_pop3_deleted_total", "Messages that QUIT removed from maildrops.")
)
