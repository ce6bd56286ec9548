package policies

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryAttributeIsDocumented: what Load asks of any block of the examples,
// good and bad, stands in the table of the reference, and nothing else does.
func TestEveryAttributeIsDocumented(t *testing.T) {
	known, rules := map[string][]string{}, map[string][]string{}
	asked = func(b *body) {
		what := blockOf(b)
		if verb, _, _ := strings.Cut(b.what, " "); what == "" && strings.Contains(b.what, "\"") && verb != "score" {
			if _, ok := verbs[verb]; ok {
				rules[verb] = append(rules[verb], b.known...)
			}
		}
		for _, name := range b.known {
			if what != "" && !slices.Contains(known[what], name) {
				known[what] = append(known[what], name)
			}
		}
	}
	defer func() { asked = nil }()
	for _, pattern := range []string{"testdata/good/*.hcl", "testdata/good/company.d/*.hcl", "testdata/bad/*.hcl", "../packaging/examples/*.hcl"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			Load("/etc/main.hcl", newWorld().memory(map[string]string{"/etc/main.hcl": string(text) + everyBlock}))
		}
	}
	if os.Getenv("FOREPOST_WRITE") != "" {
		for what, names := range known {
			slices.Sort(names)
			fmt.Println(what, names)
		}
	}
	for what, names := range known {
		for _, n := range names {
			if blockDocs[what].attrs[n] == "" {
				t.Errorf("the attribute %s of %s is not documented: add a line in docs.go", n, what)
			}
		}
	}
	for what, d := range blockDocs {
		for n := range d.attrs {
			if known[what] != nil && !slices.Contains(known[what], n) {
				t.Errorf("docs.go has an attribute %s of %s that nothing reads", n, what)
			}
		}
	}
	for verb, attrs := range rules {
		for _, n := range attrs {
			if !slices.Contains(commonAttributes, n) && !slices.Contains(strings.Split(verbs[verb].attrs, ", "), n) {
				t.Errorf("the attribute %s of the verb %s is not documented: name it in the table of verbs.go", n, verb)
			}
		}
	}
	for typ := range topLevel {
		if blockDocs[typ].doc == "" {
			t.Errorf("the block %s is not documented", typ)
		}
	}
}

// blockOf is the type of a block at the top of a file; "" for rules, filters and
// objects inside, which are described elsewhere.
func blockOf(b *body) string {
	if b.what == "the top of the file" {
		return "(top)"
	}
	for typ, blocks := range b.l.blocks {
		for _, blk := range blocks {
			if blk.Body == b.b && typ != "filter" {
				return typ
			}
		}
	}
	return ""
}

// TestTopics: every entry of the reference says something.
func TestTopics(t *testing.T) {
	for _, topic := range Topics(newWorld().kinds()) {
		if len(topic.Entries) == 0 || topic.Doc == "" {
			t.Errorf("the topic %s is empty", topic.Name)
		}
		for _, e := range topic.Entries {
			if e.Name == "" || e.Doc == "" && topic.Name != "facts" && topic.Name != "filters" { // the fakes of tests have no doc
				t.Errorf("%s: %q says %q", topic.Name, e.Name, e.Doc)
			}
			if !strings.Contains(topic.Text(), e.Name) {
				t.Errorf("%s: %q is not in its text", topic.Name, e.Name)
			}
		}
	}
}

// everyBlock is read after each file, so that blocks that no example has are
// looked at, too.
const everyBlock = `
imap "every" {
  address = ":143"
}
pop3 "every" {
  address = ":110"
}
store {}
dns {}
state {}
control {}
web {}
metrics {}
log {}
reports {}
logins {}
bounces {}
srs {}
variable "every" {
  default = 1
}
tls "every" {
  cert = "c"
  key  = "k"
}
redis "every" {
  address = "127.0.0.1:6379"
}
quarantine "every" {
  release = recipient
  digest  = "07:30"
}
account "every@every.test" {
  password = "x"
}
domain "every.test" {
  route = route.store
}
list "every" {
  type  = word
  items = ["x"]
}
route "every" {
  to = mx
}
rules "every" {}
policy "every" {}
listener "every" {
  address = ":25"
}
`
