package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/pipeline"
)

// factAt is the value of a fact, if it is known at the scope's stage.
func (s *Scope) factAt(path string, parts []string, at hcl.Range) *Value {
	f, ok := s.Facts.byPath[path]
	if !ok {
		s.unknownFact(path, parts, at)
		return invalid
	}
	if s.Static {
		s.Bag.Error(diag.NotConstant, at, path+" is a fact about mail, and this setting is read once, when the configuration is loaded.", "Write a value that is always the same; what depends on mail is a rule.")
		return invalid
	}
	if fix, ok := s.Facts.withheld[path]; ok {
		s.Bag.Error(diag.UnknownReference, at, path+" is found by a filter that is not configured for it.", fix)
		return invalid
	}
	if !s.known(f, at) {
		return invalid
	}
	s.Refs.note(f)
	return &f.value
}

// known reports a fact that the stage cannot know.
func (s *Scope) known(f *Fact, at hcl.Range) bool {
	root, _, _ := strings.Cut(f.Path, ".")
	if s.Any {
		return true
	}
	if s.Stage == pipeline.Deliver {
		if !f.Deliver {
			s.Bag.ErrorAs(diag.NotYetKnown, at, "\""+root+"\" is no longer known",
				"This rule runs in the deliver phase, which knows the envelope, tags, msg.size and delivery.* alone: the rest may be gone after a restart.",
				"Ask for "+f.Path+" in a "+f.From.String()+" block, and give a tag there that this rule asks for.")
		}
		return f.Deliver
	}
	if f.From > s.Stage {
		s.Bag.ErrorAs(diag.NotYetKnown, at, "\""+root+"\" is not known yet",
			"This rule runs in the "+s.Stage.String()+" phase, but "+f.Path+" is first known in the "+f.From.String()+" phase.",
			"Move the rule to a "+f.From.String()+" block.")
		return false
	}
	return true
}

// unknownFact says what is wrong with a name that is no fact.
func (s *Scope) unknownFact(path string, parts []string, at hcl.Range) {
	root := parts[0]
	if s.Facts.unknown[root] {
		return
	}
	if declared, named := s.Facts.instances[root]; named && len(parts) > 1 && !contains(declared, parts[1]) {
		s.Bag.Error(diag.UnknownReference, at, "There is no filter \""+root+"\" \""+parts[1]+"\".",
			either(diag.DidYouMean(parts[1], declared), "Declare it: filter \""+root+"\" \""+parts[1]+"\" { }."))
		return
	}
	if _, later := reserved[root]; len(parts) == 1 && !s.Facts.roots[root] && !later {
		s.Bag.Error(diag.UnknownWord, at, "\""+root+"\" stands for nothing here.", either(nearFact(root, keys(s.Facts.roots)), "If it is meant as a text, put it in quotes."))
		return
	}
	if r, ok := reserved[path]; ok {
		s.Bag.Error(diag.NotThisVersion, at, path+" "+r.why, r.fix)
		return
	}
	if r, ok := reserved[root]; ok && !s.Facts.roots[root] {
		s.Bag.Error(diag.NotThisVersion, at, path+" "+r.why, r.fix)
		return
	}
	var near []string
	for p := range s.Facts.byPath {
		if strings.HasPrefix(p, root+".") {
			near = append(near, p)
		}
	}
	if near == nil {
		near = keys(s.Facts.byPath)
	}
	s.Bag.Error(diag.UnknownFact, at, "There is no fact "+path+".", orAll(diag.DidYouMean(path, near), "facts"))
}

// orAll is where all of them stand, where nothing can be suggested.
func orAll(suggestion, topic string) string {
	if suggestion == "" {
		return "forepost help policy " + topic + " tells all there are."
	}
	return suggestion
}

// reserved are facts, and roots of facts, that the language has and this version
// cannot find, with what to do instead.
var reserved = map[string]struct{ why, fix string }{
	"milter": {"is found by a filter that this version has not.", "Ask clamav.NAME or rspamd.NAME."},
	"http":   {"is found by a filter that this version has not.", "Ask clamav.NAME or rspamd.NAME."},
}

func nearFact(word string, known []string) string {
	if n := diag.Nearest(word, known); n != "" {
		return "Did you mean \"" + n + "\"?"
	}
	return ""
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func contains(ss []string, s string) bool {
	for _, x := range ss {
		if x == s {
			return true
		}
	}
	return false
}
