package policies

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/forepost/forepost/policies/internal/diag"
)

// Format gives the text of a configuration in its usual form: indented by two
// spaces, equal signs of neighbouring lines in a column. The error is Diagnostics
// about syntax; nothing else is checked.
func Format(name string, src []byte) ([]byte, error) {
	if _, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos); diags.HasErrors() {
		bag := &diag.Bag{}
		bag.AddFile(name, src, nil)
		bag.Syntax(diags)
		return nil, bag.All()
	}
	return hclwrite.Format(src), nil
}

// Quote writes a text as the language has it, in quotes.
func Quote(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) }

// SetAttribute gives the text of a configuration file in which one block has an
// attribute anew: attribute is its text, `dkim = [...]` for domain
// "example.com". All else stays octet by octet as it is. found is false where
// the file has no such block.
func SetAttribute(name string, src []byte, block, label, attribute, text string) (out []byte, found bool, err error) {
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, false, diags
	}
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		if b.Type != block || len(b.Labels) != 1 || b.Labels[0] != label {
			continue
		}
		from, to := b.CloseBraceRange.Start.Byte, b.CloseBraceRange.Start.Byte
		put := strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
		if a, ok := b.Body.Attributes[attribute]; ok {
			from, to = a.SrcRange.Start.Byte, a.SrcRange.End.Byte
		} else {
			put = "  " + put + "\n"
			if src[from-1] != '\n' { // the block is on one line
				put = "\n" + put
			}
		}
		out = slices.Concat(src[:from], []byte(put), src[to:])
		return out, true, nil
	}
	return src, false, nil
}
