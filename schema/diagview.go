package schema

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// DiagnosticView is one diagnostic prepared for display, as both the text writer and the JSON writer need it. All its
// texts are safe for a terminal, except code, which the text writer makes safe piece by piece.
type DiagnosticView struct {
	Severity string       `json:"severity"`          // error or warning
	Summary  string       `json:"summary"`           // one line
	Detail   string       `json:"detail,omitempty"`  // more about it, in sentences
	Address  string       `json:"address,omitempty"` // the declaration that it is about
	Range    *rangeView   `json:"range,omitempty"`   // where it is
	Snippet  *snippetView `json:"snippet,omitempty"` // the lines that it is about
}

// DiagnosticsView is the document that WriteJSON writes.
type DiagnosticsView struct {
	Diagnostics []DiagnosticView `json:"diagnostics"` // by file and line
}

type rangeView struct {
	Filename string  `json:"filename"` // as it was given, or below the folder of the configuration
	Start    posView `json:"start"`    // where it begins
	End      posView `json:"end"`      // where it ends; this is not a part of it
}

type posView struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1, in characters
	Byte   int `json:"byte"`   // from 0, in the file
}

// snippetView holds the lines that the diagnostic is about; very long lines are cut. The highlight offsets count bytes
// in Code.
type snippetView struct {
	Context        string      `json:"context,omitempty"`      // the block's header
	Code           string      `json:"code"`                   // the text of the lines
	StartLine      int         `json:"start_line"`             // the number of the first of them
	HighlightStart int         `json:"highlight_start_offset"` // where in code the marked part begins, in bytes
	HighlightEnd   int         `json:"highlight_end_offset"`   // where it ends
	Values         []valueView `json:"values"`                 // of what the expression refers to
}

// valueView is something that the expression refers to, with its value in words.
type valueView struct {
	Traversal string `json:"traversal"` // the reference
	Statement string `json:"statement"` // what its value is, in words
}

// Limits of a snippet: lines of a long construct, and bytes of long lines.
const (
	maxSnippetLines = 6
	maxSnippet      = 1000
)

func viewOf(d *hcl.Diagnostic, files map[string]*hcl.File) DiagnosticView {
	v := DiagnosticView{
		Severity: "error",
		Summary:  SanitizeLine(d.Summary),
		Detail:   Sanitize(strings.TrimSpace(d.Detail)),
		Address:  SanitizeLine(AddrOf(d).String()),
	}
	if d.Severity == hcl.DiagWarning {
		v.Severity = "warning"
	}
	if d.Subject == nil {
		return v
	}
	v.Range = &rangeView{
		Filename: SanitizeLine(d.Subject.Filename),
		Start:    posView{d.Subject.Start.Line, d.Subject.Start.Column, d.Subject.Start.Byte},
		End:      posView{d.Subject.End.Line, d.Subject.End.Column, d.Subject.End.Byte},
	}
	if f := files[d.Subject.Filename]; f != nil {
		v.Snippet = snippetOf(d, f)
	}
	return v
}

func snippetOf(d *hcl.Diagnostic, f *hcl.File) *snippetView {
	src := f.Bytes
	start, end := d.Subject.Start.Byte, d.Subject.End.Byte
	if start < 0 || start > len(src) || end < start {
		return nil
	}
	end = min(end, len(src))
	first := bytes.LastIndexByte(src[:start], '\n') + 1
	last := end
	if end > start && src[end-1] == '\n' { // a range that ends at the end of a line does not reach into the next
		end--
		last = end
	}
	if i := bytes.IndexByte(src[last:], '\n'); i >= 0 {
		last += i
	} else {
		last = len(src)
	}
	if last-first > maxSnippet { // for example minified JSON: show only the neighbourhood
		first, last = max(first, start-maxSnippet/4), min(last, start+maxSnippet*3/4)
	}
	code := string(src[first:last])
	if lines := strings.SplitAfter(code, "\n"); len(lines) > maxSnippetLines {
		code = strings.TrimSuffix(strings.Join(lines[:maxSnippetLines], ""), "\n")
	}
	code = strings.ToValidUTF8(code, "?") // if bytes are lost the marks may shift, but stay inside
	s := &snippetView{
		Code:           code,
		StartLine:      d.Subject.Start.Line,
		HighlightStart: min(start-first, len(code)),
		HighlightEnd:   min(max(end-first, start-first), len(code)),
		Values:         valuesOf(d),
	}
	s.Context = SanitizeLine(contextOf(f, start))
	return s
}

// valuesOf describes the values that the diagnostic's expression refers to, sorted.
func valuesOf(d *hcl.Diagnostic) []valueView {
	out := []valueView{}
	if d.Expression == nil || d.EvalContext == nil {
		return out
	}
	seen := map[string]bool{}
	for _, t := range d.Expression.Variables() {
		if len(out) == maxValues {
			break
		}
		name := SanitizeLine(traversalText(t))
		if seen[name] || longKey(t) {
			continue
		}
		seen[name] = true
		val, diags := t.TraverseAbs(d.EvalContext)
		if diags.HasErrors() {
			continue // this is most likely the subject of the diagnostic
		}
		out = append(out, valueView{Traversal: name, Statement: "is " + describe(val, foreignOf(d))})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Traversal < out[j].Traversal })
	return out
}

// maxValues is the maximum number of references that are described for one expression.
const maxValues = 20

// maxShown is the maximum length, in characters, of a text that is shown as the value of a reference.
const maxShown = 60

// describe describes a value in a few words.
func describe(v cty.Value, from *foreignTexts) string {
	switch {
	case v.IsMarked():
		return sensitiveText
	case v.IsNull():
		return "null"
	case !v.IsKnown():
		return "(known only after variables are set)"
	}
	ty := v.Type()
	switch {
	case ty.IsPrimitiveType():
		text := Text(v)
		if utf8.RuneCountInString(text) > maxShown {
			return shortText(text)
		}
		if by := from.origin(text); by != "" {
			return instead(text, by)
		}
		if ty == cty.String {
			return shortText(text)
		}
		return text
	case ty.IsObjectType():
		if v.Type().HasAttribute("address") {
			if a := Text(v.GetAttr("address")); isAddress(a) {
				return "the declaration " + SanitizeLine(a)
			}
		}
		return count(len(ty.AttributeTypes()), "object", "attribute")
	case ty.IsTupleType():
		return count(ty.Length(), "tuple", "element")
	case ty.IsCollectionType():
		n := 0
		for it := v.ElementIterator(); it.Next(); {
			n++
		}
		return count(n, ty.FriendlyName(), "element")
	}
	return ty.FriendlyName()
}

func isAddress(s string) bool {
	_, err := ParseAddr(s)
	return err == nil
}

func count(n int, what, part string) string {
	switch n {
	case 0:
		return "empty " + what
	case 1:
		return what + " with 1 " + part
	}
	return fmt.Sprintf("%s with %d %ss", what, n, part)
}

func shortText(s string) string {
	if n := utf8.RuneCountInString(s); n > maxShown {
		return fmt.Sprintf("a text of %d characters", n)
	}
	return fmt.Sprintf("%q", s)
}
