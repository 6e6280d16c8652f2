package schema

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// shaped is a body sorted out by its grammar, not yet evaluated.
type shaped struct {
	grammar *Body
	header  hcl.Range
	where   string
	attrs   map[string]*hcl.Attribute
	blocks  map[string][]*shapedBlock
}

type shapedBlock struct {
	label string // "" when the grammar has none
	*shaped
}

// scope is what may stand in one body, for messages about what must not.
type scope struct {
	where  string // "in ..." of a message, without the "in"
	args   []string
	blocks []hcl.BlockHeaderSchema
	secret map[string]bool // arguments whose value must not be shown, even when misspelt
}

// shape sorts out a body and reports all that does not fit. extra names arguments beside those of the grammar.
func (l *loader) shape(body hcl.Body, g *Body, header hcl.Range, where string, extra []string) *shaped {
	sc := scope{where: "in " + where, args: append([]string(nil), extra...), secret: map[string]bool{}}
	for _, a := range g.Attributes {
		sc.args = append(sc.args, a.Name)
		sc.secret[a.Name] = a.Secret
	}
	for _, b := range g.Blocks {
		h := hcl.BlockHeaderSchema{Type: b.Name}
		if b.Label != "" {
			h.LabelNames = []string{b.Label}
		}
		sc.blocks = append(sc.blocks, h)
	}
	content := l.content(body, sc)
	s := &shaped{grammar: g, header: header, where: where, attrs: content.Attributes, blocks: map[string][]*shapedBlock{}}
	for _, a := range g.Attributes {
		attr, there := s.attrs[a.Name]
		if a.Required && !there {
			l.add(problem(header, "Missing required argument", "The argument %q is required in %s.", a.Name, where))
		}
		if there && a.Secret {
			l.mask(attr.Expr)
		}
	}
	for i := range g.Blocks {
		l.shapeBlocks(s, &g.Blocks[i], content.Blocks.OfType(g.Blocks[i].Name))
	}
	return s
}

func (l *loader) shapeBlocks(s *shaped, b *Block, found hcl.Blocks) {
	if b.Required && len(found) == 0 {
		l.add(problem(s.header, "Missing required block", "A block %q is required in %s.", b.Name, s.where))
	}
	first := map[string]hcl.Range{}
	for _, blk := range found {
		label, name := "", b.Name
		at := blk.TypeRange
		if b.Label != "" {
			label = blk.Labels[0]
			name = fmt.Sprintf("%s %q", b.Name, label)
			at = blk.LabelRanges[0]
			if strings.TrimSpace(label) == "" {
				l.add(problem(at, "Invalid name", "The label of a block %q is its %s, which cannot be empty.", b.Name, b.Label))
				continue
			}
		}
		if was, dup := first[label]; dup && (b.Label != "" || !b.Many) {
			l.add(problem(at, "Duplicate block",
				"There was already a block %s in this %s, at %s. It may stand there once.", name,
				strings.TrimPrefix(s.where, "a "), place(was)))
			continue
		}
		first[label] = blk.DefRange
		s.blocks[b.Name] = append(s.blocks[b.Name], &shapedBlock{
			label:  label,
			shaped: l.shape(blk.Body, &b.Body, blk.DefRange, fmt.Sprintf("block %s", name), nil),
		})
	}
}

// content takes from a body what the scope permits and reports the rest.
func (l *loader) content(body hcl.Body, sc scope) *hcl.BodyContent {
	schema := &hcl.BodySchema{Blocks: sc.blocks}
	for _, name := range sc.args {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	native, ok := body.(*hclsyntax.Body)
	if !ok { // JSON does not tell arguments from blocks, so that the library's own messages are complete
		content, diags := body.Content(schema)
		l.add(diags...)
		return content
	}
	content, _, diags := body.PartialContent(schema)
	for _, d := range diags {
		d.Detail = strings.Replace(d.Detail, " 1 labels ", " 1 label ", 1)
	}
	l.add(diags...)
	l.unexpected(native, sc)
	return content
}

// unexpected reports the arguments and blocks that the scope does not know.
func (l *loader) unexpected(body *hclsyntax.Body, sc scope) {
	isArg, isBlock := map[string]bool{}, map[string]hcl.BlockHeaderSchema{}
	var all []string
	for _, name := range sc.args {
		isArg[name] = true
		all = append(all, name)
	}
	for _, b := range sc.blocks {
		isBlock[b.Type] = b
		all = append(all, b.Type)
	}
	names := make([]string, 0, len(body.Attributes))
	for name := range body.Attributes {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		attr := body.Attributes[name]
		if isArg[name] {
			continue
		}
		meant := nearestArgument(name, all)
		if sc.secret[meant] || maskedName(name) {
			l.mask(attr.Expr)
		}
		if b, ok := isBlock[name]; ok {
			l.add(problem(attr.NameRange, "Unsupported argument",
				"%q is a block, not an argument. Write it without the equals sign: %s { ... }", name, header(b)))
			continue
		}
		l.add(problem(attr.NameRange, "Unsupported argument", "An argument %q is not expected %s.%s", name, sc.where,
			suggest(meant, all, isBlock)))
	}
	for _, b := range body.Blocks {
		if _, ok := isBlock[b.Type]; ok {
			continue
		}
		if isArg[b.Type] {
			l.add(problem(b.TypeRange, "Unsupported block",
				"%q is an argument, not a block. Write it with an equals sign: %s = ...", b.Type, b.Type))
			continue
		}
		meant := nearestArgument(b.Type, all)
		if alias, ok := terraformWords[b.Type]; ok && meant == "" {
			if _, fits := isBlock[alias]; fits {
				meant = alias
			}
		}
		l.add(problem(b.TypeRange, "Unsupported block", "A block %q is not expected %s.%s", b.Type, sc.where,
			suggest(meant, all, isBlock)))
	}
}

// terraformWords leads those who know Terraform to our word for the same thing.
var terraformWords = map[string]string{"terraform": "syncctl", "var": "variable", "provider": string(Server)}

// nearestArgument is nearest, and also finds an argument that the given name begins or ends with, such as user for
// username.
func nearestArgument(given string, all []string) string {
	if n := Nearest(given, all); n != "" {
		return n
	}
	for _, name := range slices.Sorted(slices.Values(all)) {
		if len(name) >= 4 && (strings.HasPrefix(given, name) || strings.HasSuffix(given, "_"+name)) {
			return name
		}
	}
	return ""
}

// suggest names what was likely meant, and how it is written when it is the other of argument and block; else all
// that may stand there.
func suggest(meant string, all []string, isBlock map[string]hcl.BlockHeaderSchema) string {
	if meant == "" && len(all) > 0 {
		sorted := slices.Sorted(slices.Values(all))
		return " Expected here: " + strings.Join(sorted, ", ") + "."
	}
	if meant == "" {
		return ""
	}
	if b, ok := isBlock[meant]; ok {
		return fmt.Sprintf(" Did you mean the block %s?", header(b))
	}
	return fmt.Sprintf(" Did you mean %q?", meant)
}

// header writes how a block begins: field "NAME".
func header(b hcl.BlockHeaderSchema) string {
	out := b.Type
	for _, n := range b.LabelNames {
		out += fmt.Sprintf(" %q", strings.ToUpper(n))
	}
	return out
}
