package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Drafts that are alike are written as one block with for_each, over a table of their differences.
const (
	leastFolded = 3 // fewer drafts are written one by one
	mostColumns = 6 // drafts with more columns, or with more columns than common arguments, are written one by one
)

// fold is a group of drafts that are written as one block.
type fold struct {
	drafts  []*Draft
	leaves  [][]leaf          // the arguments of each draft, the same ones in the same order
	columns map[string]string // the differences: names in the table, by the argument's path
	order   []int             // the columns, as indexes into leaves
	keys    map[*Draft]string // as in Addr.Index
	addr    Addr              // address of the block
	table   string            // name of the local value
}

// leaf is an argument of a draft.
type leaf struct {
	path  string
	arg   *Attribute
	value cty.Value // null if the draft does not give it
}

// same reports whether two drafts give an argument the same value.
func (l *leaf) same(other *leaf) bool {
	if l.value.IsNull() || other.value.IsNull() {
		return l.value.IsNull() == other.value.IsNull()
	}
	return l.value.RawEquals(other.value)
}

// folds finds groups of drafts that are written as one block, by the index of each draft. Drafts that a person has to
// look at are not folded, unless their addresses are given and have keys.
func (w *draftWriter) folds(drafts []Draft) map[int]*fold {
	alike, keyed := map[string][]int{}, map[Addr][]int{}
	leaves := make([][]leaf, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		t := w.types.Lookup(d.Addr.Kind, d.Addr.Type)
		if t == nil || !d.IsDeclared() {
			continue
		}
		var shape strings.Builder
		leaves[i] = shapeOf(&shape, &t.Body, d.Value, "")
		switch {
		case d.isKeyed():
			keyed[d.Addr.All()] = append(keyed[d.Addr.All()], i)
		case d.Named || !d.Value.IsWhollyKnown() || d.Value.ContainsMarked():
		default:
			fmt.Fprintf(&shape, " %s %s %q", d.Addr.Kind, d.Addr.Type, d.Notes)
			for n := range leaves[i] {
				fmt.Fprintf(&shape, " %t", leaves[i][n].value.IsNull())
			}
			alike[shape.String()] = append(alike[shape.String()], i)
		}
	}
	out := map[int]*fold{}
	for addr, group := range keyed {
		f := newFold(drafts, leaves, group)
		f.addr = addr
		f.addTo(out, group)
	}
	var apart [][]int // by what they refer to
	for _, group := range alike {
		if f := newFold(drafts, leaves, group); f.isAlike() {
			f.addTo(out, group)
		} else {
			apart = append(apart, group)
		}
	}
	apart = append(apart, entangled(drafts, leaves, out)...)
	for _, group := range apart {
		for _, same := range byReferences(leaves, group) {
			if f := newFold(drafts, leaves, same); f.isAlike() {
				f.addTo(out, same)
			}
		}
	}
	return out
}

// newFold makes a fold of drafts that have the same blocks.
func newFold(drafts []Draft, leaves [][]leaf, group []int) *fold {
	f := &fold{columns: map[string]string{}}
	for _, i := range group {
		f.drafts, f.leaves = append(f.drafts, &drafts[i]), append(f.leaves, leaves[i])
	}
	for n := range f.leaves[0] {
		if slices.ContainsFunc(f.leaves, func(l []leaf) bool { return !l[n].same(&f.leaves[0][n]) }) {
			f.columns[f.leaves[0][n].path] = ""
			f.order = append(f.order, n)
		}
	}
	return f
}

// isAlike reports whether drafts have enough in common for one block.
func (f *fold) isAlike() bool {
	common := -len(f.order)
	for n := range f.leaves[0] {
		if !f.leaves[0][n].value.IsNull() {
			common++
		}
	}
	return len(f.drafts) >= leastFolded && len(f.order) > 0 && len(f.order) <= min(mostColumns, common)
}

func (f *fold) addTo(out map[int]*fold, group []int) {
	for _, i := range group {
		out[i] = f
	}
}

// byReferences divides drafts by the declarations that they refer to.
func byReferences(leaves [][]leaf, group []int) map[string][]int {
	out := map[string][]int{}
	for _, i := range group {
		key := fmt.Sprintf("%q", references(leaves[i]))
		out[key] = append(out[key], i)
	}
	return out
}

