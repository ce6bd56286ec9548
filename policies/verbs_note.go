package policies

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/route"
)

// protected are the classes that only force skips.
var protected = []string{"malware", "builtin"}

func (c *ruleCompiler) skip() {
	c.b.require("classes", "Write classes = [\"spam\"].")
	force := c.b.boolean("force", false)
	c.l.classes["builtin"] = true
	defer delete(c.l.classes, "builtin")
	for _, name := range c.b.texts("classes") {
		if !c.l.classes[name] {
			c.l.bag.Error(diag.UndeclaredClass, c.b.rangeOf("classes"), "The class \""+name+"\" is not declared.", orElse(suggest(name, keysOf(c.l.classes)), "Declare it: classes = [\""+name+"\"]."))
			continue
		}
		if contains(protected, name) {
			if !force {
				c.l.bag.Error(diag.Protected, c.b.rangeOf("classes"), "The class "+name+" is not skipped by an ordinary rule.", "If you are sure, write force = true.")
				continue
			}
			c.l.bag.Warn(diag.ForcedSkip, c.b.at, "This rule switches off the class "+name+".", "If it is not meant, take the class out of classes, and force with it.")
		}
		c.r.Skip = append(c.r.Skip, name)
	}
}

func (c *ruleCompiler) tag() {
	c.b.require("add", "Write add = [\"newsletter\"].")
	c.r.Add = c.l.tags(c.b, "add")
}

// score takes every attribute that is not common to all verbs for a symbol.
func (c *ruleCompiler) score() {
	c.r.Symbols = []rules.Symbol{}
	for _, a := range sortedAttributes(c.b.b) {
		if contains(commonAttributes, a.Name) {
			continue
		}
		c.b.known = append(c.b.known, a.Name)
		call, ok := a.Expr.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != "points" || len(call.Args) != 2 || call.ExpandFinal {
			c.l.bag.Error(diag.WrongArguments, a.Expr.Range(), "A line of a score is points(number, condition).", "Write "+a.Name+" = points(2.5, spf.result == \"fail\").")
			continue
		}
		s := c.l.env.In(c.stage)
		n, when := s.Number(call.Args[0]), s.Cond(call.Args[1])
		c.scope.Refs.Merge(&s.Refs)
		if n != nil && when != nil {
			c.r.Symbols = append(c.r.Symbols, rules.Symbol{Name: a.Name, Points: n, When: when, Facts: s.Refs.Facts})
		}
	}
	if len(c.b.b.Attributes) == 0 {
		c.l.bag.Error(diag.MissingAttribute, c.b.at, "The score has no lines.", "Write name = points(2.5, spf.result == \"fail\").")
	}
}

// commonAttributes are what every verb has.
var commonAttributes = []string{"when", "class", "mode", "since", "tags", "note"}

func (c *ruleCompiler) modify() {
	m := &rules.Modify{}
	if x, ok := c.b.attr("subject_prefix"); ok {
		m.Prefix = c.scope.Text(x)
	}
	if x, ok := c.b.attr("add_header"); ok {
		c.addHeaders(m, x)
	}
	for _, name := range c.b.texts("remove_header") {
		if c.fieldName("remove_header", name) {
			m.Remove = append(m.Remove, name)
		}
	}
	c.r.Modify = m
	if !c.b.has("subject_prefix") && !c.b.has("add_header") && !c.b.has("remove_header") && c.r.Tags == nil {
		c.l.bag.Error(diag.MissingAttribute, c.b.at, "The rule changes nothing.", "Write subject_prefix, add_header or remove_header.")
	}
}

// addHeaders reads { "X-Name" = "text" }.
func (c *ruleCompiler) addHeaders(m *rules.Modify, x hclsyntax.Expression) {
	o := c.l.object(x, "add_header", c.b)
	if o == nil {
		return
	}
	for _, a := range sortedAttributes(o.b) {
		if v := c.scope.Text(a.Expr); v != nil && c.fieldName("add_header", a.Name) {
			m.Add = append(m.Add, rules.Header{Name: a.Name, Value: v})
		}
	}
}

// fieldName checks the name of a header field (RFC 5322 section 2.2). Received
// and the signatures of others are not for policies to change.
func (c *ruleCompiler) fieldName(attr, name string) bool {
	if name == "" || len(name) > 70 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		c.b.bad(attr, "\""+name+"\" is no name of a header field.", "Write \"X-Example\".")
		return false
	}
	if strings.EqualFold(name, "Received") {
		c.b.bad(attr, "Received fields stay as they are: they are how loops are found.", "")
		return false
	}
	return true
}

