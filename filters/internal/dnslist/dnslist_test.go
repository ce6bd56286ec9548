package dnslist

import (
	"net/netip"
	"strings"
	"testing"
)

func TestNoListing(t *testing.T) {
	for answer, want := range map[string]string{
		"127.0.0.2": "", "127.0.1.255": "", "127.255.254.255": "",
		"127.255.255.254": "z.test refuses to answer our resolver (127.255.255.254)",
		"198.51.100.1":    "z.test answers 198.51.100.1, which is no answer",
		"128.0.0.1":       "which is no answer",
	} {
		got := ""
		if err := NoListing("z.test", netip.MustParseAddr(answer)); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
}
