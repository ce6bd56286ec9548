package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/forepost/forepost/cmd/internal/authcheck"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/dns"
	"github.com/spf13/cobra"
)

// authFlags are those of `forepost auth`.
type authFlags struct {
	request  authcheck.Request
	zone     string
	batch    string
	hostname string
	asJSON   bool
}

func authCommand() *cobra.Command {
	var f authFlags
	c := &cobra.Command{
		Use:   "auth",
		Short: "Ask who sent a message: SPF, DKIM, DMARC and ARC, by the filters of the gateway",
		Long: `Ask who sent a message: SPF, DKIM, DMARC and ARC, by the filters of the gateway.

Without --eml only SPF is asked; without --ip SPF has no answer. Line ends of the file are made CRLF.

--batch reads a JSON object a line, from a file or (-) standard input, and answers each with one line, in the same order:
  {"eml": "a.eml", "ip": "192.0.2.1", "helo": "mx.example.test", "mail_from": "ann@example.test", "zone": "zone.json"}
All but ip may be left out, and ip where there is an eml. zone is a path or the object itself; paths are relative to the batch
file. A case that cannot be asked about is answered {"error": "..."}; then the exit code is 5, or 1 if that is so of all.`,
		Example: "  forepost auth --eml letter.eml --ip 192.0.2.1 --helo mx.example.test --mail-from ann@example.test\n" +
			"  forepost auth --batch cases.jsonl --zone example.zone",
		Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error { return auth(c, f) },
	}
	c.Flags().StringVar(&f.request.EML, "eml", "", "the message")
	c.Flags().StringVar(&f.request.IP, "ip", "", "the client's address")
	c.Flags().StringVar(&f.request.Helo, "helo", "", "the name that it gave")
	c.Flags().StringVar(&f.request.MailFrom, "mail-from", "", "the sender of the envelope; empty or <> for a bounce")
	c.Flags().StringVar(&f.request.Rcpt, "rcpt", "", "a recipient of the envelope")
	c.Flags().StringVar(&f.zone, "zone", "", "a file that is the whole DNS (.zone or .json), instead of the system's servers")
	c.Flags().StringVar(&f.batch, "batch", "", "a file of cases, one JSON object a line; - is standard input")
	c.Flags().StringVar(&f.hostname, "hostname", "", "the name that stands in Authentication-Results; default: this machine's")
	c.Flags().BoolVar(&f.asJSON, "json", false, "a JSON object (with --batch always)")
	return c
}

func auth(c *cobra.Command, f authFlags) error {
	b := &authcheck.Bench{Host: cmp.Or(f.hostname, machineName()), Now: time.Now, DNS: once(f.zone)}
	one := f.request.EML + f.request.IP + f.request.Helo + f.request.MailFrom + f.request.Rcpt
	if f.batch != "" && one != "" {
		return coded{errors.New("--batch names its cases itself; see forepost auth --help"), exitUsage}
	}
	if f.batch != "" {
		return authBatch(c, b, f.batch)
	}
	if f.request.EML == "" && f.request.IP == "" {
		return coded{errors.New("give a message (--eml), or an address (--ip) to ask SPF alone; see forepost auth --help"), exitUsage}
	}
	a, err := b.Answer(c.Context(), f.request)
	if err != nil {
		return err
	}
	if f.asJSON {
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetEscapeHTML(false)
		return enc.Encode(a)
	}
	return showAuth(c.OutOrStdout(), a, f.request.EML != "")
}

func authBatch(c *cobra.Command, b *authcheck.Bench, name string) error {
	in := c.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		in, b.Dir = file, filepath.Dir(name)
	}
	good, bad, err := b.Run(c.Context(), in, c.OutOrStdout())
	switch {
	case err != nil:
		return err
	case bad > 0 && good > 0:
		return coded{fmt.Errorf("%d of %d cases could not be asked about", bad, good+bad), exitPartly}
	case bad > 0:
		return coded{errors.New("no case could be asked about"), exitFailed}
	}
	return nil
}

// once makes the resolver of a command: a zone file, or the system's servers
// behind one cache.
func once(zone string) func() (dns.Resolver, error) {
	var r dns.Resolver
	var err error
	return func() (dns.Resolver, error) {
		switch {
		case r != nil || err != nil:
		case zone != "":
			r, err = dns.NewZone(zone)
		default:
			r = dns.NewCache(dns.NewClient(dns.ClientOptions{}), time.Now, 0)
		}
		return r, err
	}
}

func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return strings.ToLower(name)
}

// showAuth is the answer for people. All that a sender wrote goes through
// story.Clean: it could hold what a terminal obeys.
func showAuth(w io.Writer, a authcheck.Answer, message bool) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(method, result, what string) {
		fmt.Fprintf(t, "%s\t%s\t%s\n", method, story.Clean(result), story.Clean(what))
	}
	row("spf", a.SPF.Result, a.Reasons["spf"])
	if message {
		for _, s := range a.DKIM {
			row("dkim", s.Result, join(", ", s.Domain, prefixed("selector ", s.Selector), s.Algorithm, s.Reason))
		}
		if len(a.DKIM) == 0 {
			row("dkim", "none", "no signature")
		}
		row("dmarc", a.DMARC.Result, join(", ", a.Reasons["dmarc"], prefixed("record at ", a.DMARC.Domain),
			"policy "+a.DMARC.Policy, "disposition "+a.DMARC.Disposition))
		row("arc", a.ARC.Result, join(", ", a.Reasons["arc"], fmt.Sprintf("chain of %d", a.ARC.Chain)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	field := strings.Split(strings.ReplaceAll(a.Field, "\t", "    "), "\r\n")
	for i := range field {
		field[i] = story.Clean(field[i])
	}
	_, err := fmt.Fprintf(w, "\nAuthentication-Results: %s\n", strings.Join(field, "\n"))
	return err
}

func prefixed(word, s string) string {
	if s == "" {
		return ""
	}
	return word + s
}

// join leaves out what is empty.
func join(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}
