package schema

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/lazyregexp"
)

// shaped is a body that was matched with its grammar, but not yet evaluated.
type shaped struct {
	grammar *Body
	header  hcl.Range
	where   spot
	attrs   map[string]*hcl.Attribute
	blocks  map[string][]*shapedBlock
}

type shapedBlock struct {
	label   string   // "" if the grammar has none, or for a dynamic block
	dynamic *dynamic // if set, the blocks that this makes
	*shaped
}

// spot is what messages call a body, such as "a site block" or `block field "summary"`. Most are never called anything.
type spot struct {
	of    *Block // nil if it is not that of a block in a declaration
	name  string // if of is nil
	label string // "" if it has none
}

func (s spot) String() string {
	name := s.name
	if s.of != nil {
		name = "block " + s.of.Name
	}
	if s.label != "" {
		name += " " + strconv.Quote(s.label)
	}
	return name
}

// scope is what one body permits, for messages about what it does not.
type scope struct {
	where  string // such as "at the top level of a file"; "" for a spot
	in     spot
	args   []string
	blocks []hcl.BlockHeaderSchema
	secret map[string]bool // arguments whose value must not be shown, even when misspelt
}

// shape matches a body with its grammar and reports everything that is not allowed. Missing arguments are left to the
// caller. extra is what the body permits in addition to the grammar; the returned content holds it.
func (l *loader) shape(body hcl.Body, g *Body, header hcl.Range, where spot, extra *scope) (*shaped,
	*hcl.BodyContent) {
	sc, known := l.scopes[scopeKey{g, extra != nil}]
	if !known {
		sc = g.shapeScope(extra)
		l.scopes[scopeKey{g, extra != nil}] = sc
	}
	sc.in = where
	content := l.content(body, sc)
	s := &shaped{grammar: g, header: header, where: where, attrs: content.Attributes}
	for i := range g.Attributes {
		if a := &g.Attributes[i]; a.Secret && s.attrs[a.Name] != nil {
			l.mask(s.attrs[a.Name].Expr)
		}
	}
	l.shapeBlocks(s, content.Blocks)
	return s, content
}

// place is where the body stands, in words.
func (sc *scope) place() string {
	if sc.where != "" {
		return sc.where
	}
	return "in " + sc.in.String()
}

// scopeKey is a body, and whether it is that of a declaration, which permits more.
type scopeKey struct {
	body *Body
	more bool
}

// shapeScope returns what shape permits in a body.
func (b *Body) shapeScope(extra *scope) scope {
	sc := scope{secret: map[string]bool{}}
	if extra != nil {
		sc.args, sc.blocks = append(sc.args, extra.args...), append(sc.blocks, extra.blocks...)
	}
	for _, a := range b.Attributes {
		sc.args = append(sc.args, a.Name)
		sc.secret[a.Name] = a.Secret
	}
	if sc.blocks = append(sc.blocks, b.headers()...); len(b.Blocks) > 0 {
		sc.blocks = append(sc.blocks, dynamicHeader)
	}
	return sc
}

// header returns the header of a block.
func (b *Block) header() hcl.BlockHeaderSchema {
	h := hcl.BlockHeaderSchema{Type: b.Name}
	if b.Label != "" {
		h.LabelNames = []string{b.Label}
	}
	return h
}

// shapeBlocks matches the blocks of a body with their grammars, in order.
func (l *loader) shapeBlocks(s *shaped, found hcl.Blocks) {
	if len(found) == 0 {
		return
	}
	s.blocks = map[string][]*shapedBlock{}
	first := map[[2]string]*hcl.Range{}
	for _, blk := range found {
		b := s.grammar.block(blk.Type)
		if b == nil && blk.Type == dynamicHeader.Type {
			l.shapeDynamic(s, blk)
		}
		if b == nil { // or one of extra's
			continue
		}
		label, at := "", blk.TypeRange
		if b.Label != "" {
			label = blk.Labels[0]
			at = blk.LabelRanges[0]
			if strings.TrimSpace(label) == "" {
				l.add(problem(at, "Invalid name", "The label of a block %q is its %s, which cannot be empty.", b.Name, b.Label))
				continue
			}
		}
		if was, dup := first[[2]string{b.Name, label}]; dup && (b.Label != "" || !b.Many) {
			l.add(problem(at, "Duplicate block",
				"There was already a block %s in this %s, at %s. It may stand there once.", spot{name: b.Name, label: label},
				strings.TrimPrefix(s.where.String(), "a "), place(*was)))
			continue
		}
		first[[2]string{b.Name, label}] = &blk.DefRange
		s.blocks[b.Name] = append(s.blocks[b.Name], &shapedBlock{label: label,
			shaped: l.shapeNested(blk.Body, b, blk.DefRange, label)})
	}
}

