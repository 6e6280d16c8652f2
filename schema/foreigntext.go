package schema

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/redact"
	"github.com/zclconf/go-cty/cty"
)

// foreignTexts is the texts that env() and file() gave, and those that functions made of them. Diagnostics do not show
// them: who wrote the configuration may be somebody else than whose machine it is.
type foreignTexts struct {
	given   map[string]string // by the text, the function's name
	derived map[string]string // what functions made of given texts, and of these
	lost    bool              // there are more derived texts than are kept: whatever is not the files' own may be one
	asked   map[string]string // what taint has said of texts
}

// Bounds of what is looked at.
const (
	mostDerived = 5000  // texts that are kept
	mostLooked  = 200   // texts in the arguments of one call: with more it counts as one with a text from outside
	mostAsked   = 20000 // answers that are kept
)

// Shorter texts are found in everything, so that only a text that is the same counts.
const (
	minPart  = 4 // in quotes, or the value of a reference
	minPlain = 8 // anywhere in a sentence
)

func newForeignTexts() *foreignTexts {
	return &foreignTexts{given: map[string]string{}, derived: map[string]string{}}
}

func (o *foreignTexts) empty() bool { return len(o.given) == 0 }

func (o *foreignTexts) add(text, by string) {
	if text != "" {
		o.given[text] = by
		o.asked = nil
	}
}

// taint tells which function a text in an argument comes from, "" for none.
func (o *foreignTexts) taint(text string, own func(text string) bool) string {
	by := o.is(text)
	if by != "" {
		return by
	}
	if by, ok := o.asked[text]; ok {
		return by
	}
	if by = o.origin(text); by != "" && own(text) {
		by = ""
	}
	if o.asked == nil || len(o.asked) >= mostAsked {
		o.asked = map[string]string{}
	}
	o.asked[text] = by
	return by
}

// all are the texts, in no order.
func (o *foreignTexts) all() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, texts := range []map[string]string{o.given, o.derived} {
			for text, by := range texts {
				if !yield(text, by) {
					return
				}
			}
		}
	}
}

// is tells which function gave exactly this text, "" for none.
func (o *foreignTexts) is(text string) string { return cmp.Or(o.given[text], o.derived[text]) }

// holds tells which function a text comes from, "" for none: it is what that gave, or holds it.
func (o *foreignTexts) holds(text string) string {
	if by := o.is(text); by != "" {
		return by
	}
	for given, by := range o.all() {
		if core := strings.TrimSpace(given); len(core) >= minPart && strings.Contains(text, core) {
			return by
		}
	}
	if o.lost && text != "" {
		return "env() or file()"
	}
	return ""
}

// origin is holds, and also finds a part of what a function gave.
func (o *foreignTexts) origin(text string) string {
	if by := o.holds(text); by != "" {
		return by
	}
	for given, from := range o.all() {
		if len(text) >= minPart && strings.Contains(given, text) {
			return from
		}
	}
	return ""
}

// derive notes what a function has made of texts from outside. own tells the texts of the configuration's own files,
// which stand in a text from outside only by chance.
func (o *foreignTexts) derive(args []cty.Value, result cty.Value, own func(text string) bool) {
	if o.empty() || o.lost {
		return
	}
	by, looked := "", 0
	for _, a := range args {
		eachText(a, func(text string) bool {
			by = o.taint(text, own)
			if looked++; by == "" && looked > mostLooked {
				by = "env() or file()"
			}
			return by == ""
		})
		if by != "" {
			break
		}
	}
	if by == "" {
		return
	}
	eachText(result, func(text string) bool {
		if text != "" && o.origin(text) == "" && !own(text) {
			o.derived[text], o.asked = by, nil
		}
		o.lost = len(o.derived) > mostDerived
		return !o.lost
	})
}

// eachText calls found for each text and number in a value, and for each name of an object or a map, until it says
// false. Secrets are not looked into: they are not shown at all.
func eachText(v cty.Value, found func(text string) bool) bool {
	if v == cty.NilVal || v.IsMarked() || v.IsNull() || !v.IsKnown() {
		return true
	}
	ty := v.Type()
	switch {
	case ty == cty.String, ty == cty.Number:
		return found(Text(v))
	case !v.CanIterateElements():
		return true
	}
	named := ty.IsObjectType() || ty.IsMapType()
	for it := v.ElementIterator(); it.Next(); {
		key, elem := it.Element()
		if named && !found(key.AsString()) || !eachText(elem, found) {
			return false
		}
	}
	return true
}

// instead is what is shown of a text from outside.
func instead(text, by string) string {
	return fmt.Sprintf("a text of %d characters from %s", utf8.RuneCountInString(text), by)
}

// quotedText is a text as messages quote it.
var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// without are the texts but for those that the configuration's own files have as well.
func (o *foreignTexts) without(own func(text string) bool) *foreignTexts {
	foreign := newForeignTexts()
	for text, by := range o.given {
		if !own(text) {
			foreign.given[text] = by
		}
	}
	for text, by := range o.derived {
		if !own(text) {
			foreign.derived[text] = by
		}
	}
	foreign.lost = o.lost
	return foreign
}

// ownText tells whether a text stands in the configuration's files: a short one in quotes, as letters stand everywhere.
func (l *loader) ownText(text string) bool {
	if len(text) < minPart {
		text = strconv.Quote(text)
	}
	for _, f := range l.files {
		if bytes.Contains(f.Bytes, []byte(text)) {
			return true
		}
	}
	return false
}

// hide takes the texts out of a message. own is as for derive.
func (o *foreignTexts) hide(message string, own func(text string) bool) string {
	if o.empty() && len(o.derived) == 0 && !o.lost {
		return message
	}
	message = quotedText.ReplaceAllStringFunc(message, func(quoted string) string {
		text, err := strconv.Unquote(quoted)
		if err != nil {
			text = strings.Trim(quoted, `"`)
		}
		if by := o.holds(text); by != "" && !(o.lost && own(text)) {
			return instead(text, by)
		}
		return quoted
	})
	var long []string
	for text := range o.all() {
		if len(text) >= minPlain {
			long = append(long, text)
		}
	}
	return redact.New("a text from env() or file()", long...).String(message)
}

// foreignExtra carries the texts in hcl.Diagnostic.Extra to the writers.
type foreignExtra struct {
	texts *foreignTexts
	inner any
}

func (e foreignExtra) UnwrapDiagnosticExtra() any { return e.inner }

func foreignOf(d *hcl.Diagnostic) *foreignTexts {
	extra, _ := hcl.DiagnosticExtra[foreignExtra](d)
	if extra.texts == nil {
		return newForeignTexts()
	}
	return extra.texts
}
