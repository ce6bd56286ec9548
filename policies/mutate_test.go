package policies

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/filters"
)

// TestMutatedExamples: whatever is taken out of an example, doubled, swapped or
// put in the place of something else, Load answers, and each mistake has a page.
func TestMutatedExamples(t *testing.T) {
	var words []string
	var texts []string
	for _, pattern := range []string{"testdata/good/*.hcl", "testdata/good/company.d/*.hcl", "testdata/bad/*.hcl", "stock/*.hcl"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(b))
			words = append(words, strings.Fields(string(b))...)
		}
	}
	r := rand.New(rand.NewPCG(6, 1))
	refused := 0
	for i := range 3000 {
		text := mutate(r, texts[i%len(texts)], words)
		c, ds := Load("/etc/main.hcl", newWorld().memory(map[string]string{"/etc/main.hcl": text}))
		for _, d := range ds {
			if _, why, ok := Explain(string(d.Code)); !ok || why == "" || d.Summary == "" || d.String() == "" {
				t.Fatalf("a mistake without a page: %+v", d)
			}
		}
		if c == nil {
			refused++
			if !ds.HasErrors() {
				t.Fatalf("refused without an error:\n%s", text)
			}
			continue
		}
		if _, err := c.Build(filters.Deps{}); err != nil {
			t.Errorf("it loads and cannot be built: %v", err)
		}
	}
	if refused < 500 || refused == 3000 {
		t.Errorf("%d of 3000 were refused: the mutations try nothing", refused)
	}
}

// mutate changes one to three words of a text.
func mutate(r *rand.Rand, text string, words []string) string {
	for range 1 + r.IntN(3) {
		parts := strings.SplitAfter(text, " ")
		i := r.IntN(len(parts))
		switch r.IntN(4) {
		case 0:
			parts[i] = ""
		case 1:
			parts[i] += parts[i]
		case 2:
			j := r.IntN(len(parts))
			parts[i], parts[j] = parts[j], parts[i]
		default:
			parts[i] = words[r.IntN(len(words))] + " "
		}
		text = strings.Join(parts, "")
	}
	return text
}
