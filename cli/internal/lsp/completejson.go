package lsp

import (
	"cmp"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/lsp/source"
)

// inJSON makes items insert their text as JSON, as the position needs it.
func (c *completer) inJSON(at int) {
	switch {
	case c.place.Kind == source.AtItem || c.place.Kind == source.AtLabel:
		c.key(at)
	case c.place.Bare:
		c.write = func(s suggestion) string {
			if s.kind == kindConstant || s.kind == kindEnumMember { // has its quotes, if it needs them
				return cmp.Or(s.insert, s.label)
			}
			return `"` + textInJSON(c.place, s) + `"`
		}
	default:
		c.write = func(s suggestion) string { return textInJSON(c.place, s) }
	}
}

// key makes items insert a key, with the quotes and the colon that are missing.
func (c *completer) key(at int) {
	before, after := "", `": `
	if !c.place.Quoted {
		before = `"`
	} else if rest := c.file.text.Source[at:]; strings.Contains(rest, `"`) {
		end := strings.IndexAny(rest, "\"\r\n{}[],:")
		if end >= 0 && rest[end] == '"' {
			c.toQuote(at)
			if follows := strings.TrimLeft(rest[end+1:], " \t\r\n"); strings.HasPrefix(follows, ":") {
				after = ""
			} else {
				c.at.End = c.file.text.Position(at+end+1, c.enc)
			}
		}
	}
	c.write = func(s suggestion) string { return before + s.label + after }
}

// textInJSON returns what is inserted into a JSON string.
func textInJSON(p *source.Place, s suggestion) string {
	text := cmp.Or(s.insert, s.label)
	if p.Kind == source.AtText {
		text = s.label
	}
	if (p.Plain || p.Bare) && strings.Contains(text, "[each.key]") { // an address without ${} cannot contain each.key
		text = "${" + text + "}"
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text)
}
