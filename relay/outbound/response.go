package outbound

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/forepost/forepost/relay/mail"
)

// Bounds on a server's reply. RFC 5321 section 4.5.3.1.5 has 512 octets for a
// line; servers in the wild write more.
const (
	maxReplyLine   = 4096
	maxReplyOctets = 32 << 10
	maxReplyLines  = 100
)

// response is a server's reply, RFC 5321 section 4.2.
type response struct {
	code     int
	enhanced [3]int // RFC 2034; [0] is 0 where the server gave none
	text     string // its lines, parted by \n, without codes
}

// errGarbage is a reply that is none.
type errGarbage struct{ why string }

func (e errGarbage) Error() string { return "the server's reply makes no sense: " + e.why }

// readResponse reads one reply. r has a buffer of maxReplyLine.
func readResponse(r *bufio.Reader) (response, error) {
	var resp response
	var lines []string
	octets := 0
	for {
		line, err := readLine(r)
		if err != nil {
			return response{}, err
		}
		if octets += len(line); octets > maxReplyOctets || len(lines) == maxReplyLines {
			return response{}, errGarbage{"it does not end"}
		}
		code, more, text, err := splitLine(line)
		if err != nil {
			return response{}, err
		}
		if len(lines) > 0 && code != resp.code {
			return response{}, errGarbage{fmt.Sprintf("its lines say %d and %d", resp.code, code)}
		}
		resp.code = code
		lines = append(lines, resp.strip(text, len(lines) == 0))
		if !more {
			resp.text = strings.Join(lines, "\n")
			return resp, nil
		}
	}
}

func readLine(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errGarbage{"a line is longer than " + strconv.Itoa(maxReplyLine) + " octets"}
	case err == io.EOF && len(b) > 0:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	case len(b) < 2 || b[len(b)-2] != '\r':
		return "", errGarbage{"a line does not end in CRLF"}
	}
	return printable(string(b[:len(b)-2])), nil
}

// splitLine parts a line of a reply: "250-text", "250 text" or "250".
func splitLine(line string) (code int, more bool, text string, err error) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false, "", errGarbage{strconv.Quote(head(line, 80))}
	}
	code, err = strconv.Atoi(line[:3])
	if err != nil || code < 200 || code > 599 {
		return 0, false, "", errGarbage{strconv.Quote(head(line, 80))}
	}
	if len(line) == 3 {
		return code, false, "", nil
	}
	return code, line[3] == '-', line[4:], nil
}

// strip takes the enhanced code off a line's text. The first line's is the
// reply's, RFC 2034 section 4.
func (r *response) strip(text string, first bool) string {
	word, rest, _ := strings.Cut(text, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 {
		return text
	}
	var code [3]int
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || len(p) > 3 {
			return text
		}
		code[i] = int(n)
	}
	if code[0] != 2 && code[0] != 4 && code[0] != 5 {
		return text
	}
	if first {
		r.enhanced = code
	}
	return rest
}

func (r response) class() int { return r.code / 100 }
func (r response) ok() bool   { return r.class() == 2 }

// reply is a refusal as the house knows them. The basic code decides the class,
// whatever the enhanced one says.
func (r response) reply() mail.Reply {
	out := mail.Reply{Class: mail.Class(r.class()), Basic: r.code % 100, Text: r.text}
	if r.enhanced[0] != 0 {
		out.Subject = [2]int{r.enhanced[1], r.enhanced[2]}
	} else {
		out.Subject = usualSubject[out.Basic]
	}
	return out
}

// usualSubject is the enhanced code that says what a basic code says, for
// servers that give none; {0, 0} where that is nothing (RFC 3463 section 3.1).
var usualSubject = map[int][2]int{
	0: {5, 2}, 1: {5, 4}, 2: {5, 1}, 3: {5, 1}, 4: {5, 4}, // 500 to 504: syntax
	21: {3, 2},                         // 421, 521: the host takes no mail
	30: {7, 0}, 34: {7, 9}, 35: {7, 8}, // authentication
	50: {2, 0}, // the mailbox is not available
	52: {2, 2}, // full
	53: {1, 3}, 55: {5, 4}, 56: {1, 10},
}

// said is the reply on one line, as it goes into the trail.
func (r response) said() string {
	s := strconv.Itoa(r.code)
	if r.enhanced[0] != 0 {
		s += fmt.Sprintf(" %d.%d.%d", r.enhanced[0], r.enhanced[1], r.enhanced[2])
	}
	return head(strings.TrimSpace(s+" "+strings.ReplaceAll(r.text, "\n", " ")), 500)
}

// printable keeps what a server sends out of logs and terminals unless it is
// text.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError || 0x80 <= c && c < 0xa0 {
			return '?'
		}
		return c
	}, s)
}

func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
