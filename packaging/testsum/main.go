// Command testsum reads `go test -json` and tells what failed, with its output,
// and what was skipped. It fails where a test failed, where none ran, and where
// one was skipped: in the check nothing may be. Only tests that lack the suites
// (FOREPOST_SUITES is not set) may be, and are counted.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, Test, Output, ImportPath, FailedBuild string
}

type name struct{ pkg, test string }

// sum is what is known so far.
type sum struct {
	out             map[name]*strings.Builder
	passed, allowed int
	failed, skipped []name
	builds          strings.Builder
}

func main() {
	s := &sum{out: map[name]*strings.Builder{}}
	if err := s.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(2)
	}
	if !s.tell(os.Stdout) {
		os.Exit(1)
	}
}

func (s *sum) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if jerr := json.Unmarshal(line, &e); jerr != nil {
				return fmt.Errorf("not a line of `go test -json`: %q", line)
			}
			s.add(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *sum) add(e event) {
	n := name{e.Package, e.Test}
	switch e.Action {
	case "output":
		if s.out[n] == nil {
			s.out[n] = &strings.Builder{}
		}
		s.out[n].WriteString(e.Output)
	case "build-output":
		s.builds.WriteString(e.Output)
	case "pass":
		if e.Test != "" {
			s.passed++
		}
		delete(s.out, n)
	case "fail":
		s.failed = append(s.failed, n)
	case "skip":
		s.skip(n)
	}
}

// skip judges a skipped test. A package without tests is not one.
func (s *sum) skip(n name) {
	if n.test == "" {
		return
	}
	if os.Getenv("FOREPOST_SUITES") == "" && s.out[n] != nil && strings.Contains(s.out[n].String(), "FOREPOST_SUITES") {
		s.allowed++
		return
	}
	s.skipped = append(s.skipped, n)
}

func (s *sum) tell(w io.Writer) (ok bool) {
	fmt.Fprint(w, s.builds.String())
	for _, list := range []struct {
		word  string
		names []name
	}{{"FAIL", s.failed}, {"SKIP (not allowed here)", s.skipped}} {
		for _, n := range list.names {
			fmt.Fprintf(w, "%s %s %s\n", list.word, n.pkg, n.test)
			if b := s.out[n]; b != nil {
				fmt.Fprint(w, b.String())
			}
		}
	}
	if s.allowed > 0 {
		fmt.Fprintf(w, "%d tests need the suites (FOREPOST_SUITES) and were left out\n", s.allowed)
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", s.passed, len(s.failed), len(s.skipped)+s.allowed)
	return len(s.failed) == 0 && len(s.skipped) == 0 && s.passed > 0
}
