package policies

import (
	"fmt"
	"sort"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mime"
)

// Reference is the language as the tables of this build have it: verbs, facts
// and functions, as a page in Markdown.
func Reference(kinds []filters.Kind) string {
	var b strings.Builder
	b.WriteString("# Reference of the policy language\n\nMade from the tables in the code; a test keeps it so.\n")
	verbReference(&b)
	factReference(&b, kinds)
	b.WriteString("\n## Functions\n\n| Function | |\n|---|---|\n")
	for _, f := range expr.Functions() {
		fmt.Fprintf(&b, "| `%s%s` | %s |\n", f.Name, f.Args, f.Doc)
	}
	return b.String()
}

func verbReference(b *strings.Builder) {
	b.WriteString("\n## Verbs\n\nEvery verb has `" + strings.Join(commonAttributes, "`, `") + "` besides its own attributes.\n\n| Verb | Phases | Attributes | |\n|---|---|---|---|\n")
	names := keysOf(verbs)
	sort.Strings(names)
	for _, n := range names {
		v := verbs[n]
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", n, v.phaseNames(), v.attrs, v.doc)
	}
	b.WriteString("| `use \"n\"` | all | when, mode | runs the rules of the block rules \"n\" here |\n")
}

func factReference(b *strings.Builder, kinds []filters.Kind) {
	facts := expr.NewFacts()
	for _, k := range kinds {
		prefix := k.Name
		if k.Named {
			prefix += ".NAME"
		}
		if k.Root != "" {
			prefix = k.Root
		}
		facts.AddFilter(prefix, k.Facts, k.From, false, 0)
	}
	b.WriteString("\n## Facts\n\nA fact is known from its phase on; in deliver, only those marked so.\n\n| Fact | Type | From | |\n|---|---|---|---|\n")
	for _, f := range facts.All() {
		from := f.From.String()
		if f.Deliver && from != "deliver" {
			from += ", deliver"
		}
		doc := f.Doc
		if f.Words != nil {
			doc += " (" + strings.Join(f.Words, ", ") + ")"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Path, f.Type, from, doc)
	}
	b.WriteString("\nThe words of `msg.defects`, for conditions as `overlaps(msg.defects, [\"odd-from\", \"several-from\"])`:\n\n| Word | |\n|---|---|\n")
	for _, d := range mime.Defects() {
		fmt.Fprintf(b, "| `%s` | %s |\n", d.Word, d.Doc)
	}
}
