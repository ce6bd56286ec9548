package policies

import (
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
)

// lintLists finds lists whose files are empty, or older than they should be.
func (l *loader) lintLists() {
	l.each("list", func(name string, b *body) {
		file := b.text("file", "")
		set := l.env.Lists[name]
		if _, instead := l.o.Lists[name]; file == "" || instead || set == nil {
			return
		}
		written, err := l.o.ModTime(l.path(file))
		if err != nil {
			return // said where it was read
		}
		if set.Len() == 0 {
			l.bag.Warn(diag.EmptyList, b.rangeOf("file"), "list."+name+" has no entries: its file is empty.", "See what should write it, or take out what asks the list.")
		}
		refresh := b.duration("refresh", 0)
		if age := l.o.Now().Sub(written); refresh > 0 && age > refresh {
			l.bag.Warn(diag.StaleList, b.rangeOf("file"), fmt.Sprintf("%s was last written %s ago, and refresh says %s.", l.path(file), age.Round(time.Minute), refresh),
				"See what should write it; or say what is true in refresh, or leave it out.")
		}
	})
}

// lintTable finds files that say other things than a list can: keys with an
// exception behind them, patterns in the form of other programs.
func (l *loader) lintTable(v *List, entries []lists.Entry, b *body) {
	if v.table.Format == lists.Postfix && len(v.table.Values) == 0 {
		l.lintMixed(v, entries, b)
	}
	if v.table.Format != lists.Lines || v.table.Type != lists.Regex {
		return
	}
	for _, e := range entries {
		if here, is := lists.Slashed(e.Text); is {
			l.bag.Warn(diag.BadPattern, l.bag.Line(v.File, e.Line), slashesText, "Write "+here+", and likewise in the lines below; or say format = rspamd, if the file is for both programs.")
			return
		}
	}
}

const slashesText = "The slashes and the flags behind them are part of the pattern here."

// lintSlashes finds patterns among the items that are in the form of other
// programs.
func (l *loader) lintSlashes(typ lists.Type, b *body) {
	if typ != lists.Regex {
		return
	}
	for _, item := range b.texts("items") {
		if here, is := lists.Slashed(item); is {
			l.bag.Warn(diag.BadPattern, b.rangeOf("items"), item+": "+lower(slashesText), "Write \""+here+"\".")
		}
	}
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// lintMixed finds tables of access(5) that let some keys in and keep others out:
// as a list, all of them are entries.
func (l *loader) lintMixed(v *List, entries []lists.Entry, b *body) {
	counts := map[bool]int{}
	example := map[bool]lists.Entry{}
	for _, e := range entries {
		in, out := accessAction(e.Value)
		if !in && !out {
			continue
		}
		if counts[in]++; counts[in] == 1 {
			example[in] = e
		}
	}
	if counts[true] == 0 || counts[false] == 0 {
		return
	}
	word := func(in bool) string { return strings.ToUpper(strings.Fields(example[in].Value)[0]) }
	l.bag.Warn(diag.MixedTable, b.rangeOf("file"),
		fmt.Sprintf("%s lets %d keys in (line %d: %s) and keeps %d out (line %d: %s); all of them are entries of the list.", v.File,
			counts[true], example[true].Line, word(true), counts[false], example[false].Line, word(false)),
		fmt.Sprintf("Make two lists of it, with values = [%q] and values = [%q], and say in the condition which goes first.", word(false), word(true)))
}

// accessAction tells whether an action of access(5) lets in or keeps out; a value
// of another table does neither.
func accessAction(value string) (in, out bool) {
	word, _, _ := strings.Cut(strings.ToUpper(value), " ")
	switch word {
	case "OK", "PERMIT", "DUNNO", "PERMIT_MYNETWORKS", "PERMIT_AUTH_DESTINATION", "PERMIT_SASL_AUTHENTICATED", "PERMIT_INET_INTERFACES":
		return true, false
	case "REJECT", "DEFER", "DEFER_IF_REJECT", "DEFER_IF_PERMIT", "DISCARD", "HOLD", "REDIRECT", "FILTER":
		return false, true
	}
	if len(word) != 3 || strings.Trim(word, "0123456789") != "" {
		return false, false
	}
	return word[0] == '2', word[0] == '4' || word[0] == '5'
}
