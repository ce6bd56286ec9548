package report

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// MaxMessage is how large a message or file may be, in octets.
const MaxMessage = 20 << 20

// Read reads a report: a message, or its file alone, packed or not. The error is
// ErrNoReport, ErrTooLarge or ErrBroken, with more words.
func Read(in []byte) (*Report, error) {
	if len(in) > MaxMessage {
		return nil, ErrTooLarge
	}
	r, err := readFile(in, 0)
	if errors.Is(err, errNoFile) {
		return readMessage(in)
	}
	return r, err
}

// errNoFile tells that it is none of the file formats.
var errNoFile = errors.New("not the file of a report")

// maxPacked is how often a file may be packed.
const maxPacked = 3

// readFile reads a report's file: XML or JSON, packed or not. What it is shows by
// how it begins: senders' names and media types do not agree with it.
func readFile(in []byte, packed int) (*Report, error) {
	head := bytes.TrimLeft(bytes.TrimPrefix(in, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case packed < maxPacked && bytes.HasPrefix(in, []byte("\x1f\x8b")):
		return readGzip(in, packed)
	case packed < maxPacked && bytes.HasPrefix(in, []byte("PK\x03\x04")):
		return readZip(in, packed)
	case bytes.HasPrefix(head, []byte("<")):
		a, err := readAggregate(head)
		if err != nil {
			return nil, err
		}
		return &Report{Kind: KindDMARC, DMARC: a}, nil
	case bytes.HasPrefix(head, []byte("{")):
		t, err := readTLS(head)
		if err != nil {
			return nil, err
		}
		return &Report{Kind: KindTLS, TLS: t}, nil
	}
	return nil, errNoFile
}

// readMessage looks through the parts of a message for the first report.
func readMessage(in []byte) (*Report, error) {
	if !bytes.Contains(in, []byte("\r\n")) { // a file that was saved with the line ends of its system
		in = bytes.ReplaceAll(in, []byte("\n"), []byte("\r\n"))
	}
	p := mime.NewParser(mime.Limits{Parts: 50, Depth: 8})
	p.Write(in)
	return readParts(p.Close(), bytes.NewReader(in))
}

func readParts(top *mime.Part, in *bytes.Reader) (found *Report, err error) {
	err = ErrNoReport
	if top.Type == "multipart/report" && strings.EqualFold(top.Params["report-type"], "feedback-report") {
		found = &Report{Kind: KindFeedback, Feedback: "unknown"}
	}
	top.Walk(func(p *mime.Part) bool {
		if len(p.Parts) > 0 || p.Message != nil && p.Type != "message/feedback-report" || p != top && p.Type == "message/rfc822" {
			return found == nil || p == top
		}
		one, e := readPart(p, in)
		switch {
		case e == nil:
			found = one
		case !errors.Is(e, errNoFile) && !errors.Is(e, ErrNoReport):
			err = e // a report it is, but a bad one: that is to be told
		}
		return e != nil
	})
	if found != nil {
		return found, nil
	}
	return nil, err
}

func readPart(p *mime.Part, in *bytes.Reader) (*Report, error) {
	if p.Type == "text/html" {
		return nil, errNoFile
	}
	body, err := io.ReadAll(io.LimitReader(p.Content(in), MaxMessage+1))
	if err != nil || len(body) > MaxMessage {
		return nil, ErrTooLarge
	}
	if p.Type == "message/feedback-report" {
		return &Report{Kind: KindFeedback, Feedback: feedbackType(body)}, nil
	}
	return readFile(body, 0)
}

// feedbackType is the Feedback-Type field, RFC 5965 section 3.1.
func feedbackType(body []byte) string {
	part, err := mime.Parse(mail.Bytes(append(body, "\r\n\r\n"...)), mime.Limits{Fields: 100})
	if err != nil || part.Get("Feedback-Type") == "" {
		return "unknown"
	}
	return strings.ToLower(short(part.Get("Feedback-Type")))
}
