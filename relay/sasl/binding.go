package sasl

import "crypto/tls"

// canBind tells whether a channel binding can be had of a connection.
func canBind(cs *tls.ConnectionState) bool {
	return binding(cs, "tls-exporter") != nil || binding(cs, "tls-unique") != nil
}

// binding is the data of a channel binding, nil where that sort cannot be had:
// tls-exporter (RFC 9266) needs TLS 1.3, or 1.2 with the extended master secret;
// tls-unique (RFC 5929 section 3) is not defined for TLS 1.3.
func binding(cs *tls.ConnectionState, name string) []byte {
	if cs == nil || !cs.HandshakeComplete {
		return nil
	}
	switch name {
	case "tls-exporter":
		data, err := cs.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		if err == nil {
			return data
		}
	case "tls-unique":
		if cs.Version <= tls.VersionTLS12 && len(cs.TLSUnique) > 0 {
			return cs.TLSUnique
		}
	}
	return nil
}
