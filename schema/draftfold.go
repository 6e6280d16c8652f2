package schema

import (
	"fmt"
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

// fold is a group of drafts that are alike.
type fold struct {
	drafts  []*Draft
	keys    []string               // of the drafts
	columns map[string]string      // the differences: names in the table, by the argument's path
	order   []string               // the paths of the columns, in the order of the type
	addr    Addr                   // address of the block
	table   string                 // name of the local value
	values  []map[string]cty.Value // each draft's arguments, by their paths
}

// leaf is an argument that a draft gives.
type leaf struct {
	path  string
	value cty.Value
}

// folds finds groups of drafts that are alike, by the index of their first draft. Drafts that a person has to look at
// are not folded.
func (w *draftWriter) folds(drafts []Draft) map[int]*fold {
	alike := map[string][]int{}
	leaves := make([][]leaf, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		t := w.types.Lookup(d.Addr.Kind, d.Addr.Type)
		if t == nil || !d.IsDeclared() || d.Named || !d.Value.IsWhollyKnown() || d.Value.ContainsMarked() {
			continue
		}
		shape := &strings.Builder{}
		fmt.Fprintf(shape, "%s %s %q", d.Addr.Kind, d.Addr.Type, d.Notes)
		leaves[i] = shapeOf(shape, &t.Body, d.Value, "")
		alike[shape.String()] = append(alike[shape.String()], i)
	}
	out := map[int]*fold{}
	for _, group := range alike {
		if len(group) < leastFolded {
			continue
		}
		f := &fold{columns: map[string]string{}}
		for n, l := range leaves[group[0]] {
			if slices.ContainsFunc(group, func(i int) bool { return !leaves[i][n].value.RawEquals(l.value) }) {
				f.columns[l.path] = ""
				f.order = append(f.order, l.path)
			}
		}
		common := len(leaves[group[0]]) - len(f.order)
		if len(f.order) == 0 || len(f.order) > min(mostColumns, common) || len(f.columns) < len(f.order) {
			continue // the last if labels have dots, so that paths are not unique
		}
		for _, i := range group {
			values := map[string]cty.Value{}
			for _, l := range leaves[i] {
				values[l.path] = l.value
			}
			f.drafts, f.values = append(f.drafts, &drafts[i]), append(f.values, values)
			out[i] = f
		}
	}
	return out
}

// shapeOf writes what drafts must have in common to be folded, and returns the arguments that may differ.
func shapeOf(to *strings.Builder, b *Body, v cty.Value, path string) []leaf {
	var out []leaf
	for i := range b.Attributes {
		a := &b.Attributes[i]
		val := Get(v, a.Name)
		switch at := joined(path, a.Name); {
		case val.IsNull():
		case a.Ref != nil:
			fmt.Fprintf(to, " %s=%q", at, val.AsString())
			out = append(out, leaf{at, val})
		default:
			fmt.Fprintf(to, " %s", at)
			out = append(out, leaf{at, val})
		}
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
				out = append(out, shapeOf(to, &inner.Body, each, joined(at, key.AsString()))...)
				to.WriteByte('}')
			}
		}
	}
	return out
}

// nameFold sets a fold's address and table, and its drafts' keys.
func (w *draftWriter) nameFold(f *fold) {
	first := f.drafts[0].Addr
	f.addr = w.name(Addr{Kind: first.Kind, Type: first.Type, Name: "imported"})
	f.table = f.addr.Name
	for n := 2; w.locals[f.table]; n++ {
		f.table = fmt.Sprintf("%s_%d", f.addr.Name, n)
	}
	w.locals[f.table] = true
	keys, names := map[string]bool{}, map[string]bool{}
	for _, d := range f.drafts {
		f.keys = append(f.keys, unused(keys, identifier(d.Addr.Name, string(d.Addr.Kind))))
	}
	for _, path := range f.order {
		f.columns[path] = unused(names, identifier(path, "value"))
	}
}

// unused makes a name unique.
func unused(taken map[string]bool, base string) string {
	name := base
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	taken[name] = true
	return name
}

// instance returns the address of one draft of a fold.
func (f *fold) instance(d *Draft) Addr {
	a := f.addr
	a.Index = indexText(f.keys[slices.Index(f.drafts, d)])
	return a
}

// fold writes the table and the block.
func (w *draftWriter) fold(f *fold) string {
	var table strings.Builder
	fmt.Fprintf(&table, "locals {\n%s = {\n", f.table)
	for i, d := range f.drafts {
		for _, text := range d.Comments {
			table.WriteString(comment(text))
		}
		fmt.Fprintf(&table, "%s = {\n", f.keys[i])
		for _, path := range f.order {
			value := hclwrite.TokensForValue(f.values[i][path])
			fmt.Fprintf(&table, "%s = %s\n", f.columns[path], value.Bytes())
		}
		table.WriteString("}\n")
	}
	table.WriteString("}\n}\n\n")
	w.now, w.addr, w.file, w.columns = *f.drafts[0], f.addr, hclwrite.NewEmptyFile(), f.columns
	defer func() { w.columns = nil }()
	declared := hclwrite.NewEmptyFile()
	body := declared.Body().AppendNewBlock(string(f.addr.Kind), []string{f.addr.Type, f.addr.Name}).Body()
	body.SetAttributeTraversal("for_each", hcl.Traversal{
		hcl.TraverseRoot{Name: "local"}, hcl.TraverseAttr{Name: f.table},
	})
	body.AppendNewline()
	w.body(body, &w.types.Lookup(f.addr.Kind, f.addr.Type).Body, w.now.Value, "")
	return string(hclwrite.Format([]byte(table.String()))) + string(hclwrite.Format(declared.Bytes()))
}
