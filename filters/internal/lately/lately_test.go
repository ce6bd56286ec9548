package lately

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// TestMemory: a text is read once, its error too; long ones are not kept; what is
// kept has a bound.
func TestMemory(t *testing.T) {
	reads := 0
	m := New(func(text string) (int, error) {
		reads++
		if text == "bad" {
			return 1, errors.New("bad")
		}
		return len(text), nil
	})
	long := strings.Repeat("x", maxText+1)
	for range 2 {
		if n, err := m.Get("four"); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := m.Get("bad"); n != 1 || err == nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := m.Get(long); n != len(long) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if reads != 4 {
		t.Errorf("%d reads, want 4", reads)
	}
	for i := range 5 * maxTexts {
		m.Get(strconv.Itoa(i))
	}
	if len(m.known) > maxTexts {
		t.Errorf("%d texts are kept", len(m.known))
	}
}
