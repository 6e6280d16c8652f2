// Package declare decodes a declaration into a driver's own struct, so that a driver reads typed values and never
// asks for an argument by its name. Only this package removes a secret's mark, and it refuses a secret where a plain
// value is needed. It also has what many products declare alike: a server's connection, and a machine reached over
// SSH.
package declare

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/schema"
)

// Decode decodes a declaration into a T, which is a struct. The tags of the fields name the arguments and blocks:
//
//	URL    Secret            `decl:"url"`      a value that may be secret
//	Name   string            `decl:"name"`     "" when absent; *string tells absent from empty
//	Wait   time.Duration     `decl:"within"`   a text such as "90s"; it must be positive
//	Server *schema.Resource  `decl:"server"`   a reference; nil when absent or when its target is gone
//	Verify *verify           `decl:"verify"`   a block; nil when absent
//	Fields map[string]field  `decl:"field"`    labelled blocks, or a map
//	Words  []string          `decl:"words"`    a list, or repeated blocks
//	Any    cty.Value         `decl:"any"`      as it is
//	Block                                      where the struct was written, see Block
//
// Fields may also be int, float64 or bool, and pointers to any of these. An embedded struct without a tag adds its
// fields. Other fields without a tag are ignored.
//
// A secret in a field that is not a Secret is an error at its line, and so is a value that is not known: neither may
// be used as a placeholder.
//
// A declaration is decoded once. All callers share the result and must not change it, nor must the rules of its Type.
// For nil the result is nil.
func Decode[T any](r *schema.Resource) (*T, hcl.Diagnostics) {
	if r == nil {
		return nil, nil
	}
	o := decoded[T](r)
	if r.Elsewhere {
		return o.value, o.known
	}
	return o.value, o.diags
}

// decodedKey is the key of the Memo that holds a declaration decoded into a T.
type decodedKey[T any] struct{}

// result is a declaration decoded into a T.
type result[T any] struct {
	value *T
	diags hcl.Diagnostics
	known hcl.Diagnostics // without what says that a value is not known
}

func decoded[T any](r *schema.Resource) result[T] {
	return r.Memo(decodedKey[T]{}, func() any {
		o, d := result[T]{value: new(T)}, decoder{r: r}
		d.fill(reflect.ValueOf(o.value).Elem(), r.Value, make([]string, 0, usualDepth))
		o.diags, o.known = d.diags, d.settled()
		return o
	}).(result[T])
}

// Type returns t with a check that its declarations decode into a T. rules, which may be nil, returns further errors.
// Values that are not known yet (validate runs without variables) decode as absent; Block.Has tells the difference.
//
// Type panics if the tags of T and the arguments of t.Body differ, in either direction: a driver with an argument
// that it never reads, or reads under another name, must not start.
func Type[T any](t schema.Type, rules func(*T) hcl.Diagnostics) schema.Type {
	if bad := mismatches(t.Body, reflect.TypeFor[T](), nil); len(bad) > 0 {
		panic(fmt.Sprintf("declare: %s %q and %s differ: %s", t.Kind, t.Name, reflect.TypeFor[T](), strings.Join(bad, "; ")))
	}
	t.Check = func(r *schema.Resource) hcl.Diagnostics {
		o := decoded[T](r)
		if o.known.HasErrors() || rules == nil {
			return o.known
		}
		return append(o.known[:len(o.known):len(o.known)], rules(o.value)...)
	}
	return t
}

// Block is the place where a struct was written, for rules and messages. Decode fills it in every struct that embeds
// it.
type Block struct {
	r    *schema.Resource
	path []string
}

// Resource returns the declaration that the block belongs to.
func (b Block) Resource() *schema.Resource { return b.r }

// Addr returns the address of the declaration that the block belongs to.
func (b Block) Addr() schema.Addr { return b.r.Addr }

// Has reports whether an argument or block of this block is given, known or not.
func (b Block) Has(path ...string) bool { return !b.r.Get(b.at(path)...).IsNull() }

// Known reports whether an argument or block of this block is given and its value is completely known.
func (b Block) Known(path ...string) bool {
	v := b.r.Get(b.at(path)...)
	return !v.IsNull() && v.IsWhollyKnown()
}

// Reference returns the address that a reference of this block names, even if that declaration is gone.
func (b Block) Reference(path ...string) string { return b.r.Text(b.at(path)...) }

// Hidden reports whether an argument or block of this block is sensitive, known or not.
func (b Block) Hidden(path ...string) bool { return schema.IsSensitive(b.r.Get(b.at(path)...)) }

// Range returns where an argument of this block is written, or the nearest place that is known.
func (b Block) Range(path ...string) *hcl.Range { return b.r.RangeOf(b.at(path)...) }

// Problem returns an error at an argument of this block, or at the block itself.
func (b Block) Problem(summary, detail string, path ...string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: b.Range(path...)}
}

// Missing is Problem for what is missing in this block; each way to mend it is what is to be added together.
func (b Block) Missing(summary, detail string, path []string, ways ...[]string) *hcl.Diagnostic {
	return schema.WithMissing(b.Problem(summary, detail, path...), b.Range(path...), ways...)
}

func (b Block) at(path []string) []string { return slices.Concat(b.path, path) }

// Secret is a value that may be secret: a password, or anything else that the user chose to keep secret.
type Secret struct {
	value  string
	hidden bool
}

// String returns the value if it is not secret, and "(sensitive value)" if it is.
func (s Secret) String() string {
	if s.hidden {
		return "(sensitive value)"
	}
	return s.value
}

// GoString returns the same as String.
func (s Secret) GoString() string { return s.String() }

// MarshalText returns the same as String: a secret is never written down.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Hidden reports whether the value is secret.
func (s Secret) Hidden() bool { return s.hidden }

// Empty reports whether there is no value, or an empty one.
func (s Secret) Empty() bool { return s.value == "" }

// Reveal returns the value itself. It is only for the place that connects with it.
func (s Secret) Reveal() string { return s.value }

// Plain returns a Secret that is not secret, for values that do not come from a declaration.
func Plain(value string) Secret { return Secret{value: value} }
