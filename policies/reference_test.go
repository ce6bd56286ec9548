package policies

import (
	"os"
	"testing"
)

// TestReferenceIsFresh: the page beside the code is what the tables say. The
// facts of filters are their own to describe; FOREPOST_WRITE=1 writes it anew.
func TestReferenceIsFresh(t *testing.T) {
	want := Reference(nil)
	if os.Getenv("FOREPOST_WRITE") != "" {
		if err := os.WriteFile("reference.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("reference.md is old; run FOREPOST_WRITE=1 go test ./policies -run ReferenceIsFresh")
	}
}
