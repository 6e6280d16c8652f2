package schema

import (
	"context"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Header is the header of a declaration.
type Header struct {
	Addr  Addr
	Range hcl.Range // of the type and the labels of the block
}

// Headers finds the declarations of a folder by the first lines of their blocks, in the order of the files, without
// parsing the rest. It is for shell completion, which must be fast. ok is false if more would have to be read to know
// what is declared, for example with modules, for_each or JSON syntax; the caller then uses Load. Other mistakes in
// the files are not found.
func Headers(ctx context.Context, opts Options) (found []Header, ok bool) {
	out, ctx := newOutside(ctx, opts.Room)
	defer out.close()
	l := newLoader(ctx, opts, out)
	names, err := l.list(l.root, isConfiguration)
	if err != nil {
		return nil, false
	}
	for _, name := range names {
		src, err := l.readOwn(l.root, name)
		if err != nil || ctx.Err() != nil || strings.HasSuffix(name, jsonSuffix) {
			return nil, false
		}
		of, ok := headersOf(string(src), l.filePath(l.root, name))
		if !ok {
			return nil, false
		}
		found = append(found, of...)
	}
	return found, true
}

// Lines that begin in the first column, where files in the usual style have the first lines of blocks, their ends and
// comments.
var (
	headerLine = regexp.MustCompile(
		`^((?:server|keystore|sync|migration) +"([A-Za-z][A-Za-z0-9_]*)" +"([A-Za-z_][A-Za-z0-9_-]*)") *\{[^"]*$`)
	indentedHeader = regexp.MustCompile(`^[ \t]+(?:server|keystore|sync|migration|module)\b[^={]*\{`)
	otherLine      = regexp.MustCompile(`^(?:#.*|//.*|\}|(?:variable|locals|output|check|syncctl|site|removed|moved|` +
		`defaults)(?: +"[A-Za-z0-9_-]*")* *\{[^"]*)$`)
)

// unplain are words that may affect the addresses of declarations, and the beginnings of multi-line texts and
// comments.
var unplain = []string{"for_each", "enabled", "<<", "/*"}

// headersOf finds the headers in one file. ok is false if a line may not be what it looks like.
func headersOf(src, path string) (found []Header, ok bool) {
	for _, word := range unplain {
		if strings.Contains(src, word) {
			return nil, false
		}
	}
	pos := hcl.InitialPos
	for line := range strings.Lines(src) {
		at := pos
		pos.Line++
		pos.Byte += len(line)
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || line[0] == ' ' || line[0] == '\t' {
			if indentedHeader.MatchString(line) {
				return nil, false
			}
			continue
		}
		m := headerLine.FindStringSubmatch(line)
		if m == nil {
			if !otherLine.MatchString(line) {
				return nil, false
			}
			continue
		}
		kind, _, _ := strings.Cut(line, " ")
		end := at
		end.Column, end.Byte = end.Column+len(m[1]), end.Byte+len(m[1])
		found = append(found, Header{
			Addr:  Addr{Kind: Kind(kind), Type: m[2], Name: m[3]},
			Range: hcl.Range{Filename: path, Start: at, End: end},
		})
	}
	return found, true
}
