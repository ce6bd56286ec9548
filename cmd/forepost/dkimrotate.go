package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/dkimkeys"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/spf13/cobra"
)

// rotateFlags are those of `forepost dkim rotate`.
type rotateFlags struct {
	keys  makeFlags
	wait  time.Duration
	every time.Duration
	keep  time.Duration
	check bool
	write bool
}

func rotateCommand(p *keyPlace) *cobra.Command {
	var f rotateFlags
	c := &cobra.Command{
		Use:   "rotate DOMAIN",
		Short: "Change the keys of a domain, a step each time it is called",
		Long: `Change the keys of a domain, without a moment in which mail does not verify. Call it again after each step; it looks itself how
far things are, and remembers it in rotation.json in the domain's key directory.

  publish   New keys are made, and their records printed. The exit code is 1 until the DNS has all of them; --wait waits for it.
  switch    The DNS has them: the configuration is to sign with them, and no longer with the old ones. --write writes that into
            the file, and forepost reload puts it in force.
  keep      The old records stay where they are for a week (--keep), while mail that they signed is under way.
  withdraw  The old records can be removed from the DNS. The rotation is over; the next call would begin another.

--check only looks: it begins nothing and ends nothing. The exit code is 0 when nothing waits for the DNS.`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			domain, err := domainArg(args[0])
			if err != nil {
				return err
			}
			return (&rotating{keyPlace: p, f: f, c: c, domain: domain}).run()
		},
	}
	f.keys.flags(c)
	c.Flags().DurationVar(&f.wait, "wait", 0, "how long to wait until the new keys are seen in the DNS, like 30m")
	c.Flags().DurationVar(&f.every, "every", 30*time.Second, "how often to look meanwhile")
	c.Flags().DurationVar(&f.keep, "keep", dkimkeys.DefaultKeep, "how long the old records stay after the switch")
	c.Flags().BoolVar(&f.check, "check", false, "only tell how far the rotation is")
	c.Flags().BoolVar(&f.write, "write", false, "write the switch into the configuration")
	return c
}

// rotating is one call of rotate.
type rotating struct {
	*keyPlace
	f      rotateFlags
	c      *cobra.Command
	domain string

	rotation *dkimkeys.Rotation
	fresh    []dkimkeys.Key // the new keys
}

func (r *rotating) run() error {
	if _, ok := r.keyPlace.domain(r.domain); !ok {
		return fmt.Errorf("%s has no domain block for %s: to make its first keys use forepost dkim keygen", r.config, r.domain)
	}
	if err := r.open(); err != nil {
		return err
	}
	if r.rotation == nil {
		fmt.Fprintf(r.c.OutOrStdout(), "%s: no rotation is under way\n", r.domain)
		return nil
	}
	seen, err := r.await()
	if err != nil {
		return err
	}
	step := r.rotation.Advance(seen, r.signing(r.domain), time.Now().UTC().Truncate(time.Second), r.f.keep)
	if err := r.keys().Remember(r.rotation); err != nil {
		return err
	}
	return r.tell(step)
}

// open finds the rotation that is under way, or begins one.
func (r *rotating) open() (err error) {
	if r.rotation, err = r.keys().Rotation(r.domain); err != nil {
		return err
	}
	if r.rotation == nil {
		if !r.f.check {
			err = r.begin()
		}
		return err
	}
	all, err := r.keys().Keys(r.domain)
	if err != nil {
		return err
	}
	for _, s := range r.rotation.New {
		i := slices.IndexFunc(all, func(k dkimkeys.Key) bool { return k.Selector == s })
		if i < 0 {
			return fmt.Errorf("the new key %s is gone from %s: put it back, or remove rotation.json there to begin anew", s, filepath.Join(r.dir, r.domain))
		}
		r.fresh = append(r.fresh, all[i])
	}
	return nil
}

func (r *rotating) begin() error {
	old := r.signing(r.domain)
	n, err := r.f.keys.what(r.keyPlace, r.domain, old)
	if err != nil {
		return err
	}
	r.rotation, r.fresh, err = r.keys().Begin(n, old, time.Now().UTC().Truncate(time.Second))
	return err
}

// await looks for the new keys in the DNS, again and again for as long as was
// asked for. Records are printed before, so that somebody can publish them.
func (r *rotating) await() (bool, error) {
	ctx, cancel := context.WithTimeout(r.c.Context(), max(r.f.wait, 0))
	defer cancel()
	tick := time.NewTicker(max(r.f.every, 10*time.Millisecond))
	defer tick.Stop()
	for first := true; ; first = false {
		why, err := r.look()
		if err != nil || len(why) == 0 {
			return err == nil, err
		}
		if first {
			r.toPublish(why)
		}
		if r.f.wait <= 0 {
			return false, nil
		}
		if first {
			fmt.Fprintf(r.c.ErrOrStderr(), "forepost: looking every %s, for %s\n", r.f.every, r.f.wait)
		}
		select {
		case <-ctx.Done():
			return false, r.c.Context().Err()
		case <-tick.C:
		}
	}
}

