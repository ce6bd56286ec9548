package test

import (
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

// file is one file of tests as written.
type file struct {
	name  string
	bag   *diag.Bag
	read  func(string) ([]byte, error)
	text  []byte
	given map[string]*hclsyntax.Block
	cases []*hclsyntax.Block
	lists map[string][]string
}

// readFile parses a file of tests and sorts its blocks; false where it cannot be
// looked into.
func readFile(name string, read func(string) ([]byte, error)) (*file, bool) {
	if read == nil {
		read = os.ReadFile
	}
	f := &file{name: name, bag: &diag.Bag{}, read: read, given: map[string]*hclsyntax.Block{}, lists: map[string][]string{}}
	text, err := read(name)
	if err != nil {
		f.bag.Error(diag.CannotRead, hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}, name+": "+err.Error()+".", "See that the file exists and can be read.")
		return f, false
	}
	f.text = text
	parsed, ds := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	body, _ := parsed.Body.(*hclsyntax.Body)
	f.bag.AddFile(name, text, body)
	f.bag.Syntax(ds)
	if body == nil || ds.HasErrors() {
		return f, false
	}
	f.sort(body)
	return f, true
}

// sort takes the blocks of a file apart.
func (f *file) sort(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		f.bag.Error(diag.UnknownAttribute, a.NameRange, "A file of tests holds blocks, no attributes.", "Put it into a case.")
	}
	cases := map[string]bool{}
	for _, b := range body.Blocks {
		switch b.Type {
		case "given":
			if f.label(b) {
				if f.given[b.Labels[0]] != nil {
					f.bag.Error(diag.Duplicate, b.DefRange(), "There is a given \""+b.Labels[0]+"\" already.", "Keep one.")
					continue
				}
				f.given[b.Labels[0]] = b
			}
		case "case":
			if f.label(b) {
				if cases[b.Labels[0]] {
					f.bag.Error(diag.Duplicate, b.DefRange(), "There is a case \""+b.Labels[0]+"\" already.", "Give each case a name of its own.")
				}
				cases[b.Labels[0]] = true
				f.cases = append(f.cases, b)
			}
		case "lists":
			f.readLists(b)
		default:
			f.bag.Error(diag.UnknownBlock, b.TypeRange, "A file of tests has no block \""+b.Type+"\".", diag.DidYouMean(b.Type, []string{"given", "case", "lists"}))
		}
	}
}

func (f *file) label(b *hclsyntax.Block) bool {
	if len(b.Labels) == 1 {
		return true
	}
	f.bag.Error(diag.WrongLabels, b.DefRange(), "The block "+b.Type+" has one label, its name.", "Write "+b.Type+" \"name\" { }.")
	return false
}

// readLists reads the entries that lists have in these tests.
func (f *file) readLists(b *hclsyntax.Block) {
	if len(b.Labels) != 0 {
		f.bag.Error(diag.WrongLabels, b.DefRange(), "The block lists has no label.", "Write lists { }.")
	}
	for name, a := range b.Body.Attributes {
		n := f.eval(a.Expr, nil)
		if n == nil {
			continue
		}
		if items, ok := n.texts(); ok {
			f.lists[name] = items
			continue
		}
		f.bag.Error(diag.WrongType, a.Expr.Range(), "The entries of a list are a list of strings.", "Write "+name+" = [\"a\", \"b\"].")
	}
}

// cannotBuild reports a filter that cannot be made.
func (f *file) cannotBuild(config string, err error) {
	f.bag.Error(diag.BadValue, hcl.Range{Filename: config, Start: hcl.InitialPos, End: hcl.InitialPos}, err.Error()+".", "")
}
