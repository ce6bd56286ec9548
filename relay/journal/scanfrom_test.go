package journal

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// TestScanFrom: a scan goes on where an earlier one stopped, and each batch can
// be read by its place.
func TestScanFrom(t *testing.T) {
	j, err := Open(t.TempDir(), Options{Skim: true, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	write := func(words ...string) {
		t.Helper()
		var b Batch
		for _, w := range words {
			b.Add(KindTrail, []byte(w))
		}
		if err := j.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	places := map[string]int64{}
	from := int64(0)
	read := func() {
		t.Helper()
		err := j.ScanFrom(t.Context(), 1, from, func(at, next int64, _ Kind, data []byte) error {
			got, places[string(data)], from = append(got, string(data)), at, next
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write("a", "b")
	read()
	read()
	write("c")
	write("d", "e")
	read()
	if !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) || places["a"] != places["b"] || places["c"] == places["d"] {
		t.Errorf("read %q at %v", got, places)
	}
	for word, want := range map[string]string{"b": "[a b]", "c": "[c]", "d": "[d e]"} {
		var batch []string
		err := j.ScanBatch(context.Background(), 1, places[word], func(_ Kind, data []byte) error {
			batch = append(batch, string(data))
			return nil
		})
		if err != nil || fmt.Sprint(batch) != want {
			t.Errorf("the batch of %s: %q, %v", word, batch, err)
		}
	}
}
