package schema

import (
	"context"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/spf13/afero"
)

const (
	nativeSuffix = ".sync.hcl"
	jsonSuffix   = ".sync.hcl.json"
	varsFile     = "syncctl.syncvars.hcl"
	autoSuffix   = ".auto.syncvars.hcl"
)

// list names the files of the folder that pass the test, sorted.
func (l *loader) list(pass func(string) bool) ([]string, error) {
	infos, err := afero.ReadDir(l.opts.Fs, l.dir())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, info := range infos {
		if !info.IsDir() && pass(info.Name()) {
			names = append(names, info.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

func (l *loader) dir() string {
	if l.opts.Dir == "" {
		return "."
	}
	return l.opts.Dir
}

// readConfiguration parses the configuration files. Files with syntax errors take part with what is whole in them.
func (l *loader) readConfiguration(ctx context.Context) []hcl.Body {
	names, err := l.list(func(n string) bool {
		return strings.HasSuffix(n, nativeSuffix) || strings.HasSuffix(n, jsonSuffix)
	})
	if err != nil {
		l.add(problem(hcl.Range{}, "Folder not readable", "Reading the configuration folder %q: %s.", l.dir(), err))
		return nil
	}
	if len(names) == 0 {
		l.add(problem(hcl.Range{}, "No configuration files",
			"The folder %q holds no file whose name ends in %s or %s.", l.dir(), nativeSuffix, jsonSuffix))
		return nil
	}
	var bodies []hcl.Body
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			l.add(problem(hcl.Range{}, "Interrupted", "Reading the configuration was interrupted: %s.", err))
			break
		}
		if body := l.parse(filepath.Join(l.dir(), name)); body != nil {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// parse reads one file, native or JSON by its name. It returns nil when nothing of it can be used.
func (l *loader) parse(path string) hcl.Body {
	src, err := afero.ReadFile(l.opts.Fs, path)
	if err != nil {
		l.lost.everything = true
		l.add(problem(hcl.Range{}, "File not readable", "Reading %s: %s.", path, err))
		return nil
	}
	if strings.HasSuffix(path, ".json") {
		file, diags := hcljson.Parse(src, path)
		l.files[path] = withBytes(file, src)
		l.add(diags...)
		if diags.HasErrors() {
			l.lost.everything = true
			l.masked = append(l.masked, secretLines(path, src)...)
			return nil
		}
		return file.Body
	}
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	l.files[path] = withBytes(file, src)
	l.add(diags...)
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok || !diags.HasErrors() {
		return file.Body
	}
	l.lost.scan(src, path)
	l.masked = append(l.masked, secretLines(path, src)...)
	return wholeBlocks(body, diags)
}

func withBytes(file *hcl.File, src []byte) *hcl.File {
	if file == nil {
		return &hcl.File{Bytes: src}
	}
	c := *file
	c.Bytes = src
	return &c
}

// wholeBlocks keeps the blocks that end before the first syntax error: the parser has read them as they were meant.
func wholeBlocks(body *hclsyntax.Body, diags hcl.Diagnostics) hcl.Body {
	first := body.EndRange.End.Byte
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			first = min(first, d.Subject.Start.Byte)
		}
	}
	whole := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: body.SrcRange, EndRange: body.EndRange}
	for _, b := range body.Blocks {
		if b.Range().End.Byte <= first {
			whole.Blocks = append(whole.Blocks, b)
		}
	}
	return whole
}

// lostNames is what seems to be declared where the parser could not read: references to it are not reported, because
// the syntax error is the cause.
type lostNames struct {
	everything bool            // a file could not be read at all
	names      map[string]bool // "var.x", "local.x", addresses
}

func (n *lostNames) has(key string) bool { return n.everything || n.names[key] }

// scan looks for block headers and assignments in the tokens of a file with syntax errors.
func (n *lostNames) scan(src []byte, path string) {
	if n.names == nil {
		n.names = map[string]bool{}
	}
	tokens, _ := hclsyntax.LexConfig(src, path, hcl.InitialPos)
	for i, t := range tokens {
		if t.Type != hclsyntax.TokenIdent {
			continue
		}
		word := string(t.Bytes)
		if i+1 < len(tokens) && tokens[i+1].Type == hclsyntax.TokenEqual {
			n.names["local."+word] = true
		}
		labels := labelsAfter(tokens[i+1:])
		switch {
		case word == "variable" && len(labels) == 1:
			n.names["var."+labels[0]] = true
		case isKind(word) && len(labels) == 2:
			n.names[word+"."+labels[0]+"."+labels[1]] = true
		}
	}
}

// labelsAfter reads the quoted labels that follow a block's type, two at most.
func labelsAfter(tokens hclsyntax.Tokens) []string {
	var labels []string
	for len(tokens) >= 3 && len(labels) < 2 &&
		tokens[0].Type == hclsyntax.TokenOQuote && tokens[1].Type == hclsyntax.TokenQuotedLit && tokens[2].Type == hclsyntax.TokenCQuote {
		labels = append(labels, string(tokens[1].Bytes))
		tokens = tokens[3:]
	}
	return labels
}

func isKind(word string) bool {
	for _, k := range Kinds {
		if string(k) == word {
			return true
		}
	}
	return false
}
