package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Kind is one of the four kinds of things the language declares. It is a closed set.
type Kind string

// The four kinds. Types inside a kind come from drivers.
const (
	Server    Kind = "server"
	Keystore  Kind = "keystore"
	Sync      Kind = "sync"
	Migration Kind = "migration"
)

// Kinds lists the four kinds in the order in which a reader meets them.
var Kinds = []Kind{Server, Keystore, Sync, Migration}

// Addr names one declaration: kind.type.name, with the key of its for_each and the modules it is in:
//
//	module.share["north"].sync.PRODUCT.models["power"]
//
// It is comparable.
type Addr struct {
	Module string // module.share["north"], "" in the root module
	Kind   Kind
	Type   string
	Name   string
	Index  string // ["power"], quoted as HCL quotes it; "" without for_each
}

// String writes the address as expressions write it, or returns "" for the zero address.
func (a Addr) String() string {
	if a == (Addr{}) {
		return ""
	}
	text := string(a.Kind) + "." + a.Type + "." + a.Name + a.Index
	if a.Module != "" {
		return a.Module + "." + text
	}
	return text
}

// All returns the address without keys, which all instances of a for_each have in common.
func (a Addr) All() Addr {
	a.Index = ""
	if strings.ContainsRune(a.Module, '[') {
		if t, diags := hclsyntax.ParseTraversalAbs([]byte(a.Module), "", hcl.InitialPos); !diags.HasErrors() {
			a.Module = moduleText(t, false)
		}
	}
	return a
}

// Modules returns the modules that a declaration is in, outermost first, each with and without its key.
func (a Addr) Modules() []string {
	if a.Module == "" {
		return nil
	}
	t, diags := hclsyntax.ParseTraversalAbs([]byte(a.Module), "", hcl.InitialPos)
	if diags.HasErrors() {
		return []string{a.Module}
	}
	var out []string
	for i := 2; i <= len(t); i++ {
		_, keyed := key(t, i-1)
		if name, _ := stepName(t, i-2); keyed || name == "module" || i == 2 {
			out = append(out, moduleText(t[:i], true), moduleText(t[:i], false))
		}
	}
	return out
}

// indexText writes the key of a for_each: ["power"].
func indexText(key string) string {
	if !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\\$%`, r) }) {
		return `["` + key + `"]` // which the library would take long to find out
	}
	return "[" + string(hclwrite.TokensForValue(cty.StringVal(key)).Bytes()) + "]"
}

// ParseAddr reads an address as String writes it.
func ParseAddr(s string) (Addr, error) {
	if !strings.ContainsAny(s, "[ \"") && !strings.HasPrefix(s, "module.") {
		return parseSimple(s)
	}
	t, diags := hclsyntax.ParseTraversalAbs([]byte(s), "", hcl.InitialPos)
	if diags.HasErrors() {
		return Addr{}, fmt.Errorf("reading address %q: %s", s, diags[0].Detail)
	}
	modules := 0
	for t[modules:][0].(hcl.TraverseRoot).Name == "module" {
		n := 2
		if _, keyed := key(t, modules+2); keyed {
			n++
		}
		if _, quoted := key(t, modules+1); quoted || modules+n >= len(t) {
			return Addr{}, fmt.Errorf("reading address %q: a module's declaration is written module.NAME.KIND.TYPE.NAME", s)
		}
		modules += n
		attr, named := t[modules].(hcl.TraverseAttr)
		if !named {
			return Addr{}, fmt.Errorf("reading address %q: a kind follows a module", s)
		}
		t[modules] = hcl.TraverseRoot{Name: attr.Name, SrcRange: attr.SrcRange}
	}
	a := Addr{Module: moduleText(t[:modules], true)}
	rest := t[modules:]
	if len(rest) == 4 {
		k, ok := key(rest, 3)
		if !ok {
			return Addr{}, fmt.Errorf("reading address %q: the key of an instance is a text in quotes, as in [\"north\"]", s)
		}
		a.Index = indexText(k)
		rest = rest[:3]
	}
	simple, err := parseSimple(traversalText(rest))
	if err != nil {
		return Addr{}, err
	}
	a.Kind, a.Type, a.Name = simple.Kind, simple.Type, simple.Name
	return a, nil
}

func parseSimple(s string) (Addr, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return Addr{}, fmt.Errorf("reading address %q: want KIND.TYPE.NAME", s)
	}
	if isKind(parts[0]) {
		return Addr{Kind: Kind(parts[0]), Type: parts[1], Name: parts[2]}, nil
	}
	return Addr{}, fmt.Errorf("reading address %q: %q is not one of server, keystore, sync, migration", s, parts[0])
}

// key returns the key in brackets at position i of a traversal.
func key(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	if _, index := t[i].(hcl.TraverseIndex); !index {
		return "", false
	}
	return stepName(t, i)
}

// isModule reports whether a traversal is the address of a module: module.a["k"].module.b.
func isModule(t hcl.Traversal) bool {
	for i := 0; i < len(t); {
		_, quoted := key(t, i)
		_, quotedName := key(t, i+1)
		if word, _ := stepName(t, i); t.IsRelative() || word != "module" && i > 0 || t.RootName() != "module" || quoted ||
			quotedName || i+1 >= len(t) {
			return false
		}
		i += 2
		if _, keyed := key(t, i); keyed {
			i++
		}
	}
	return len(t) > 0
}

// moduleText writes the modules of a traversal, with or without the keys.
func moduleText(t hcl.Traversal, keys bool) string {
	var b strings.Builder
	for i, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			if k, ok := key(t, i); ok && keys {
				b.WriteString(indexText(k))
			}
		}
	}
	return b.String()
}
