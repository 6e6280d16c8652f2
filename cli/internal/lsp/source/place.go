package source

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// place returns the place at the end of what was read.
func (r *reader) place(at int) *Place {
	p := &Place{In: r.block(), Typed: Span{at, at}}
	if r.deep {
		return p
	}
	last := hclsyntax.Token{}
	for _, t := range r.tokens {
		if t.Type != hclsyntax.TokenEOF {
			last = t
		}
	}
	typing := last.Type == hclsyntax.TokenIdent && last.Range.End.Byte == at
	switch f := r.top(); f.kind {
	case inBody:
		p.Kind = AtItem
		return p
	case inHead:
		r.atHead(p, f, typing)
		return p
	case inQuote:
		if f.label {
			p.Kind, p.Typed, p.Head = AtLabel, Span{f.from, at}, r.frames[len(r.frames)-2].words
			return p
		}
	}
	v := r.value()
	if v == nil {
		return p
	}
	p.Kind, p.Argument = AtValue, v.arg
	r.around(p)
	if f := r.top(); f.kind == inQuote {
		p.Kind, p.Typed = AtText, Span{f.from, at}
		return p
	}
	if last.Type == hclsyntax.TokenNumberLit && last.Range.End.Byte == at {
		p.Kind = Nothing
		return p
	}
	if typing {
		p.Typed.From = last.Range.Start.Byte
	}
	if ref := r.ref; ref != nil && (typing || r.dot) {
		c := *ref
		if typing {
			c.Steps = c.Steps[:len(c.Steps)-1]
		}
		if len(c.Steps) > 0 {
			p.Before = &c
		}
	} else if r.dot {
		p.Kind = Nothing // a member of something unknown
	}
	return p
}

func (r *reader) atHead(p *Place, f *frame, typing bool) {
	n := len(f.words)
	switch {
	case n == 1 && typing:
		p.Kind, p.Typed = AtItem, f.words[0].Span
	case typing:
		p.Kind, p.Typed, p.Head = AtBareLabel, f.words[n-1].Span, f.words[:n-1]
	default:
		p.Kind, p.Head = AtBareLabel, f.words
	}
}

// around adds what encloses the place within its value, and the names that for expressions bind there.
func (r *reader) around(p *Place) {
	for _, f := range r.frames {
		for _, group := range f.names {
			for _, b := range group {
				p.Names = append(p.Names, b.Text)
			}
		}
		e := Enclosed{Index: f.n, Function: f.function}
		switch f.kind {
		case inParen:
			e.Kind = '('
		case inCall:
			e.Kind = 'f'
		case inList, inIndex:
			e.Kind = '['
		case inObject:
			e.Kind, e.Key = '{', f.key
		case inQuote:
			e.Kind = '"'
		case inInterp, inControl:
			e.Kind = '$'
		default:
			continue
		}
		p.Outer = append(p.Outer, e)
	}
}
