package source

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// keywords are the words in expressions that are not names.
var keywords = map[string]bool{"true": true, "false": true, "null": true}

// closers holds the kinds of frames that each closing token ends.
var closers = map[hclsyntax.TokenType][]frameKind{
	hclsyntax.TokenCParen:         {inParen, inCall},
	hclsyntax.TokenCBrack:         {inList, inIndex},
	hclsyntax.TokenCBrace:         {inObject},
	hclsyntax.TokenTemplateSeqEnd: {inInterp, inControl},
	hclsyntax.TokenCQuote:         {inQuote},
	hclsyntax.TokenCHeredoc:       {inQuote},
}

// expression reads one token of a value.
func (r *reader) expression(f *frame, t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenIdent:
		r.ident(f, t)
	case hclsyntax.TokenDot:
		if r.ref != nil {
			r.ref.To = t.Range.End.Byte
		}
		r.dot = true
		return
	case hclsyntax.TokenOBrack:
		r.bracket(t)
	case hclsyntax.TokenOParen:
		r.open(&frame{kind: inParen, from: t.Range.End.Byte})
	case hclsyntax.TokenOBrace:
		r.open(&frame{kind: inObject, from: t.Range.End.Byte, atKey: true})
	case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
		r.quote(t)
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd,
		hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
		r.close(t)
	case hclsyntax.TokenStar:
		if r.dot && r.ref != nil {
			r.ref.Steps = append(r.ref.Steps, Step{Word: Word{"", span(t)}, Index: true})
			r.ref.To = t.Range.End.Byte
		}
		if f.kind == inIndex && !f.begun || r.dot {
			break
		}
		r.operator(f, t)
	default:
		r.operator(f, t)
	}
	r.dot = false
}

// operator reads a token that is neither a name nor a bracket.
func (r *reader) operator(f *frame, t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenNumberLit:
		if r.dot && r.ref != nil { // x.0
			r.ref.Steps = append(r.ref.Steps, Step{Word: Word{"", span(t)}, Index: true})
			r.ref.To = t.Range.End.Byte
			return
		}
		r.flush()
		r.mark(span(t), Number)
	case hclsyntax.TokenComma:
		r.flush()
		switch {
		case f.phase == forNames:
		case f.kind == inObject:
			f.atKey, f.key = true, ""
		default:
			f.n++
		}
		return
	case hclsyntax.TokenColon:
		r.flush()
		if f.phase == forOf && f.choices > 0 {
			f.choices--
		} else if f.phase == forOf {
			r.forEnds(f)
		} else if f.kind == inObject && f.phase == 0 {
			f.atKey = false
		}
		return
	case hclsyntax.TokenEqual:
		r.flush()
		if f.kind == inObject {
			f.atKey = false
		}
		r.mark(span(t), Operator)
		return
	case hclsyntax.TokenQuestion:
		r.flush()
		f.choices++
		r.mark(span(t), Operator)
	default:
		r.flush()
		r.mark(span(t), Operator)
	}
	f.begun = true
	r.touch(nil)
}

func (r *reader) ident(f *frame, t hclsyntax.Token) {
	name := word(t)
	begun := f.begun
	f.begun = true
	if r.dot {
		r.mark(name.Span, Member)
		if r.ref != nil {
			r.ref.Steps = append(r.ref.Steps, Step{Word: name})
			r.ref.To = name.To
		}
		return
	}
	r.flush()
	next := r.next(1)
	switch {
	case f.kind == inControl && !begun:
		f.control = name.Text
		r.mark(name.Span, Keyword)
		if name.Text == "for" {
			f.phase = forNames
		}
	case name.Text == "for" && !begun && (f.kind == inList || f.kind == inObject):
		f.phase = forNames
		r.mark(name.Span, Keyword)
	case f.phase == forNames && name.Text == "in":
		f.phase = forOf
		r.mark(name.Span, Keyword)
	case f.phase == forNames:
		f.heading = append(f.heading, &Binding{Word: name})
		r.mark(name.Span, Local)
	case f.phase == forDone && name.Text == "if", keywords[name.Text]:
		r.mark(name.Span, Keyword)
		r.touch(nil)
	case next.Type == hclsyntax.TokenOParen || next.Type == hclsyntax.TokenDoubleColon:
		r.mark(name.Span, Function)
		r.touch(nil)
		if next.Type == hclsyntax.TokenOParen {
			r.call = name.Text
		}
	case f.kind == inObject && f.atKey && f.phase == 0 &&
		(next.Type == hclsyntax.TokenEqual || next.Type == hclsyntax.TokenColon):
		r.mark(name.Span, Key)
		f.key = name.Text
	default:
		r.begin(name)
	}
}

