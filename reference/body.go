package reference

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// body describes the content of a block: its arguments and nested blocks. path holds the names of the enclosing
// blocks, the innermost first.
func (p *Page) body(b *schema.Body, path []string, seen map[string]*schema.Body) {
	if len(b.Attributes) == 0 && len(b.Blocks) == 0 && len(path) > 0 {
		return
	}
	var items []item
	for i := range b.Attributes {
		a := &b.Attributes[i]
		items = append(items, item{name: quoted(a.Name), text: Argument(a)})
	}
	p.list(items)
	for i := range b.Blocks {
		nested := &b.Blocks[i]
		inner := append([]string{quoted(nested.Name)}, path...)
		title := "Block " + strings.Join(inner, " in ")
		p.heading(title)
		p.say("%s %s", nested.Doc, occurs(nested))
		if was := sameBody(seen, &nested.Body); was != "" {
			p.say("It has the arguments of %s.", strings.ToLower(was[:1])+was[1:])
			continue
		}
		seen[title] = &nested.Body
		p.body(&nested.Body, inner, seen)
	}
}

// sameBody returns the title of a block with the same body, or "" if there is none.
func sameBody(seen map[string]*schema.Body, b *schema.Body) string {
	if len(b.Attributes)+len(b.Blocks) == 0 {
		return ""
	}
	first := ""
	for title, was := range seen {
		if reflect.DeepEqual(describe(was), describe(b)) && (first == "" || title < first) {
			first = title
		}
	}
	return first
}

// occurs says how often a block may occur.
func occurs(b *schema.Block) string {
	label := ""
	if b.Label != "" {
		label = fmt.Sprintf(" Its label is the %s: %s.", b.Label, quoted(fmt.Sprintf("%s %q { ... "+
			"}", b.Name, strings.ToUpper(b.Label))))
	}
	switch many := b.Many || b.Label != ""; {
	case many && b.Required:
		return "At least one is required." + label
	case many:
		return "There may be any number." + label
	case b.Required:
		return "It is required." + label
	case b.When != "":
		return "It must be there " + b.When + ", and only there." + label
	}
	return "It is optional." + label
}

// Argument describes an argument in Markdown: what it accepts and means.
func Argument(a *schema.Attribute) string {
	facts := []string{}
	if t := TypeWords(a); t != "" {
		facts = append(facts, t)
	}
	if a.Whole {
		facts = append(facts, fmt.Sprintf("whole, at least %d", a.Least))
	}
	switch {
	case a.Required:
		facts = append(facts, "required")
	case a.Default != cty.NilVal:
		facts = append(facts, "default "+quoted(value(a.Default)))
	default:
		facts = append(facts, "optional")
	}
	if a.Secret {
		facts = append(facts, "secret")
	}
	facts = append(facts, "since "+a.Version())
	text := "(" + strings.Join(facts, ", ") + "): " + a.Doc
	if len(a.OneOf) > 0 {
		var allowed []string
		for _, word := range a.OneOf {
			allowed = append(allowed, quoted(value(cty.StringVal(word))))
		}
		text += " Allowed: " + list(allowed, "or") + "."
	}
	if a.Ref != nil && a.Ref.Owns {
		text += " What it refers to is carried out by this declaration."
	}
	if a.Ref != nil && a.Ref.MayBeGone {
		text += " Its block may be taken out of the files later."
	}
	return text
}

// TypeWords returns an argument's type in words, or "" if nothing can be said.
func TypeWords(a *schema.Attribute) string {
	switch {
	case a.Ref != nil && a.Ref.Type == "":
		return fmt.Sprintf("reference to a %s", quoted(string(a.Ref.Kind)))
	case a.Ref != nil:
		return fmt.Sprintf("reference to a %s", quoted(string(a.Ref.Kind)+"."+a.Ref.Type))
	case a.Type == cty.NilType:
		return ""
	case a.Unit == schema.Duration:
		return "duration, such as " + quoted(`"90s"`) + " or " + quoted(`"1h30m"`)
	}
	if a.Unit != "" {
		return typeexpr.TypeString(a.Type) + ": " + a.Unit
	}
	return typeexpr.TypeString(a.Type)
}

// value returns a value as it is written in HCL.
func value(v cty.Value) string { return string(hclwrite.TokensForValue(v).Bytes()) }
