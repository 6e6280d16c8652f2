package schema

import (
	"iter"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Resource is one declaration after evaluation.
type Resource struct {
	Addr Addr
	Type *Type

	// Value is an object with one attribute per argument and nested block of the type: null where nothing was written
	// and no default exists (a labelled or repeated block that is not there is null too, not empty); a labelled block
	// is a map of objects, a repeated one a list, a single one an object. Where arguments of any type
	// (cty.DynamicPseudoType) make the objects differ, an object stands for the map and a tuple for the list; Get walks
	// both alike. References are addresses (strings). Secrets carry the sensitive mark, see Reveal.
	Value cty.Value

	Refs      map[Addr]*Resource // what it refers to directly, through reference attributes; never nil entries
	DependsOn []Addr             // explicit depends_on, sorted
	Owner     Addr               // the declaration that carries this one out (Ref.Owns), or the zero address
	Range     hcl.Range          // the block's header

	// PreventDestroy: no step may remove its counterpart (lifecycle).
	PreventDestroy bool

	// IgnoredDrift is what may be changed from outside, as its lifecycle block says. No plan depends on it.
	IgnoredDrift []IgnoredDrift

	// Site is the site of the server or keystore, "" where it has none. Elsewhere: it is another one than the site that
	// the process acts for, so that nothing here may contact it, and values that only its site knows are missing.
	Site      string
	Elsewhere bool

	private   map[string]bool      // its arguments and blocks that depend on what only its site has to know
	defaulted map[string]*node     // the defaults that it has an argument or a block from
	ranges    map[string]hcl.Range // attribute path joined by dots -> where it is written
	spellings spellings            // of the whole configuration
	memos     sync.Map

	group  []*Resource          // all valid declarations of its kind and type, by address
	names  map[string]cty.Value // each, where it has a for_each
	self   cty.Value            // what expressions see of it
	owns   []owned
	failed bool // an error has been reported for it
}

// Peers are the other valid declarations of its kind and type, sorted by address, for rules that span several.
func (r *Resource) Peers() iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		for _, other := range r.group {
			if other != r && !yield(other) {
				return
			}
		}
	}
}

// Memo is what derive returns, called once for each key and kept with the declaration, so that what is derived from a
// declaration is derived once. Nobody changes it. A key has a type of its own, as with context.WithValue.
func (r *Resource) Memo(key any, derive func() any) any {
	if had, ok := r.memos.Load(key); ok {
		return had
	}
	had, _ := r.memos.LoadOrStore(key, derive())
	return had
}

// PeerMemo is Memo for a declaration and its Peers together: what is derived from all of them is derived once.
func (r *Resource) PeerMemo(key any, derive func() any) any {
	if len(r.group) > 0 {
		r = r.group[0]
	}
	return r.Memo(key, derive)
}

// Get walks down attributes and map keys. It returns cty.NullVal(cty.DynamicPseudoType) when anything on the way is
// absent or null. Marks on the way are kept on the result.
func (r *Resource) Get(path ...string) cty.Value { return Get(r.Value, path...) }

// Text returns the string at path: "" when absent or null, "(sensitive value)" when it carries the sensitive mark,
// "(unknown)" when it is not known yet. Numbers and booleans are converted.
func (r *Resource) Text(path ...string) string { return Text(r.Get(path...)) }

// RangeOf returns where the attribute or block at path was written, or the nearest enclosing range that is known:
// the block's header at last. Use it for diagnostics.
func (r *Resource) RangeOf(path ...string) *hcl.Range {
	for i := len(path); i > 0; i-- {
		if rng, ok := r.ranges[joinPath(path[:i])]; ok {
			return &rng
		}
	}
	rng := r.Range
	return &rng
}

// Ref follows the reference attribute at path. It returns nil when the attribute is absent or its target is gone.
func (r *Resource) Ref(path ...string) *Resource {
	addr, err := ParseAddr(r.Text(path...))
	if err != nil {
		return nil
	}
	return r.Refs[addr]
}
