package schema

import (
	"maps"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/lazyregexp"
)

const (
	nativeSuffix = ".sync.hcl"
	jsonSuffix   = ".sync.hcl.json"
	varsFile     = "syncctl.syncvars.hcl"
	autoSuffix   = ".auto.syncvars.hcl"
)

// list returns the names of the files of a module's folder that pass the test, sorted.
func (l *loader) list(m *module, pass func(string) bool) ([]string, error) {
	if m != l.root {
		if err := l.folder().Check(Reading{Path: m.dir, By: "module"}); err != nil {
			return nil, err
		}
	}
	all, ok := l.listed[m.dir]
	if !ok {
		infos, err := afero.ReadDir(l.opts.Fs, l.filePath(m, ""))
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			if !info.IsDir() && !strings.HasPrefix(info.Name(), ".") { // files of editors and systems begin with a dot
				all = append(all, info.Name())
				if m == l.root && l.infos != nil {
					l.infos[info.Name()] = info
				}
			}
		}
		if m == l.root {
			all = slices.AppendSeq(all, maps.Keys(l.opts.Added))
		}
		sort.Strings(all)
		l.listed[m.dir] = all
	}
	var names []string
	for _, name := range all {
		if pass(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (l *loader) dir() string {
	if l.opts.Dir == "" {
		return "."
	}
	return l.opts.Dir
}

func isConfiguration(name string) bool {
	return strings.HasSuffix(name, nativeSuffix) || strings.HasSuffix(name, jsonSuffix)
}

// readConfiguration parses the configuration files of a module. Of files with syntax errors, it uses the intact parts.
func (l *loader) readConfiguration(m *module) []hcl.Body {
	names, err := l.list(m, isConfiguration)
	rng := hcl.Range{}
	if m.call != nil {
		rng = m.call.rng
	}
	dir := l.filePath(m, "")
	if err != nil {
		m.lost.everything = m != l.root
		if m.call != nil {
			l.add(m.call.notReadable(dir, err))
			return nil
		}
		l.add(problem(rng, "Folder not readable", "Reading the configuration folder %q: %s.", dir, err))
		return nil
	}
	if len(names) == 0 {
		m.lost.everything = m != l.root
		terraforms := ""
		if slices.ContainsFunc(l.listed[m.dir], func(name string) bool { return strings.HasSuffix(name, ".tf") }) {
			terraforms = " Files of Terraform (*.tf) are not read."
		}
		l.add(problem(rng, "No configuration files",
			"The folder %q holds no file whose name ends in %s or %s.%s", dir, nativeSuffix, jsonSuffix, terraforms))
		return nil
	}
	var bodies []hcl.Body
	var ahead map[string]*skimmedFile
	if l.opts.namesOnly && m == l.root {
		ahead = l.skimAhead(names)
		l.plain = make([]*plainHeader, 0, plainIn(ahead))
	}
	for _, name := range names {
		if err := l.ctx.Err(); err != nil {
			l.add(problem(hcl.Range{}, "Interrupted", "Reading the configuration was interrupted: %s.", err))
			break
		}
		var body hcl.Body
		if f := ahead[name]; f != nil {
			body = l.parseAhead(m, name, f)
		} else {
			body = l.parse(m, name)
		}
		if body != nil {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// parse reads one file, native or JSON by its name. It returns nil if nothing in it can be used.
func (l *loader) parse(m *module, name string) hcl.Body {
	path := l.filePath(m, name)
	src, err := l.readOwn(m, name)
	if err != nil {
		m.lost.everything = true
		l.add(problem(hcl.Range{}, "File not readable", "%s.", sentence(err)))
		return nil
	}
	if l.opts.namesOnly && !strings.HasSuffix(path, ".json") {
		if body := l.skimmedBody(skimFile(src, path), path); body != nil {
			return body
		}
	}
	return l.parseWhole(m, path, src)
}

// parseWhole parses the text of a file.
func (l *loader) parseWhole(m *module, path string, src []byte) hcl.Body {
	file, diags := l.parseText(path, src, strings.HasSuffix(path, ".json"))
	l.files[path] = source{text: src, parses: file != nil, pieces: piecesIn(path, file, diags)}
	l.add(withoutEchoes(diags)...)
	if file == nil {
		m.lost.everything = true
		return nil
	}
	if strings.HasSuffix(path, ".json") {
		if diags.HasErrors() {
			m.lost.everything = true
			return nil
		}
		return file.Body
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok || !tornBy(diags) {
		return file.Body
	}
	m.lost.scan(src)
	whole := wholeBlocks(body, diags)
	if l.opts.namesOnly {
		withHeaders(whole, src, path)
	}
	return whole
}

// parseText parses the text of a file. The file is nil if parsing would take too much memory.
func (l *loader) parseText(path string, src []byte, isJSON bool) (*hcl.File, hcl.Diagnostics) {
	l.signs += signs(src)
	if d := tooDense(l.signs, l.opts.Room, path); d != nil {
		if tooDense(l.signs-signs(src), l.opts.Room, path) != nil { // reported for an earlier file
			return nil, nil
		}
		return nil, hcl.Diagnostics{d}
	}
	if !isJSON {
		return parseNative(src, path)
	}
	if d := tooDeepJSON(src, path); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	return hcljson.Parse(src, path)
}

// readOwn reads a file of a module's folder.
func (l *loader) readOwn(m *module, name string) ([]byte, error) {
	what := Reading{Path: filepath.Join(filepath.FromSlash(m.dir), name), By: "configuration",
		Most: l.opts.Room.Bytes() - l.read}
	src, added := l.opts.Added[name]
	var err error
	if !added || m != l.root {
		src, err = l.folder().Read(what)
	}
	l.read += int64(len(src))
	l.meter.more = l.read + l.expanded
	return src, err
}

func (l *loader) folder() Folder {
	f := Folder{Fs: l.opts.Fs, Dir: l.dir(), Access: l.opts.Access, real: l.realDir}
	l.realDir = f.realDir()
	f.real = l.realDir
	return f
}

// sentence formats an error as the beginning of a sentence.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// source is the text of a file. Its syntax tree takes much more memory: it is not kept, but made again for snippets.
type source struct {
	text   []byte
	parses bool    // it was parsed, if with errors
	pieces *pieces // it was parsed in; nil: JSON, values, skimmed, or with mistakes
}

// tree parses the text, and returns whether its syntax tree is that of the whole text. There may be no tree, also of a
// file that was skimmed.
func (s source) tree(path string) (file *hcl.File, whole bool) {
	var diags hcl.Diagnostics
	switch {
	case !s.parses:
	case strings.HasSuffix(path, ".json"):
		file, diags = hcljson.Parse(s.text, path)
	default:
		file, diags = parseNative(s.text, path)
	}
	if file == nil {
		file = &hcl.File{}
	}
	file.Bytes = s.text
	return file, file.Body != nil && !tornBy(diags)
}

// tornBy reports whether the parser lost something. A duplicate argument is a parser error too, but is read well.
func tornBy(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		if tears(d) {
			return true
		}
	}
	return false
}

func tears(d *hcl.Diagnostic) bool {
	return d.Severity == hcl.DiagError && d.Summary != "Attribute redefined"
}

// wholeBlocks keeps what ends before the first syntax error, because the parser has read that as intended.
func wholeBlocks(body *hclsyntax.Body, diags hcl.Diagnostics) *hclsyntax.Body {
	first := body.EndRange.End.Byte
	for _, d := range diags {
		if tears(d) && d.Subject != nil {
			first = min(first, d.Subject.Start.Byte)
		}
	}
	whole := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: body.SrcRange, EndRange: body.EndRange}
	for name, attr := range body.Attributes {
		if attr.Range().End.Byte <= first {
			whole.Attributes[name] = attr
		}
	}
	for _, b := range body.Blocks {
		if b.Range().End.Byte <= first {
			whole.Blocks = append(whole.Blocks, b)
		}
	}
	return whole
}

// lostNames holds what seems to be declared in unreadable parts of files, or in blocks with a misspelt type.
// References to these names are not reported, because the other error is the cause.
type lostNames struct {
	everything bool            // a file could not be read at all
	torn       bool            // only a part of a file could be read
	names      map[string]bool // "var.x", "local.x", addresses
}

func (n *lostNames) has(key string) bool { return n.everything || n.names[key] }

func (n *lostNames) add(key string) {
	if n.names == nil {
		n.names = map[string]bool{}
	}
	n.names[key] = true
}

// These match declarations line by line, whatever is wrong around them: an unclosed quote makes nonsense of all tokens
// after it.
var (
	blockLine  = lazyregexp.New(`(?m)^[ \t]*(\w+)[ \t]+"([^"\n]*)"(?:[ \t]+"([^"\n]*)")?`)
	assignLine = lazyregexp.New(`(?m)^[ \t]*([\w-]+)[ \t]*=`)
)

// scan looks for block headers and assignments in the lines of a file with syntax errors.
func (n *lostNames) scan(src []byte) {
	n.torn = true
	for _, m := range blockLine.FindAllStringSubmatch(string(src), -1) {
		switch {
		case m[1] == "variable":
			n.add("var." + m[2])
		case m[1] == "module" || m[1] == "output":
			n.add(m[1] + "." + m[2])
		case isKind(m[1]):
			n.add(m[1] + "." + m[2] + "." + m[3])
		}
	}
	for _, m := range assignLine.FindAllStringSubmatch(string(src), -1) {
		n.add("local." + m[1])
	}
}

// maxSyntaxErrors is the maximum number of syntax errors shown for one file.
const maxSyntaxErrors = 20

// withoutEchoes drops repeated parser errors: those on the same line, and those after an unclosed quote, from where
// the parser takes text for code and code for text.
func withoutEchoes(diags hcl.Diagnostics) hcl.Diagnostics {
	const unclosed = "Invalid multi-line string"
	type echo struct {
		summary string
		line    int
	}
	var out hcl.Diagnostics
	seen := map[echo]bool{}
	torn := false
	for i, d := range diags {
		if i > 0 && d.Summary == "Invalid expression" && diags[i-1].Summary == "Invalid character" && d.Subject != nil &&
			diags[i-1].Subject != nil && *d.Subject == *diags[i-1].Subject {
			continue
		}
		if torn && (d.Summary == unclosed || d.Summary == "Unterminated template string") {
			continue
		}
		torn = torn || d.Summary == unclosed
		if d.Subject != nil {
			e := echo{d.Summary, d.Subject.Start.Line}
			if seen[e] {
				continue
			}
			seen[e] = true
		}
		if len(out) < maxSyntaxErrors {
			out = append(out, withoutWord(d))
		}
	}
	return out
}

// withoutWord removes the unexpected word from a parser error: it may be a secret that lacks its quotes. The line is
// shown below the error, with secrets masked.
func withoutWord(d *hcl.Diagnostic) *hcl.Diagnostic {
	c := *d
	switch d.Summary {
	case "Invalid JSON keyword":
		c.Detail = "The words that JSON has without quotes are true, false and null. A text stands in double quotes."
	case "Missing newline after argument":
		c.Detail += " A text stands in double quotes."
	case "Invalid template control keyword":
		c.Detail = "The keywords of a template are if, else, endif, for and endfor. A %{ that is meant as text is written " +
			"%%{."
	}
	return &c
}

func isKind(word string) bool {
	for _, k := range Kinds {
		if string(k) == word {
			return true
		}
	}
	return false
}
