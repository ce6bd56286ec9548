package journal

import (
	"bytes"
	"context"
	"io"
	"testing"
)

type memory struct {
	j    *Journal
	seen []string
}

func (m *memory) Replay(k Kind, data []byte) error {
	m.seen = append(m.seen, string(data))
	return nil
}
func (m *memory) Rewrite(k Kind, data []byte, b *Batch) error { b.Add(k, data); return nil }

func openTest(t testing.TB, dir string, o Options, own Owner) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	j.Register(own, KindQueue)
	if m, ok := own.(*memory); ok {
		m.j = j
	}
	if err := j.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir, Options{}, &memory{})
	w := j.NewBlob()
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	w.Write(big)
	var b Batch
	b.Add(KindQueue, []byte("one"))
	b.AddBlob(w)
	if err := j.Commit(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	r, err := w.Blob().Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, big) {
		t.Fatal(err, len(got))
	}
	r.Close()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	j = openTest(t, dir, Options{}, m)
	if len(m.seen) != 1 || m.seen[0] != "one" {
		t.Fatal(m.seen)
	}
}
