package policies

import "testing"

func TestSetAttribute(t *testing.T) {
	const attr = "dkim = [\n  { selector = \"b\", key = file(\"b.pem\") },\n]\n"
	for _, c := range []struct {
		why, src, want string
		found          bool
	}{
		{"one that stands there is replaced, comments stay",
			"# ours\ndomain \"a.test\" {\n  route = route.x # inside\n  dkim  = [{ selector = \"a\", key = secret(\"a\") }] # old\n}\n",
			"# ours\ndomain \"a.test\" {\n  route = route.x # inside\n  dkim = [\n    { selector = \"b\", key = file(\"b.pem\") },\n  ] # old\n}\n", true},
		{"one that is missing is added",
			"domain \"a.test\" {\n  route = route.x\n}\n",
			"domain \"a.test\" {\n  route = route.x\n  dkim = [\n    { selector = \"b\", key = file(\"b.pem\") },\n  ]\n}\n", true},
		{"a file in a form of its own keeps it",
			"domain   \"a.test\" { \n route    = route.x\n}\ndomain \"b.test\" {}\n",
			"domain   \"a.test\" { \n route    = route.x\n  dkim = [\n    { selector = \"b\", key = file(\"b.pem\") },\n  ]\n}\ndomain \"b.test\" {}\n", true},
		{"a block on one line", "domain \"a.test\" {}\n", "domain \"a.test\" {\n  dkim = [\n    { selector = \"b\", key = file(\"b.pem\") },\n  ]\n}\n", true},
		{"another domain's block is not ours", "domain \"b.test\" {\n}\n", "domain \"b.test\" {\n}\n", false},
	} {
		got, found, err := SetAttribute("x.hcl", []byte(c.src), "domain", "a.test", "dkim", attr)
		if err != nil || found != c.found || string(got) != c.want {
			t.Errorf("%s: %v, %v\n%s\nwant\n%s", c.why, found, err, got, c.want)
		}
	}
	if _, _, err := SetAttribute("x.hcl", []byte("domain {"), "domain", "a.test", "dkim", attr); err == nil {
		t.Error("a syntax error passes")
	}
}
