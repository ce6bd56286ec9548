package expr

// Example is a call of a function and what it gives, as the language writes it.
type Example struct{ Call, Gives string }

// Examples are calls of a function for the reference; a test makes them.
func Examples(name string) []Example { return examples[name] }

// examples are made at noon of Monday 2026-11-23, UTC, in a session from
// 203.0.113.9 with a message from "Ann B" <ann@stranger.test> that has two
// X-Mark fields, one and two; example.com is ours, list.vips has eve@example.com
// and @partner.test.
var examples = map[string][]Example{
	"listed": {{`listed("Eve@Example.com", list.vips)`, "true"}, {`listed("kim@partner.test", list.vips)`, "true"}, {`listed(mail.from, list.vips)`, "false"},
		{`listed(client.ip, ["203.0.113.0/24"])`, "true"}, {`listed(["a", "b"], ["b", "c"])`, "true"}},
	"overlaps":     {{`overlaps(["pdf", "exe"], ["exe", "js"])`, "true"}, {`overlaps(["pdf"], ["exe", "js"])`, "false"}, {`overlaps(msg.to, list.vips)`, "false"}},
	"within":       {{`within(client.ip, "203.0.113.0/24")`, "true"}, {`within(client.ip, "10.0.0.0/8", "2001:db8::/32")`, "false"}, {`within(client.ip, ["203.0.113.9"])`, "true"}},
	"any":          {{`any(false, mail.null, msg.subject != "")`, "true"}, {`any(false, mail.null)`, "false"}},
	"all":          {{`all(true, mail.domain == "stranger.test")`, "true"}, {`all(true, mail.null)`, "false"}},
	"own_domain":   {{`own_domain("example.com")`, "true"}, {`own_domain("bob@Example.com")`, "true"}, {`own_domain("sub.example.com")`, "false"}},
	"subdomain_of": {{`subdomain_of("mail.example.com", "example.com")`, "true"}, {`subdomain_of("badexample.com", "example.com")`, "false"}, {`subdomain_of("Example.COM", "example.com")`, "true"}},
	"org_domain":   {{`org_domain("a.b.example.co.uk")`, `"example.co.uk"`}, {`org_domain("ann@mail.example.com")`, `"example.com"`}},
	"domain_of":    {{`domain_of("Ann@Example.COM")`, `"example.com"`}, {`domain_of("example.com")`, `"example.com"`}},
	"local_of":     {{`local_of("Ann@example.com")`, `"Ann"`}, {`local_of("ann")`, `"ann"`}},
	"base_address": {{`base_address("Ann+shop@Example.com")`, `"ann@example.com"`}, {`base_address("+x@example.com")`, `"+x@example.com"`}},
	"lower":        {{`lower("GRÜSSE")`, `"grüsse"`}},
	"upper":        {{`upper("grüße")`, `"GRÜßE"`}},
	"trim":         {{`trim("  a b\t")`, `"a b"`}},
	"contains":     {{`contains("Quarterly Figures", "figures")`, "true"}, {`contains("a", "b")`, "false"}},
	"starts_with":  {{`starts_with("Re: hello", "re:")`, "true"}, {`starts_with("a", "ab")`, "false"}},
	"ends_with":    {{`ends_with("invoice.EXE", ".exe")`, "true"}, {`ends_with("a", "ba")`, "false"}},
	"similar":      {{`similar("examp1e.com", "example.com")`, "true"}, {`similar("elsewhere.test", "example.com")`, "false"}},
	"sha256":       {{`sha256("")`, `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`}},
	"coalesce":     {{`coalesce("", "b", "c")`, `"b"`}, {`coalesce(auth.user, client.ip)`, `"203.0.113.9"`}, {`coalesce("", "")`, `""`}},
	"split":        {{`split(",", "a,b")`, `["a", "b"]`}, {`split(",", "")`, `[]`}},
	"join":         {{`join("-", ["a", "b"])`, `"a-b"`}, {`join(" ", headers("X-Mark"))`, `"one two"`}},
	"format":       {{`format("%s of %s (100%%)", mail.from, 5)`, `"ann@stranger.test of 5 (100%)"`}},
	"matches":      {{`matches("invoice 2026", "^invoice [0-9]+$")`, "true"}, {`matches("Invoice", "^invoice")`, "false"}, {`matches(["a", "b1"], "[0-9]")`, "true"}},
	"glob":         {{`glob("Invoice-7.PDF", "invoice-?.pdf")`, "true"}, {`glob("a.b", "*.c")`, "false"}},
	"replace":      {{`replace("a1b22", "[0-9]+", "#")`, `"a#b#"`}, {`replace("ann@example.com", "(.*)@.*", "$1")`, `"ann"`}},
	"length":       {{`length("grün")`, "4"}, {`length(["a", "b"])`, "2"}, {`length(list.vips)`, "2"}},
	"min":          {{`min(3, 1, 2)`, "1"}},
	"max":          {{`max(3, 1, 2)`, "3"}},
	"points":       {{`spf_fail = points(3.0, spf.result == "fail")`, "3 points where SPF fails"}},
	"size":         {{`size("20MB")`, "20971520"}, {`size("512KB")`, "524288"}},
	"between":      {{`between("09:00", "17:00")`, "true"}, {`between("22:00", "06:00")`, "false"}},
	"weekday":      {{`weekday()`, `"mon"`}},
	"days_since":   {{`days_since("2026-11-20")`, "3"}, {`days_since("2026-11-24T12:00:00Z")`, "-1"}, {`days_since(header("Date")) > 365`, "true"}},
	"duration":     {{`duration("1d") > duration("23h")`, "true"}, {`duration("90s")`, `"1m30s"`}},
	"header":       {{`header("X-Mark")`, `"one"`}, {`header("X-None")`, `""`}},
	"headers":      {{`headers("x-mark")`, `["one", "two"]`}},
	"lookup":       {{`lookup({ "stranger.test" = "far", "example.com" = "near" }, mail.domain, "?")`, `"far"`}, {`lookup({ a = "x" }, "b", "?")`, `"?"`}},
	"secret":       {{`secret("word")`, "(secret)"}},
	"file":         {{`file("note.txt")`, `"read at load"`}},
}
