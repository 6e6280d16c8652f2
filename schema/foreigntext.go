package schema

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/redact"
	"github.com/zclconf/go-cty/cty"
)

// foreignTexts holds the texts that env() and file() returned, and those that functions derived from them. Diagnostics
// do not show them: the author of the configuration may not be the owner of the machine.
type foreignTexts struct {
	given   map[string]string // the function's name, by the text
	derived map[string]string // what functions derived from given texts and from other derived ones
	lost    bool              // too much to keep or to search: any text that is not in the files may be derived
	asked   map[string]string // cached answers of taint

	size     int         // of given and derived, in bytes
	searched int64       // bytes that derive has searched at most
	shown    *redact.Set // what hide removes; nil before its first call, after which nothing is added
}

// Limits.
const (
	mostDerived = 5000    // derived texts that are kept
	mostSearch  = 1 << 30 // bytes that derive searches, a fraction of a second: a table of N rows has N texts to look for
	mostLooked  = 200     // texts in the arguments of one call; a call with more counts as having a text from outside
	mostAsked   = 20000   // cached answers
)

// Shorter texts occur everywhere, so that for them only an exact match counts.
const (
	minPart  = 4 // in quotes, or the value of a reference
	minPlain = 8 // anywhere in a sentence
)

func newForeignTexts() *foreignTexts {
	return &foreignTexts{given: map[string]string{}, derived: map[string]string{}}
}

func (o *foreignTexts) empty() bool { return len(o.given) == 0 }

func (o *foreignTexts) add(text, by string) {
	if text != "" && o.given[text] == "" {
		o.size += len(text)
		o.given[text], o.asked = by, nil
	}
}

// taint returns the function that a text in an argument comes from, or "" if there is none.
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

// all iterates over the texts, in no particular order.
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

// is returns the function that returned exactly this text, or "" if there is none.
func (o *foreignTexts) is(text string) string { return cmp.Or(o.given[text], o.derived[text]) }

// holds returns the function whose result the text equals or contains, or "" if there is none.
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

// origin is like holds, but also finds a part of a function's result.
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

// derive records what a function has made of texts from outside. own reports whether a text is in the configuration's
// own files, so that its occurrence in a text from outside is a coincidence.
func (o *foreignTexts) derive(args []cty.Value, result cty.Value, own func(text string) bool) {
	if o.empty() || o.lost {
		return
	}
	by, looked := "", 0
	for _, a := range args {
		eachText(a, func(text string) bool {
			if _, asked := o.asked[text]; !asked {
				o.searched += int64(o.size)
			}
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
		o.searched += int64(o.size)
		if text != "" && o.origin(text) == "" && !own(text) {
			o.size += len(text)
			o.derived[text], o.asked = by, nil
		}
		o.lost = len(o.derived) > mostDerived || o.searched > mostSearch
		return !o.lost
	})
}

// eachText calls found for each text and number in a value, and for each name of an object or a map, until found
// returns false. It skips secrets, which are never shown.
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

// instead returns what is shown instead of a text from outside.
func instead(text, by string) string {
	return fmt.Sprintf("a text of %d characters from %s", utf8.RuneCountInString(text), by)
}

// quotedText matches a quoted text in a message.
var quotedText = lazyregexp.New(`"(?:[^"\\]|\\.)*"`)

// without returns the texts that are not in the configuration's own files.
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

// ownText reports whether a text occurs in the configuration's files. Short texts must be in quotes, because single
// letters occur everywhere.
func (l *loader) ownText(text string) bool {
	if len(text) < minPart {
		text = strconv.Quote(text)
	}
	for _, f := range l.files {
		if bytes.Contains(f.text, []byte(text)) {
			return true
		}
	}
	return false
}

// hide removes the texts from a message. own is as for derive.
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
	if o.shown == nil {
		var long []string
		for text := range o.all() {
			if len(text) >= minPlain {
				long = append(long, text)
			}
		}
		o.shown = redact.New("a text from env() or file()", long...)
	}
	if o.shown.Full() {
		return "The details are left out, because the texts from env() or file() are too large to be looked for in them."
	}
	return o.shown.String(message)
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
