package outbound

import (
	"bufio"
	"bytes"
)

// dataWriter writes the octets of a message as the DATA of SMTP: a dot at the
// beginning of a line is doubled (RFC 5321 section 4.5.2), and whatever ended a
// line ends it in CRLF. No bare CR or LF goes out: some servers take them for
// line ends, and a message could then end before its end (SMTP smuggling).
type dataWriter struct {
	w      *bufio.Writer
	inLine bool // the last octet written was not the end of a line
	cr     bool // a CR came and is not written yet
}

// Write takes the next octets of the message. Only errors of the connection
// come back.
func (d *dataWriter) Write(p []byte) (int, error) {
	if d.passes(p) {
		return d.w.Write(p)
	}
	n := len(p)
	for len(p) > 0 {
		if d.cr { // the CR before p: with LF a line end, alone one as well
			d.cr = false
			if p[0] == '\n' {
				p = p[1:]
			}
			d.endLine()
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			end = len(p)
		}
		if cr := bytes.IndexByte(p[:end], '\r'); cr >= 0 {
			d.text(p[:cr])
			d.cr = true
			p = p[cr+1:]
			continue
		}
		d.text(p[:end])
		if end < len(p) {
			d.endLine()
			end++
		}
		p = p[end:]
	}
	_, err := d.w.Write(nil)
	return n, err
}

// text writes a run of octets without line ends.
func (d *dataWriter) text(p []byte) {
	if len(p) == 0 {
		return
	}
	if !d.inLine && p[0] == '.' {
		d.w.WriteByte('.')
	}
	d.w.Write(p)
	d.inLine = true
}

func (d *dataWriter) endLine() {
	d.w.WriteString("\r\n")
	d.inLine = false
}

// passes tells whether p can go out as it is, as most messages can, and notes how it
// ends then.
func (d *dataWriter) passes(p []byte) bool {
	if d.cr || len(p) == 0 || !d.inLine && p[0] == '.' || !tidy(p, true) {
		return false
	}
	d.inLine = p[len(p)-1] != '\n'
	return true
}

// tidy tells whether CR and LF stand in p only together, and, if that matters,
// no line but perhaps the first begins with a dot.
func tidy(p []byte, dots bool) bool {
	if bytes.Count(p, cr) != bytes.Count(p, lf) {
		return false
	}
	for at := 0; ; { // each LF has its CR, and so each CR its LF
		i := bytes.IndexByte(p[at:], '\n')
		if i < 0 {
			return true
		}
		if at += i; at == 0 || p[at-1] != '\r' {
			return false
		}
		if at++; dots && at < len(p) && p[at] == '.' {
			return false
		}
	}
}

var cr, lf = []byte{'\r'}, []byte{'\n'}

// last is Write and Close for the last octets, with one write where it can be; p
// has room for dotLen more.
func (d *dataWriter) last(p []byte) error {
	if !d.passes(p) {
		d.Write(p)
		return d.Close()
	}
	if d.inLine {
		p = append(p, "\r\n"...)
	}
	_, err := d.w.Write(append(p, ".\r\n"...))
	return err
}

// dotLen is how much the end of a message takes at most.
const dotLen = len("\r\n.\r\n")

// Close ends the last line and the message. It does not flush.
func (d *dataWriter) Close() error {
	if d.cr || d.inLine {
		d.endLine()
	}
	_, err := d.w.WriteString(".\r\n")
	return err
}
