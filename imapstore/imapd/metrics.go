package imapd

import "github.com/forepost/forepost/relay/meter"

var (
	metricSessions = meter.Gauge("forepost_imap_sessions",
		"IMAP connections that are open.", "listener").WithLabelValues
	metricRefused = meter.Counter("forepost_imap_refused_total",
		"IMAP connections refused because of a limit (all sessions, or those of one client).", "limit").WithLabelValues
	metricLogins = meter.Counter("forepost_imap_logins_total",
		"IMAP logins: ok, wrong (name or password), later (too many of them), or error (could not tell).", "result").WithLabelValues
	metricCommands = meter.Counter("forepost_imap_commands_total",
		"IMAP commands by the status that answered them.", "status").WithLabelValues
	metricPanics = meter.Counter("forepost_imap_panics_total",
		"IMAP sessions that ended in a panic; the log has the stack.").WithLabelValues
)
