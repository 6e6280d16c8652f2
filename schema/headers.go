package schema

import (
	"context"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Header is where a declaration begins.
type Header struct {
	Addr  Addr
	Range hcl.Range // of the type and the labels of its block
}

// Headers finds what a folder declares by the first lines of its blocks, without parsing the rest, in the order of the
// files. It is for shells, which wait: ok is false where more would have to be read to know what is declared, such as
// modules, for_each or JSON syntax. Then Load does. What is wrong elsewhere in the files is not looked for.
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

// Lines at the margin, where plainly written files have the first lines of blocks, their ends and comments.
var (
	headerLine = regexp.MustCompile(
		`^((?:server|keystore|sync|migration) +"([A-Za-z][A-Za-z0-9_]*)" +"([A-Za-z_][A-Za-z0-9_-]*)") *\{[^"]*$`)
	indentedHeader = regexp.MustCompile(`^[ \t]+(?:server|keystore|sync|migration|module)\b[^={]*\{`)
	otherLine      = regexp.MustCompile(`^(?:#.*|//.*|\}|(?:variable|locals|output|check|syncctl|site|removed|moved|` +
		`defaults)(?: +"[A-Za-z0-9_-]*")* *\{[^"]*)$`)
)

// unplain are words on which the addresses of declarations may depend, and beginnings of texts that go over lines.
var unplain = []string{"for_each", "enabled", "<<", "/*"}

// headersOf finds the headers in one file. ok is false where a line is not known to be what it looks like.
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