// references returns the addresses that a draft refers to.
func references(leaves []leaf) []string {
	var out []string
	for i := range leaves {
		if v := leaves[i].value; leaves[i].arg.Ref != nil && !v.IsMarked() && v.IsKnown() && !v.IsNull() {
			out = append(out, v.AsString())
		}
	}
	return out
}

// entangled removes those folds that would refer to each other, or to themselves, so that neither could be evaluated
// first. It returns their drafts. A fold whose drafts all refer to the same declarations does so only if these drafts
// refer to each other already.
func entangled(drafts []Draft, leaves [][]leaf, folds map[int]*fold) [][]int {
	node, first, byAddr := make([]int, len(drafts)), map[*fold]int{}, map[string]int{}
	for i := range drafts {
		node[i] = i
		if f := folds[i]; f != nil {
			if _, ok := first[f]; !ok {
				first[f] = i
			}
			node[i] = first[f]
		}
		if _, ok := byAddr[drafts[i].Addr.String()]; !ok {
			byAddr[drafts[i].Addr.String()] = i
		}
	}
	needs, neededBy := map[int][]int{}, map[int][]int{}
	for i := range drafts {
		for _, address := range references(leaves[i]) {
			if to, ok := byAddr[address]; ok {
				needs[node[i]] = append(needs[node[i]], node[to])
				neededBy[node[to]] = append(neededBy[node[to]], node[i])
			}
		}
	}
	left := map[int]bool{}
	for i := range node {
		left[node[i]] = true
	}
	peel(left, needs, neededBy)
	peel(left, neededBy, needs)
	groups := map[*fold][]int{}
	var order []*fold
	for i := range drafts {
		if f := folds[i]; f != nil && left[first[f]] && f.addr == (Addr{}) {
			if groups[f] == nil {
				order = append(order, f)
			}
			groups[f] = append(groups[f], i)
			delete(folds, i)
		}
	}
	out := make([][]int, len(order))
	for i, f := range order {
		out[i] = groups[f]
	}
	return out
}

// peel removes what needs nothing that is left, as long as there is anything.
func peel(left map[int]bool, needs, neededBy map[int][]int) {
	count := map[int]int{}
	var ready []int
	for n := range left {
		for _, other := range needs[n] {
			if left[other] {
				count[n]++
			}
		}
		if count[n] == 0 {
			ready = append(ready, n)
		}
	}
	for len(ready) > 0 {
		n := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		delete(left, n)
		for _, by := range neededBy[n] {
			if count[by]--; count[by] == 0 {
				ready = append(ready, by)
			}
		}
	}
}

// shapeOf writes the blocks that drafts must have in common to be folded, and returns the arguments that may differ:
// all that these blocks can have.
func shapeOf(to *strings.Builder, b *Body, v cty.Value, path string) []leaf {
	var out []leaf
	for i := range b.Attributes {
		a := &b.Attributes[i]
		out = append(out, leaf{joined(path, a.Name), a, Get(v, a.Name)})
	}
	for i := range b.Blocks {
		inner := &b.Blocks[i]
		at := joined(path, inner.Name)
		val := Get(v, inner.Name)
		switch {
		case val.IsNull():
		case inner.Many:
			fmt.Fprintf(to, " %s=%#v", at, val)
		case inner.Label == "":
			fmt.Fprintf(to, " %s{", at)
			out = append(out, shapeOf(to, &inner.Body, val, at)...)
			to.WriteByte('}')
		default:
			for it := val.ElementIterator(); it.Next(); {
				key, each := it.Element()
				fmt.Fprintf(to, " %s[%q]{", at, key.AsString())
				out = append(out, shapeOf(to, &inner.Body, each, BlockPath(at, key.AsString()))...)
				to.WriteByte('}')
			}
		}
	}
	return out
}

// nameFold sets a fold's address and table, and its drafts' keys.
func (w *draftWriter) nameFold(f *fold) {
	keys, columns := uniqueNames{}, uniqueNames{}
	if first := f.drafts[0].Addr; f.addr == (Addr{}) {
		f.addr = w.name(Addr{Kind: first.Kind, Type: first.Type, Name: "imported"})
	}
	f.table = w.locals.of(f.addr.Name)
	f.keys = map[*Draft]string{}
	for _, d := range f.drafts {
		if f.keys[d] = d.Addr.Index; !d.isKeyed() {
			f.keys[d] = indexText(keys.of(w.identifier(d.Addr.Name, string(d.Addr.Kind))))
		}
	}
	for _, n := range f.order {
		path := f.leaves[0][n].path
		f.columns[path] = columns.of(w.identifier(path, "value"))
	}
}

