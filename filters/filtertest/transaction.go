package filtertest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// transaction is what a session would have made: of the section session, a word
// and a value a line, and of message, its line ends made CRLF.
func (c *Case) transaction() (*pipeline.Transaction, error) {
	tx := pipeline.NewTransaction(&pipeline.Session{Start: Now, Client: netip.MustParseAddr("192.0.2.1")})
	for _, line := range strings.Split(strings.TrimSpace(c.sections["session"]), "\n") {
		if line == "" {
			continue
		}
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := say(tx, word, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("session: %s: %w", line, err)
		}
	}
	if text, ok := c.sections["message"]; ok {
		return tx, Message(tx, text)
	}
	return tx, nil
}

// Message gives tx a message; LF becomes CRLF.
func Message(tx *pipeline.Transaction, text string) (err error) {
	blob := mail.Bytes(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"))
	tx.Message = &mail.Message{Blob: blob}
	tx.Part, err = mime.Parse(blob, mime.Limits{})
	return err
}

func say(tx *pipeline.Transaction, word, value string) (err error) {
	switch word {
	case "client":
		tx.Client, err = netip.ParseAddr(value)
	case "helo":
		tx.Helo = value
	case "from":
		tx.From, err = mail.ParseAddress(strings.Trim(value, "<>"), true)
	case "to":
		var a mail.Address
		a, err = mail.ParseAddress(value, true)
		tx.To = append(tx.To, pipeline.Recipient{Address: a})
	case "size":
		tx.Declared, err = strconv.ParseInt(value, 10, 64)
	default:
		err = fmt.Errorf("a session has client, helo, from, to and size")
	}
	return err
}