// strip removes attachments.
func (c *ruleCompiler) strip() {
	c.b.require("extensions", "Write extensions = [\"exe\", \"js\"].")
	s := &rules.Strip{Extensions: map[string]bool{}, Force: c.b.boolean("force", false)}
	if x, ok := c.b.attr("replace_with"); ok {
		s.Text = c.scope.Text(x)
	}
	for _, e := range c.b.texts("extensions") {
		ext := strings.ToLower(strings.TrimPrefix(e, "."))
		if ext == "" || len(ext) > mime.MaxExtension || strings.ContainsAny(ext, "./\\*? ") {
			c.b.bad("extensions", "\""+e+"\" is no extension of a file name.", "Write extensions = [\"exe\", \"js\"].")
			continue
		}
		s.Extensions[ext] = true
	}
	c.r.Strip = s
}

// canonicalizations are c= of a signature (RFC 6376 section 3.5) by the words of
// the language; relaxed/relaxed is what a Signer does unasked.
var canonicalizations = map[string]string{"relaxed": "", "simple": "simple/simple", "relaxed_simple": "relaxed/simple", "simple_relaxed": "simple/relaxed"}

// sign signs with DKIM, or by its name seals with ARC. A seal states the result
// of the chain before it, so the rule asks that filter.
func (c *ruleCompiler) sign() {
	slot, known := c.l.slots["arc"]
	if !known || !strings.HasSuffix(c.r.Path, ".sign.arc") {
		c.r.Sign, c.r.Keys = true, c.selectors()
		c.r.Canon = canonicalizations[c.b.word("canonicalization", "relaxed", "relaxed", "simple", "relaxed_simple", "simple_relaxed")]
		return
	}
	if c.b.has("key") {
		c.l.bag.Error(diag.UnknownAttribute, c.b.rangeOf("key"), "A seal is made with the domain's first RSA key: a link of a chain has one signature.", "Leave key out.")
	}
	if c.b.has("canonicalization") {
		c.l.bag.Error(diag.UnknownAttribute, c.b.rangeOf("canonicalization"), "A seal is always relaxed/relaxed.", "Leave canonicalization out.")
	}
	c.b.known = append(c.b.known, "key", "canonicalization")
	c.r.Seal, c.r.Chain = true, slot
	if c.scope.Refs.Slots == nil {
		c.scope.Refs.Slots = map[int]bool{}
	}
	c.scope.Refs.Slots[slot] = true
}

// selectors reads `key`: which of the domains' keys sign, by their selectors.
func (c *ruleCompiler) selectors() []string {
	names := c.b.texts("key")
	for _, name := range names {
		if known := c.l.allSelectors(); !contains(known, name) {
			c.l.bag.Error(diag.UnknownReference, c.b.rangeOf("key"), "No domain has a key with the selector \""+name+"\".",
				orElse(diag.DidYouMean(name, known), "Give the domain the key: dkim = [{ selector = \""+name+"\", key = secret(\"name\") }]."))
		}
	}
	if c.b.has("key") && len(names) == 0 && c.l.bag.Errors() == 0 {
		c.b.bad("key", "The rule signs with no key.", "Write key = \"selector\", or leave it out for all keys of the domain.")
	}
	return names
}

// allSelectors are those of the keys of all domains.
func (l *loader) allSelectors() (names []string) {
	for _, d := range l.set.Domains {
		for _, k := range d.DKIM {
			if !contains(names, k.Selector) {
				names = append(names, k.Selector)
			}
		}
	}
	return names
}

func (c *ruleCompiler) copy() {
	c.b.require("to", "Write to = [\"journal@example.com\"].")
	c.r.Copies = c.b.addresses("to")
}

var tlsPolicies = map[string]route.TLSPolicy{"may": route.TLSMay, "require": route.TLSRequire, "verify": route.TLSVerify, "dane": route.TLSDANE}

func (c *ruleCompiler) route() {
	c.r.Source = c.b.sourceAddress("source")
	c.r.TLS = tlsPolicies[c.b.word("tls", "may", "may", "require", "verify", "dane")]
	if (c.b.has("tls") || c.b.has("source")) && !c.b.has("via") {
		return // the route that it has anyway, with better TLS or from elsewhere
	}
	if c.b.require("via", "Write via = route.name, tls = verify or source = \"192.0.2.7\".") {
		c.r.Route = c.b.ref("via", "route")
	}
}
