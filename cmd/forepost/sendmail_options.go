package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/forepost/forepost/relay/mime"
)

// letter is what sendmail is told to do with a command line.
type letter struct {
	mode       byte // m: take a message; s: speak SMTP; v: verify recipients; p: show the queue; i: aliases; q: try the queue again
	from       string
	fromGiven  bool
	name       string // of the sender, for a From field
	fromHeader bool   // recipients stand in the message
	dots       bool   // a line with a dot alone does not end it
	body       string // 7BIT, 8BITMIME
	notify     string // of RFC 3461
	ret, envID string
	to         []string
}

var errUsage = errors.New("usage")

// withValue are the options that have a value, in the same argument or the next;
// those that this sendmail knows are read, the others passed over, since programs
// give what some other sendmail wanted.
const withValue = "ABCDFLMNORVXbdefhopqr"

// attachedOnly are those whose value, if any, stands in the same argument.
const attachedOnly = "bdeoqp"

// parseSendmail reads the command line of a program that calls sendmail; name is
// what it called.
func parseSendmail(name string, args []string) (l letter, err error) {
	l.mode = 'm'
	switch name {
	case "mailq":
		l.mode = 'p'
	case "newaliases":
		l.mode = 'i'
	}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			for _, a := range args {
				l.to = append(l.to, addressesIn(a)...)
			}
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			l.to = append(l.to, addressesIn(arg)...)
			continue
		}
		if args, err = l.options(arg[1:], args); err != nil {
			return l, err
		}
	}
	return l, nil
}

// options reads one argument, which may hold several options.
func (l *letter) options(arg string, rest []string) ([]string, error) {
	for len(arg) > 0 {
		c := arg[0]
		arg = arg[1:]
		if !strings.ContainsRune(withValue, rune(c)) {
			if err := l.flag(c); err != nil {
				return rest, err
			}
			continue
		}
		value := arg
		if value == "" && !strings.ContainsRune(attachedOnly, rune(c)) {
			if len(rest) == 0 {
				return rest, fmt.Errorf("%w: option -%c needs a value", errUsage, c)
			}
			value, rest = rest[0], rest[1:]
		}
		return rest, l.option(c, value)
	}
	return rest, nil
}

// flag is an option without a value.
func (l *letter) flag(c byte) error {
	switch c {
	case 't':
		l.fromHeader = true
	case 'i':
		l.dots = true
	case 'G', 'U', 'm', 'n', 'v', 'x', 'c', 's', 'I', 'E':
		if c == 'I' {
			l.mode = 'i'
		}
	default:
		return fmt.Errorf("%w: there is no option -%c", errUsage, c)
	}
	return nil
}

// option is an option with a value.
func (l *letter) option(c byte, value string) error {
	switch c {
	case 'f', 'r':
		l.from, l.fromGiven = strings.Trim(value, "<>"), true
		if list := addressesIn(value); len(list) == 1 {
			l.from = strings.Trim(list[0], "<>")
		}
	case 'F':
		l.name = value
	case 'B':
		l.body = strings.ToUpper(value)
	case 'N':
		l.notify = strings.ToUpper(value)
	case 'R':
		l.ret = map[string]string{"full": "FULL", "hdrs": "HDRS"}[strings.ToLower(value)]
	case 'V':
		l.envID = value
	case 'o':
		l.dots = l.dots || value == "i"
	case 'O':
		l.dots = l.dots || strings.EqualFold(value, "IgnoreDots=True") || strings.EqualFold(value, "IgnoreDots")
	case 'q':
		l.mode = 'q'
	case 'b':
		return l.setMode(value)
	}
	return nil
}

func (l *letter) setMode(value string) error {
	switch value {
	case "m", "s", "p", "i", "v":
		l.mode = value[0]
		return nil
	case "d", "D":
		return fmt.Errorf("%w: -b%s would be a daemon, and that is forepost serve", errUsage, value)
	}
	return fmt.Errorf("%w: -b%s is not possible here", errUsage, value)
}

// addressesIn are the addresses of an argument, which may be a list with names:
// "Ann <ann@example.com>, bob". What cannot be read that way stands as it is.
func addressesIn(arg string) []string {
	if !strings.ContainsAny(arg, ",<\"(") {
		return []string{arg}
	}
	boxes, ok := mime.Mailboxes(arg)
	if !ok || len(boxes) == 0 {
		return []string{arg}
	}
	var list []string
	for _, b := range boxes {
		list = append(list, b.Address)
	}
	return list
}
