package inbound

import "github.com/forepost/forepost/relay/meter"

// What comes in.
var (
	sessionsNow  = meter.Gauge("forepost_smtp_sessions", "Sessions that are open.", "listener")
	connections  = meter.Counter("forepost_smtp_connections_total", "Connections: taken, or refused by a limit.", "listener", "result")
	refusedFor   = meter.Counter("forepost_smtp_connections_refused_total", "Connections that were refused before a session was made, by the limit.", "listener", "reason")
	messages     = meter.Counter("forepost_messages_total", "Messages by what became of them.", "listener", "verdict")
	messageBytes = meter.Counter("forepost_message_bytes_total", "Octets of messages that were taken.", "listener")
	handshakes   = meter.Counter("forepost_tls_handshakes_total", "TLS handshakes of SMTP clients.", "direction", "version", "result")
)

func countTLS(version, result string) { handshakes.WithLabelValues("in", version, result).Inc() }