// shapeNested matches the body of a nested block with its grammar, and reports what is missing.
func (l *loader) shapeNested(body hcl.Body, b *Block, header hcl.Range, label string) *shaped {
	s, _ := l.shape(body, &b.Body, header, spot{of: b, label: label}, nil)
	l.requireAll(s, func(string) bool { return false })
	return s
}

// content returns what the scope permits in a body, and reports the rest.
func (l *loader) content(body hcl.Body, sc scope) *hcl.BodyContent {
	native, ok := body.(*hclsyntax.Body)
	if ok {
		if content := sc.permitted(native); content != nil {
			return content
		}
	}
	schema := &hcl.BodySchema{Blocks: sc.blocks}
	for _, name := range sc.args {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	if !ok { // JSON does not distinguish arguments from blocks, so the library's own messages are complete
		content, diags := body.Content(schema)
		for _, d := range diags {
			if m := extraneous.FindStringSubmatch(d.Detail); m != nil && !strings.Contains(d.Detail, "Did you mean") {
				d.Detail += cmp.Or(sc.knownFromTerraform(m[1]), sc.otherWord(m[1]))
			}
		}
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

// permitted returns the content of a body in which everything is permitted, or else nil. The library finds out what is
// wrong, and makes five maps for each body.
func (sc *scope) permitted(body *hclsyntax.Body) *hcl.BodyContent {
	content := &hcl.BodyContent{Blocks: make(hcl.Blocks, 0, len(body.Blocks))}
	if len(body.Attributes) > 0 {
		content.Attributes = make(hcl.Attributes, len(body.Attributes))
	}
	for name, attr := range body.Attributes {
		if !slices.Contains(sc.args, name) {
			return nil
		}
		content.Attributes[name] = attr.AsHCLAttribute()
	}
	for _, b := range body.Blocks {
		i := slices.IndexFunc(sc.blocks, func(h hcl.BlockHeaderSchema) bool { return h.Type == b.Type })
		if i < 0 || len(b.Labels) != len(sc.blocks[i].LabelNames) {
			return nil
		}
		content.Blocks = append(content.Blocks, b.AsHCLBlock())
	}
	return content
}

// unexpected reports the arguments and blocks that the scope does not permit.
func (l *loader) unexpected(body *hclsyntax.Body, sc scope) {
	var names []string
	for name := range body.Attributes {
		if !slices.Contains(sc.args, name) {
			names = append(names, name)
		}
	}
	var blocks hclsyntax.Blocks
	for _, b := range body.Blocks {
		if !slices.ContainsFunc(sc.blocks, func(h hcl.BlockHeaderSchema) bool { return h.Type == b.Type }) {
			blocks = append(blocks, b)
		}
	}
	if len(names)+len(blocks) == 0 {
		return
	}
	all, isBlock := slices.Clone(sc.args), map[string]hcl.BlockHeaderSchema{}
	for _, b := range sc.blocks {
		isBlock[b.Type] = b
		all = append(all, b.Type)
	}
	sort.Strings(names)
	for _, name := range names {
		attr := body.Attributes[name]
		meant := nearestArgument(name, all)
		if sc.secret[meant] || maskedName(name) {
			l.mask(attr.Expr)
		}
		if name == "count" && slices.Contains(sc.args, "for_each") {
			l.add(problem(attr.NameRange, "Unsupported argument", "%s", countText(name)))
			continue
		}
		if b, ok := isBlock[name]; ok {
			l.add(problem(attr.NameRange, "Unsupported argument",
				"%q is a block, not an argument. Write it without the equals sign: %s { ... }", name, header(b)))
			continue
		}
		l.add(problem(attr.NameRange, "Unsupported argument", "An argument %q is not expected %s.%s", name, sc.place(),
			cmp.Or(sc.knownFromTerraform(name), suggest(meant, all, isBlock))))
	}
	for _, b := range blocks {
		if slices.Contains(sc.args, b.Type) {
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
		l.add(problem(b.TypeRange, "Unsupported block", "A block %q is not expected %s.%s", b.Type, sc.place(),
			cmp.Or(sc.knownFromTerraform(b.Type), suggest(meant, all, isBlock))))
	}
}

// extraneous matches the library's message about something that is not allowed in JSON.
var extraneous = lazyregexp.New(`^No argument or block type is named "([^"]*)"`)

// knownFromTerraform explains the alternative to something that Terraform users write in such a place. It returns ""
// if there is nothing to say.
func (sc *scope) knownFromTerraform(word string) string {
	if word == "count" && slices.Contains(sc.args, "for_each") {
		return " " + countText(word)
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(sc.place(), "in "), " ")
	if isKind(kind) && declarationWords[word] != "" {
		return " " + declarationWords[word]
	}
	for where, words := range elsewhereWords {
		if text := words[word]; text != "" && strings.HasPrefix(sc.place(), where) {
			return " " + text
		}
	}
	return ""
}

// otherWord suggests a block with another name for the same thing, or returns "".
func (sc *scope) otherWord(word string) string {
	for _, b := range sc.blocks {
		if b.Type == terraformWords[word] {
			return fmt.Sprintf(" Did you mean %q?", b.Type)
		}
	}
	return ""
}

// elsewhereWords holds words that Terraform has and this language lacks, by the name of their place.
var elsewhereWords = map[string]map[string]string{
	"at the top level": {
		"resource": "What is a resource in Terraform is a server, keystore, sync or migration here, such as " +
			`sync "TYPE" "NAME" { ... }.`,
		"terraform": "Its required_version stands in a block syncctl. There is no state, so there is no backend, and no " +
			"provider to require.",
		"data": "There are no data sources: a plan reads what servers have, and compares it with what is " +
			"declared.",
	},
	"in a lifecycle": {
		"ignore_changes": "What a declaration does not say is not compared, unless it has a default: leave the argument out.",
		"create_before_destroy": "A plan has its steps in the order that is safe, and nothing is replaced by another thing " +
			"of its kind.",
		"replace_triggered_by": "Nothing is replaced because another thing changes.",
	},
	"in module": {
		"version":   "Modules are folders beside these files, which have no versions.",
		"providers": "There are no providers: each server is declared by itself, and can be given to a variable.",
	},
}

// declarationWords holds words that Terraform has in a resource and this language lacks in a declaration.
var declarationWords = map[string]string{
	"provider":    "There are no providers: each server is declared by itself, and other declarations refer to it.",
	"provisioner": "Nothing is run beside the steps that a plan shows.",
	"connection":  "How a server is reached is said in its own block.",
	"timeouts":    "How long something may take is said by arguments of their own, where there are any.",
}

// terraformWords maps Terraform's words to ours.
var terraformWords = map[string]string{"terraform": "syncctl", "var": "variable", "provider": string(Server)}

// nearestArgument is like Nearest, and also finds an argument that the given name begins or ends with, such as user
// for username.
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

// suggest names what was probably meant, and its syntax if it is a block rather than an argument or the reverse.
// Otherwise it lists everything that is allowed.
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

// header writes the header of a block: field "NAME".
func header(b hcl.BlockHeaderSchema) string {
	out := b.Type
	for _, n := range b.LabelNames {
		out += fmt.Sprintf(" %q", strings.ToUpper(n))
	}
	return out
}
