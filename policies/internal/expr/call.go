package expr

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

// Function is a function of the language. All are pure: what is slow is a filter.
type Function struct {
	Name string
	Args string // "(x, list)"
	Doc  string
	// Result is the type of what it gives.
	Result Type
	args   []types // of the arguments; the last repeats where more is
	more   bool
	make   func(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value
}

// types is a set of types that an argument may have.
type types uint16

func of(ts ...Type) (set types) {
	for _, t := range ts {
		set |= 1 << t
	}
	return set
}

func (set types) has(t Type) bool { return set&(1<<t) != 0 }

func (set types) String() string {
	var names []string
	for t := Bool; t < Invalid; t++ {
		if set.has(t) {
			names = append(names, t.String())
		}
	}
	return strings.Join(names, " or ")
}

// Sets of types that functions share. What is written as text takes anything
// that has a text.
var (
	isBool   = of(Bool)
	isText   = of(String, IP, Number, Duration)
	isNumber = of(Number)
	isIP     = of(IP)
	isTexts  = of(Strings)
	isThing  = of(String, IP, Strings) // that may be in a list
	isList   = of(Strings, ListRef)
)

// Signature is how the function is called, with types:
// "listed(x: string|IP address|list of strings, list: list block) bool".
func (f *Function) Signature() string {
	names := strings.Split(strings.Trim(f.Args, "()"), ", ")
	if strings.HasPrefix(f.Args, "({") { // an object, whose members are shown
		names = []string{"{ key = text }", "key", "default"}
	}
	var b strings.Builder
	b.WriteString(f.Name + "(")
	for i, t := range f.args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.TrimSuffix(names[min(i, len(names)-1)], "..."))
		if t != 0 {
			b.WriteString(": " + t.short())
		}
	}
	if f.more {
		b.WriteString(", ...")
	}
	b.WriteString(") " + f.Result.short())
	return b.String()
}

// shorts are the types as signatures have them; a text is what can be written as
// one.
var shorts = map[Type]string{Bool: "bool", String: "string", Number: "number", Strings: "strings", IP: "ip", Duration: "duration", Time: "time", ListRef: "list"}

func (t Type) short() string { return shorts[t] }

func (set types) short() string {
	if set == isText {
		return "text"
	}
	var names []string
	for t := Bool; t < Invalid; t++ {
		if set.has(t) {
			names = append(names, t.short())
		}
	}
	return strings.Join(names, "|")
}

// Functions are the functions in the order of the reference.
func Functions() []Function {
	var all []Function
	for _, g := range [][]Function{listFunctions(), addressFunctions(), textFunctions(), patternFunctions(), numberFunctions(), timeFunctions(), otherFunctions()} {
		all = append(all, g...)
	}
	return all
}

var functions = map[string]*Function{}

func init() {
	all := Functions()
	for i := range all {
		functions[all[i].Name] = &all[i]
	}
}

// call is a function with its arguments.
func (s *Scope) call(x *hclsyntax.FunctionCallExpr) *Value {
	f, ok := functions[x.Name]
	if !ok {
		s.Bag.Error(diag.UnknownFunction, x.NameRange, "There is no function \""+x.Name+"\".", orAll(diag.DidYouMean(x.Name, keys(functions)), "functions"))
		return invalid
	}
	if x.ExpandFinal {
		s.Bag.Error(diag.NotTheLanguage, x.Range(), "Arguments are written out; ... is not part of the policy language.", "")
		return invalid
	}
	if n := len(x.Args); n < len(f.args) || n > len(f.args) && !f.more {
		s.Bag.Error(diag.WrongArguments, x.Range(), fmt.Sprintf("%s takes %s, and here are %d.", f.Name, count(f), n), "Write "+f.Name+f.Args+".")
		return invalid
	}
	args, ok := s.arguments(f, x)
	if !ok {
		return invalid
	}
	return f.make(s, x, args)
}

func count(f *Function) string {
	word := "arguments"
	if len(f.args) == 1 {
		word = "argument"
	}
	if f.more {
		return fmt.Sprintf("%d or more %s", len(f.args), word)
	}
	return fmt.Sprintf("%d %s", len(f.args), word)
}

// arguments compiles and checks them all, so that all mistakes are told.
func (s *Scope) arguments(f *Function, x *hclsyntax.FunctionCallExpr) ([]*Value, bool) {
	args, good := make([]*Value, len(x.Args)), true
	for i, e := range x.Args {
		if f.Name == "lookup" && i == 0 {
			continue // an object, which is read as it stands
		}
		v := s.Compile(e)
		want := f.args[min(i, len(f.args)-1)]
		switch {
		case v.Type == Invalid:
			good = false
		case !want.has(v.Type):
			fix := "Write " + f.Name + f.Args + "."
			if v.Type == Strings && want.has(String) {
				fix += " Whether a text is in a list asks listed(text, list)."
			}
			s.Bag.Error(diag.WrongArguments, e.Range(), fmt.Sprintf("Argument %d of %s must be a %s, and this is a %s.", i+1, f.Name, want, v.Type), fix)
			good = false
		case want == isText:
			v = toText(v)
		}
		args[i] = v
	}
	return args, good
}

// constant is the text of an argument that must be known at start.
func (s *Scope) constant(v *Value, x hclsyntax.Expression, what string) (string, bool) {
	if !v.Const {
		s.Bag.Error(diag.NotConstant, x.Range(), what+" must be known when the configuration is loaded.", "Write it as a text in quotes.")
		return "", false
	}
	t, _ := v.Str(nil)
	return t, true
}

// text1 is a function from a text to a text.
func text1(name, args, doc string, f func(string) string) Function {
	return Function{Name: name, Args: args, Doc: doc, Result: String, args: []types{isText},
		make: func(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
			in := a[0].Str
			v := &Value{Type: String, Str: func(r *Run) (string, bool) {
				t, known := in(r)
				if !known {
					return "", false
				}
				return f(t), true
			}}
			return v.fold(a...)
		}}
}

// test2 is a question about two texts.
func test2(name, args, doc string, holds func(a, b string) bool) Function {
	return Function{Name: name, Args: args, Doc: doc, Result: Bool, args: []types{isText, isText},
		make: func(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
			return (&Value{Type: Bool, Bool: pair(a[0].Str, a[1].Str, holds)}).fold(a...)
		}}
}