// instance returns the address of one draft of a fold.
func (f *fold) instance(d *Draft) Addr {
	a := f.addr
	a.Index = f.keys[d]
	return a
}

// fold writes the table and the block.
func (w *draftWriter) fold(f *fold) string {
	w.begin(*f.drafts[0], f.addr)
	common := f.commonNotes()
	var table strings.Builder
	fmt.Fprintf(&table, "locals {\n%s = {\n", f.table)
	for i, d := range f.drafts {
		w.now, w.addr, w.depth = *d, f.instance(d), 3
		w.row(&table, f, f.leaves[i], common)
	}
	table.WriteString("}\n}\n\n")
	w.now, w.addr, w.columns, w.depth = *f.drafts[0], f.addr, f.columns, 0
	w.now.Notes = common
	defer func() { w.columns = nil }()
	declared := hclwrite.NewEmptyFile()
	body := declared.Body().AppendNewBlock(string(f.addr.Kind), []string{f.addr.Type, f.addr.Name}).Body()
	body.SetAttributeTraversal("for_each", hcl.Traversal{
		hcl.TraverseRoot{Name: "local"}, hcl.TraverseAttr{Name: f.table},
	})
	body.AppendNewline()
	w.body(body, &w.types.Lookup(f.addr.Kind, f.addr.Type).Body, w.now.Value, "")
	return string(hclwrite.Format(w.file.Bytes())) + string(hclwrite.Format([]byte(table.String()))) +
		string(hclwrite.Format(declared.Bytes()))
}

// row writes what one draft has in the table.
func (w *draftWriter) row(to *strings.Builder, f *fold, leaves []leaf, common map[string]string) {
	for _, text := range w.now.Comments {
		to.WriteString(comment(text))
	}
	for _, path := range slices.Sorted(maps.Keys(w.now.Notes)) {
		if _, column := f.columns[path]; !column && common[path] == "" {
			to.WriteString(comment(path + ": " + w.now.Notes[path]))
		}
	}
	key := strings.Trim(w.addr.Index, "[]")
	if name := strings.Trim(key, `"`); isBareKey(name) {
		key = name
	}
	fmt.Fprintf(to, "%s = {\n", key)
	for _, n := range f.order {
		l := &leaves[n]
		if text := w.now.Notes[l.path]; text != common[l.path] {
			to.WriteString(comment(text))
		}
		fmt.Fprintf(to, "%s = %s\n", f.columns[l.path], w.tokens(l.arg, l.value, l.path).Bytes())
	}
	to.WriteString("}\n")
}

// commonNotes returns the notes that all drafts have.
func (f *fold) commonNotes() map[string]string {
	out := maps.Clone(f.drafts[0].Notes)
	for _, d := range f.drafts {
		maps.DeleteFunc(out, func(path, text string) bool { return d.Notes[path] != text })
	}
	return out
}

// CheckKeyed says why a draft cannot be written at its address: because of one with another key of the same address, or
// without a key. It returns the zero address if all can be written.
func CheckKeyed(c *Config, drafts []Draft) (Addr, string) {
	type first struct {
		addr  Addr
		shape string
	}
	had := map[Addr]first{}
	for i := range drafts {
		d := &drafts[i]
		if !d.Named || !d.IsDeclared() {
			continue
		}
		var shape strings.Builder
		shapeOf(&shape, &c.loader.opts.Catalog.Lookup(d.Addr.Kind, d.Addr.Type).Body, d.Value, "")
		other, ok := had[d.Addr.All()]
		switch {
		case !ok:
			had[d.Addr.All()] = first{d.Addr, shape.String()}
		case (other.addr.Index == "") != (d.Addr.Index == ""):
			return d.Addr, fmt.Sprintf("It is to be one block with %s, and one of them has no key.", other.addr)
		case other.shape != shape.String():
			return d.Addr, fmt.Sprintf("It is to be one block with %s, and the two have other blocks, or blocks with other "+
				"labels.", other.addr)
		}
	}
	return Addr{}, ""
}