// look says what is wrong with the new keys in the DNS, a line each.
func (r *rotating) look() (why []string, err error) {
	res, err := r.resolver()
	if err != nil {
		return nil, err
	}
	for _, k := range r.fresh {
		if state, text := dkimkeys.Look(r.c.Context(), res, k); state != dkimkeys.Published {
			why = append(why, fmt.Sprintf("%s: %s: %s", k.Selector, state, text))
		}
	}
	return why, nil
}

func (r *rotating) toPublish(why []string) {
	w := r.c.OutOrStdout()
	fmt.Fprintf(w, "; %s: publish these records beside those that are there\n", r.domain)
	for _, k := range r.fresh {
		fmt.Fprint(w, dkimkeys.Bind(k))
	}
	for _, line := range why {
		fmt.Fprintln(r.c.ErrOrStderr(), "forepost:", line)
	}
}

// tell says what is to be done next, and does what was asked for of it.
func (r *rotating) tell(step dkimkeys.Step) error {
	w := r.c.OutOrStdout()
	say := func(format string, args ...any) { fmt.Fprintf(w, "%s: %s\n", step, fmt.Sprintf(format, args...)) }
	again := "forepost dkim rotate " + r.domain
	switch step {
	case dkimkeys.Publish:
		if slices.ContainsFunc(r.rotation.New, func(s string) bool { return slices.Contains(r.signing(r.domain), s) }) {
			say("the configuration signs with keys that are not in the DNS: what it signs does not verify")
		}
		say("the DNS does not have all new keys of %s yet; when it has: %s", r.domain, again)
		return failed
	case dkimkeys.Switch:
		return r.toSwitch(say, again)
	case dkimkeys.Keep:
		until := r.rotation.Switched.Add(r.f.keep)
		say("%s signs with the new keys; leave the old records (%s) in the DNS until %s, then: %s",
			r.domain, strings.Join(r.rotation.Old, ", "), until.Local().Format("2006-01-02 15:04 MST"), again)
	case dkimkeys.Withdraw:
		return r.toWithdraw(w, say)
	}
	return nil
}

func (r *rotating) toSwitch(say func(string, ...any), again string) error {
	text, err := configOf(r.fresh)
	if err != nil {
		return err
	}
	if !r.f.write || r.f.check {
		say("the DNS has the new keys of %s; write this into its block, then: forepost reload, and %s", r.domain, again)
		_, err := fmt.Fprintf(r.c.OutOrStdout(), "\ndomain %q {\n%s}\n", r.domain, indent(text))
		return err
	}
	d, _ := r.keyPlace.domain(r.domain)
	if err := r.rewrite(d.At.File, text); err != nil {
		return err
	}
	say("%s signs with the new keys now; put it in force with forepost reload, then: %s", d.At.File, again)
	return nil
}

// rewrite puts the keys into a file of the configuration, if the whole is then
// without errors.
func (r *rotating) rewrite(file, keys string) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, found, err := policies.SetAttribute(file, src, "domain", r.domain, "dkim", keys)
	if err == nil && !found {
		err = fmt.Errorf("%s has no block domain %q as it is written here: write the keys into it by hand (without --write they are printed)", file, r.domain)
	}
	if err != nil {
		return err
	}
	_, diags := policies.Load(r.config, policies.Options{Kinds: builtin.Kinds(), Vars: r.vars, ReadFile: func(name string) ([]byte, error) {
		if name == file {
			return text, nil
		}
		return os.ReadFile(name)
	}})
	if diags.HasErrors() {
		return fmt.Errorf("%s stays as it is, for with the new keys it would have errors:\n%s", file, diags.String())
	}
	return rewrite(file, text)
}

func (r *rotating) toWithdraw(w io.Writer, say func(string, ...any)) error {
	if len(r.rotation.Old) == 0 {
		say("%s signs with its keys; there are no old ones", r.domain)
	} else {
		say("the old records of %s can be removed from the DNS:", r.domain)
		for _, s := range r.rotation.Old {
			fmt.Fprintf(w, "  %s\n", dkimkeys.Key{Domain: r.domain, Selector: s}.Name())
		}
		fmt.Fprintln(w, "nothing needs their private keys any more")
	}
	if r.f.check {
		return nil
	}
	return r.keys().End(r.rotation)
}

// indent puts text into a block.
func indent(text string) string {
	return "  " + strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\n  "), "  ")
}
