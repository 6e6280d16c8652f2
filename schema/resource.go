package schema

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Resource is one declaration after evaluation.
type Resource struct {
	Addr Addr
	Type *Type

	// Value is an object with one attribute per argument and nested block of the type. An attribute is null if nothing
	// was written and there is no default; a missing labelled or repeated block is null too, not empty. A labelled
	// block is a map of objects, a repeated block a list, a single block an object. If arguments of any type
	// (cty.DynamicPseudoType) make the objects differ, the map is an object and the list a tuple; Get handles both.
	// References are addresses (strings). Secrets carry the sensitive mark, see Reveal.
	Value cty.Value

	Refs      []*Resource // what it refers to directly, through reference attributes, each once
	DependsOn []Addr      // explicit depends_on, sorted
	Owner     Addr        // the declaration that carries this one out (Ref.Owns), or the zero address
	Range     hcl.Range   // the block's header

	// PreventDestroy: no step may remove the resource from its server (lifecycle).
	PreventDestroy bool

	// IgnoredDrift holds the differences that may be made from outside, according to the lifecycle block. No plan
	// depends on it.
	IgnoredDrift []IgnoredDrift

	// Site is the site of the server or keystore, or "" if it has none. Elsewhere is set if that is another site than
	// the one the process acts for. Nothing here may then contact it, and values that only its site knows are missing.
	Site      string
	Elsewhere bool

	private   map[string]bool  // its arguments and blocks that depend on what only its own site must know
	defaulted map[string]*node // the defaults that supply its arguments and blocks
	written   []written        // where its arguments and blocks are written
	spellings spellings        // of the whole configuration
	memos     sync.Map

	siteless bool // it gives no site, although there are some

	group  []*Resource          // all valid declarations of its kind and type, by address
	names  map[string]cty.Value // each, if it has a for_each
	owns   []owned
	failed bool // an error has been reported for it
	secret bool // something in its value is sensitive
}

// Peers returns the other valid declarations of its kind and type, sorted by address, for rules that span several.
func (r *Resource) Peers() iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		for _, other := range r.group {
			if other != r && !yield(other) {
				return
			}
		}
	}
}

// Memo returns the result of derive, which is called once for each key and cached with the declaration. The result
// must not be changed. A key has a type of its own, as with context.WithValue.
func (r *Resource) Memo(key any, derive func() any) any {
	if had, ok := r.memos.Load(key); ok {
		return had
	}
	had, _ := r.memos.LoadOrStore(key, derive())
	return had
}

// PeerMemo is like Memo, for values derived from a declaration and its Peers together.
func (r *Resource) PeerMemo(key any, derive func() any) any {
	if len(r.group) > 0 {
		r = r.group[0]
	}
	return r.Memo(key, derive)
}

// Get walks down attributes and map keys. It returns cty.NullVal(cty.DynamicPseudoType) if anything on the way is
// absent or null. Marks on the way are kept on the result.
func (r *Resource) Get(path ...string) cty.Value { return Get(r.Value, path...) }

// Text returns the string at path: "" if it is absent or null, "(sensitive value)" if it carries the sensitive mark,
// "(unknown)" if it is not known yet. Numbers and booleans are converted.
func (r *Resource) Text(path ...string) string { return Text(r.Get(path...)) }

// RangeOf returns where the attribute or block at path was written, or else the nearest known enclosing range, at last
// the block's header. It is for diagnostics.
func (r *Resource) RangeOf(path ...string) *hcl.Range {
	for i := len(path); i > 0; i-- {
		if rng, ok := r.writtenAt(strings.Join(path[:i], ".")); ok {
			return &rng
		}
	}
	rng := r.Range
	return &rng
}

// fewWritten is the number of arguments and blocks up to which looking through them is as fast as an index. Most
// declarations have no more, and an index of each takes much memory.
const fewWritten = 32

// writtenIndex is the key of an index of what is written, by how much that is: while a declaration is read it grows.
type writtenIndex int

// writtenAt returns where the argument or block with a path is written.
func (r *Resource) writtenAt(path string) (hcl.Range, bool) {
	if len(r.written) > fewWritten {
		i, ok := r.Memo(writtenIndex(len(r.written)), func() any {
			index := make(map[string]int, len(r.written))
			for i, w := range slices.Backward(r.written) { // the first of several counts
				index[w.path] = i
			}
			return index
		}).(map[string]int)[path]
		if !ok {
			return hcl.Range{}, false
		}
		return r.written[i].rng, true
	}
	for _, w := range r.written {
		if w.path == path {
			return w.rng, true
		}
	}
	return hcl.Range{}, false
}

// written is the place of an argument or a block.
type written struct {
	path string // joined by dots
	rng  hcl.Range
}

// writes records where an argument or a block is written. r is nil outside of declarations.
func (r *Resource) writes(path string, rng hcl.Range) {
	if r != nil {
		r.written = append(r.written, written{path: path, rng: rng})
	}
}

// holds notes whether a part of its value is sensitive. r is nil outside of declarations.
func (r *Resource) holds(part cty.Value) {
	if r != nil && !r.secret {
		r.secret = IsSensitive(part)
	}
}

// Ref follows the reference attribute at path. It returns nil if the attribute is absent or its target no longer
// exists.
func (r *Resource) Ref(path ...string) *Resource {
	addr, err := ParseAddr(r.Text(path...))
	if err != nil {
		return nil
	}
	return r.Referred(addr)
}

// Referred returns the declaration with an address if it is among Refs, or nil.
func (r *Resource) Referred(a Addr) *Resource {
	for _, to := range r.Refs {
		if to.Addr == a {
			return to
		}
	}
	return nil
}

// refers records a reference to a declaration.
func (r *Resource) refers(to *Resource) {
	if !slices.Contains(r.Refs, to) {
		r.Refs = append(r.Refs, to)
	}
}
