package schema

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// TextOptions says how WriteText lays text out.
type TextOptions struct {
	Width int  // columns to wrap the detail to; 0: no wrapping
	Color bool // for a terminal: colours, and a frame around each diagnostic
}

// WriteText writes diagnostics for people, ordered by position and without duplicates. Snippets are taken from files;
// a file that is missing there is named without a snippet. Sensitive values are never written, and all control
// characters are shown as escapes.
func WriteText(w io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File, opts TextOptions) error {
	for i, d := range arrange(diags) {
		var b strings.Builder
		v := viewOf(d, files)
		if opts.Color {
			framed(&b, v, opts)
		} else {
			if i > 0 {
				b.WriteByte('\n')
			}
			p := painter{}
			for _, line := range v.lines(p, opts.Width) {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
			}
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return fmt.Errorf("writing diagnostics: %w", err)
		}
	}
	return nil
}

// Compact returns a line for each summary, with where and how often it occurs.
func Compact(diags hcl.Diagnostics) []string {
	var lines []string
	at := map[string]int{}
	count := map[string]int{}
	for _, d := range diags {
		if count[d.Summary]++; count[d.Summary] > 1 {
			continue
		}
		at[d.Summary] = len(lines)
		line := SanitizeLine(d.Summary)
		if d.Subject != nil {
			line += fmt.Sprintf(" (%s:%d)", SanitizeLine(d.Subject.Filename), d.Subject.Start.Line)
		}
		lines = append(lines, line)
	}
	for summary, n := range count {
		if n > 1 {
			lines[at[summary]] += fmt.Sprintf(", and %d more", n-1)
		}
	}
	return lines
}

// WriteJSON writes the same as one JSON document:
//
//	{"diagnostics": [{"severity", "summary", "detail", "address",
//	  "range": {"filename", "start": {"line", "column", "byte"}, "end"},
//	  "snippet": {"context", "code", "start_line", "highlight_start_offset", "highlight_end_offset", "values"}}]}
func WriteJSON(w io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File) error {
	doc := DiagnosticsView{Views(diags, files)}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("writing diagnostics: %w", err)
	}
	return nil
}

// Views returns diagnostics as WriteJSON writes them.
func Views(diags hcl.Diagnostics, files map[string]*hcl.File) []DiagnosticView {
	out := []DiagnosticView{}
	for _, d := range arrange(diags) {
		out = append(out, viewOf(d, files))
	}
	return out
}

// framed writes one diagnostic with a frame on its left.
func framed(b *strings.Builder, v DiagnosticView, opts TextOptions) {
	p := painter{on: true, frame: "31"}
	if v.Severity == "warning" {
		p.frame = "33"
	}
	width := 0
	if opts.Width > 2 {
		width = opts.Width - 2
	}
	b.WriteString(p.paint(p.frame, "╷") + "\n")
	for _, line := range v.lines(p, width) {
		b.WriteString(p.paint(p.frame, "│") + " " + line + "\n")
	}
	b.WriteString(p.paint(p.frame, "╵") + "\n")
}

// painter adds colours, or leaves text as it is.
type painter struct {
	on    bool
	frame string // colour of the severity
}

func (p painter) paint(code, text string) string {
	if !p.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// lines lays out one diagnostic.
func (v DiagnosticView) lines(p painter, width int) []string {
	title := "Error"
	if v.Severity == "warning" {
		title = "Warning"
	}
	out := []string{p.paint("1;"+p.frame, title+":") + " " + p.paint("1", v.Summary), ""}
	if v.Address != "" {
		comma := ""
		if v.Range != nil {
			comma = ","
		}
		out = append(out, "  with "+v.Address+comma)
	}
	if v.Range != nil {
		out = append(out, v.place())
		if v.Snippet != nil {
			out = append(out, v.Snippet.lines(p)...)
		}
	}
	if v.Address != "" || v.Range != nil {
		out = append(out, "")
	}
	if v.Detail == "" {
		return out[:len(out)-1]
	}
	for _, para := range strings.Split(v.Detail, "\n") {
		out = append(out, wrap(para, width)...)
	}
	return out
}

func (v DiagnosticView) place() string {
	s := fmt.Sprintf("  on %s line %d", v.Range.Filename, v.Range.Start.Line)
	if v.Snippet == nil {
		return s + " (source not available)"
	}
	if v.Snippet.Context != "" {
		s += ", in " + v.Snippet.Context
	}
	return s + ":"
}

// lines writes the source with the relevant part marked: underlined in colour, or by a line of ^ without colour.
func (s *snippetView) lines(p painter) []string {
	var out []string
	offset := 0
	for i, line := range strings.Split(s.Code, "\n") {
		from, to := clamp(s.HighlightStart-offset, len(line)), clamp(s.HighlightEnd-offset, len(line))
		before, part, after := sourceLine(line[:from]), sourceLine(line[from:to]), sourceLine(line[to:])
		number := fmt.Sprintf("%4d: ", s.StartLine+i)
		out = append(out, number+before+p.paint("4", part)+after)
		if !p.on && (part != "" || i == 0 && s.HighlightStart == s.HighlightEnd) {
			lead := strings.Repeat(" ", utf8.RuneCountInString(number)) +
				blank(before+part[:len(part)-len(strings.TrimLeft(part, " \t"))])
			marks := max(1, utf8.RuneCountInString(strings.TrimLeft(part, " \t")))
			out = append(out, lead+strings.Repeat("^", marks))
		}
		offset += len(line) + 1
	}
	for i, val := range s.Values {
		if i == 0 && p.on {
			out = append(out, "    ├────────────────")
		}
		bar := "     "
		if p.on {
			bar = "    │ "
		}
		out = append(out, bar+p.paint("1", val.Traversal)+" "+val.Statement)
	}
	return out
}

// sourceLine makes a piece of a source line safe for a terminal. Tabs, which indent it, are kept.
func sourceLine(s string) string { return strings.ReplaceAll(Sanitize(s), "\n", `\n`) }

func clamp(n, most int) int { return min(max(n, 0), most) }

// blank replaces text by spaces of the same width. Tabs are kept.
func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}

// wrap breaks a paragraph between words. Indented paragraphs are not changed.
func wrap(para string, width int) []string {
	if width <= 0 || utf8.RuneCountInString(para) <= width || strings.HasPrefix(para, " ") {
		return []string{para}
	}
	var out []string
	line := ""
	for _, word := range strings.Fields(para) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(out, line)
}
