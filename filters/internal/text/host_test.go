package text

import (
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/meter/metertest"
)

// TestHost: where a link leads is what a browser makes of it, whatever was done to
// hide that.
func TestHost(t *testing.T) {
	for link, want := range map[string]string{
		"http://evil.test/x":                                          "evil.test",
		"HTTPS://WWW.Evil.TEST.:8443/?q#f":                            "www.evil.test",
		"www.evil.test/?u=http://other.test/":                         "www.evil.test",
		"http://bank.test@evil.test/":                                 "evil.test",
		"http://bank.test:80@x@evil.test:81/a@b":                      "evil.test",
		"http://bank.test%2F@evil.test":                               "evil.test",
		"http://evil.test?@bank.test":                                 "evil.test",
		"http://evil.test#@bank.test":                                 "evil.test",
		`http://evil.test\@bank.test`:                                 "evil.test",
		"http:///evil.test":                                           "evil.test",
		"http://%65vil%2Etest/":                                       "evil.test",
		"http://b\u00fccher.test/":                                    "xn--bcher-kva.test",
		"http://b%C3%BCcher.test/":                                    "xn--bcher-kva.test",
		"http://XN--BCHER-KVA.test/":                                  "xn--bcher-kva.test",
		"http://evil\u3002test\uff0e/":                                "evil.test",
		"http://ev\u00adil.test":                                      "evil.test",
		"http://\uff45vil.test":                                       "evil.test",
		"http://-.evil.test/":                                         "evil.test",
		"http://a..evil.test/":                                        "evil.test",
		"http://evil.com\u8c22\u8c22":                                 "evil.com", // words right behind it
		"http://evil.com\u3001x":                                      "evil.com",
		"http://x.\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/": "x.xn--e1afmkfd.xn--p1ai",
		"hxxp://evil.test":                                            "evil.test",
		"http://198.51.100.7:80/":                                     "198.51.100.7",
		"http://3325256711/":                                          "198.51.100.7",
		"http://0xC6.0x33.25607/":                                     "198.51.100.7",
		"http://0306.063.0144.07./":                                   "198.51.100.7",
		"http://[2001:DB8::1]:80/":                                    "2001:db8::1",
		"http://[2001:db8::1":                                         "2001:db8::1", // as Links leaves it
		"http://[::ffff:198.51.100.7]/":                               "198.51.100.7",
		"http://[evil.test]/":                                         "",
		"http://1.2.3.4.5/":                                           "1.2.3.4.5",
		"http://256.1.1.1/":                                           "256.1.1.1",
		"http://evil.test',1)":                                        "evil.test",
		"http://evil.test,http://other.test":                          "evil.test",
		"http://x'y,z.evil.test/":                                     "evil.test",
		"http://localhost/":                                           "",
		"http:///":                                                    "",
		"file:///etc/passwd":                                          "",
		"http://" + strings.Repeat("a.", 600) + "b":                   "",
		"": "",
	} {
		if got := Host(link); got != want {
			t.Errorf("Host(%q) = %q, want %q", link, got, want)
		}
	}
}

// TestHostOfHTML: what Links finds of an attribute leads where a browser goes.
func TestHostOfHTML(t *testing.T) {
	for href, want := range map[string]string{
		`//evil.test/x`:                                 "evil.test",
		`http:/evil.test`:                               "evil.test",
		`https:evil.test/x`:                             "evil.test",
		`http:\\evil.test\x`:                            "evil.test",
		`http://evil.test\@bank.test/`:                  "evil.test",
		`\\evil.test/`:                                  "evil.test",
		"ht\ntp://ev\til.test/":                         "evil.test",
		"http://&#101;vil&period;test/":                 "evil.test",
		`http://bank.test|x@evil.test/`:                 "evil.test",
		`http://bank.test{^}@evil.test/`:                "evil.test",
		`HTTP://bank.test@evil.test`:                    "evil.test",
		`http://198.51.100.7/`:                          "198.51.100.7",
		`http://[2001:db8::1]/`:                         "2001:db8::1",
		`javascript:open(&quot;http://evil.test&quot;)`: "evil.test",
		`javascript:open('http://evil.test')`:           "evil.test",
		`/\evil.test/`:                                  "evil.test",
		`/`:                                             "",
		`http`:                                          "",
		`/unsubscribe`:                                  "",
		`mailto:x@evil.test`:                            "",
		`cid:http`:                                      "",
		`http:`:                                         "",
		"http://" + strings.Repeat("a", 5000) + "@evil.test/": "evil.test",
	} {
		_, urls := FromHTML(`<a href="` + href + `">`)
		got := ""
		for _, l := range Links(strings.Join(urls, "\n")) {
			got += Host(l)
		}
		if got != want {
			t.Errorf("%q leads to %q (%q), want %q", href, got, urls, want)
		}
	}
}

// TestHostileHosts: as many links as there can be, each made to be read again and
// again.
func TestHostileHosts(t *testing.T) {
	for name, s := range map[string]string{
		"labels":     "http://" + strings.Repeat("a.", 500) + "-",
		"U-labels":   "http://" + strings.Repeat("\u00e9.", 80) + "-",
		"many users": "http://" + strings.Repeat("@", 1000) + "a.-",
		"percent":    "http://" + strings.Repeat("%61.", 250) + "-",
	} {
		if took := metertest.CPU(t, func() {
			for range maxLinks {
				Host(s)
			}
		}); took > 5*time.Second {
			t.Errorf("%s: %v of processor time", name, took)
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"http://u@b\u00fccher.test:1/", "http://0x7f.1", "www.a.test", "http://[::1]", "http://%ff.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if h := Host(s); h != strings.ToLower(h) || strings.ContainsAny(h, "/@%[] \x00") || strings.HasSuffix(h, ".") {
			t.Errorf("Host(%q) = %q", s, h)
		}
	})
}
