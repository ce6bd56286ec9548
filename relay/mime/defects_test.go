package mime

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestDefectsAreAll: no defect is missing from the list that the reference is
// made of, and each is told once.
func TestDefectsAreAll(t *testing.T) {
	file, err := goparser.ParseFile(token.NewFileSet(), "mime.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Defect") {
			declared++
		}
		return true
	})
	seen := map[Defect]bool{}
	for _, d := range Defects() {
		seen[d.Word] = true
	}
	if declared == 0 || len(seen) != declared || len(Defects()) != declared {
		t.Errorf("%d are declared, %d listed, %d of them different", declared, len(Defects()), len(seen))
	}
}

// TestOddFrom is the line Multiple/odd From of threats, as far as it is the
// parser's: what is not one plain address is told.
func TestOddFrom(t *testing.T) {
	for raw, want := range map[string]bool{
		"a@b.test": false, "Ann <a@b.test>": false, "\"b@c.test\" <a@b.test>": false,
		"a@b.test, c@d.test": true, "team: a@b.test;": true, "undisclosed:;": true, "": true, "nobody": true,
		"<a@b.test> <c@d.test>": true, "a@b.test <c@d.test>": false, "<>": true, "=?utf-8?q?a=40b.test?=": true,
	} {
		if got := parseWhole(crlf("From: " + raw + "\n\n")).Has(DefectOddFrom); got != want {
			t.Errorf("From: %s: odd %v, want %v", raw, got, want)
		}
	}
	p := parseWhole(crlf("From: a@b.test\nFrom: x\n\n"))
	if !p.Has(DefectManyFrom) || !p.Has(DefectOddFrom) {
		t.Errorf("two From fields, one of them odd: %v", p.Defects)
	}
}