// begin starts a reference.
func (r *reader) begin(name Word) {
	r.ref = &Reference{Span: name.Span, Steps: []Step{{Word: name}}, In: r.block(), Bound: r.bound(name.Text)}
	if f := r.value(); f != nil {
		r.ref.Argument = f.arg
	}
	role := Root
	if r.ref.Bound != nil {
		role = Local
	}
	r.mark(name.Span, role)
}

// bound returns the binding of a name by an enclosing for expression, or nil if there is none.
func (r *reader) bound(name string) *Binding {
	for _, f := range slices.Backward(r.frames) {
		if f.kind == inBody {
			return nil
		}
		for _, group := range slices.Backward(f.names) {
			for _, b := range group {
				if b.Text == name {
					return b
				}
			}
		}
	}
	return nil
}

// flush ends the reference that is being read.
func (r *reader) flush() {
	if r.ref == nil {
		return
	}
	r.tree.References = append(r.tree.References, r.ref)
	ref := r.ref
	r.ref = nil
	r.touch(ref)
}

// open enters a bracket that is not an index.
func (r *reader) open(f *frame) {
	r.flush()
	if f.kind == inParen && r.call != "" {
		f.kind, f.function = inCall, r.call
	}
	r.call = ""
	r.top().begun = true
	r.touch(nil)
	r.push(f)
}

func (r *reader) bracket(t hclsyntax.Token) {
	f := &frame{kind: inList, from: t.Range.End.Byte}
	if ref := r.ref; ref != nil {
		r.ref = nil
		f.kind, f.indexed = inIndex, ref
		r.push(f)
		return
	}
	if before := r.i - 1; before >= 0 {
		switch r.tokens[before].Type { // an index of something other than a reference
		case hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCQuote:
			f.kind = inIndex
		}
	}
	r.open(f)
}

func (r *reader) quote(t hclsyntax.Token) {
	r.flush()
	r.push(&frame{kind: inQuote, from: t.Range.End.Byte})
	r.mark(span(t), Quoted)
}

// close ends the bracket that a token closes, and everything inside it that was not closed.
func (r *reader) close(t hclsyntax.Token) {
	kinds := closers[t.Type]
	n := len(r.frames) - 1
	for ; n >= 0 && !slices.Contains(kinds, r.frames[n].kind); n-- {
		if k := r.frames[n].kind; k == inBody || k == inValue && t.Type != hclsyntax.TokenCBrace || k == inQuote {
			return // the token does not close anything that is open
		}
		if r.frames[n].kind == inValue { // the end of the block
			r.flush()
			for len(r.frames)-1 > n {
				r.leave(t.Range.Start.Byte)
			}
			r.closeValue(t.Range.Start.Byte)
			r.token(t)
			return
		}
	}
	if n < 0 {
		return
	}
	r.flush()
	for len(r.frames)-1 > n {
		r.leave(t.Range.Start.Byte)
	}
	if r.top().kind == inQuote {
		r.inQuote(r.top(), t)
		return
	}
	r.closed(r.pop(), t)
}

// closed finishes a frame that its own closing token t has ended.
func (r *reader) closed(f *frame, t hclsyntax.Token) {
	switch f.kind {
	case inIndex:
		if f.indexed == nil {
			break
		}
		step := Step{Word: Word{"", Span{f.from, t.Range.Start.Byte}}, Index: true}
		if f.text != nil {
			step.Word = *f.text
		}
		r.ref = f.indexed
		r.ref.Steps = append(r.ref.Steps, step)
		r.ref.To = t.Range.End.Byte
	case inControl:
		r.mark(span(t), Operator)
		over := r.top()
		over.begun = true
		switch {
		case f.control == "endfor" && len(over.names) > 0:
			over.names = over.names[:len(over.names)-1]
		case f.control == "for" && len(over.names) < maxDepth:
			r.forEnds(f)
			over.names = append(over.names, f.pending)
		}
	case inInterp:
		r.mark(span(t), Operator)
	}
}

// forEnds ends the head of a for expression. Its names are visible from here on.
func (r *reader) forEnds(f *frame) {
	for i, b := range f.heading {
		b.Value = i == len(f.heading)-1
		if len(f.of) == 1 && !f.ofMore {
			b.Of = f.of[0]
		}
	}
	f.phase = forDone
	if f.kind == inControl {
		f.pending = f.heading
		return
	}
	f.names = [][]*Binding{f.heading}
}
