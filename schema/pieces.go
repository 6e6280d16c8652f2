package schema

import (
	"bytes"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/lazyregexp"
	"golang.org/x/sync/errgroup"
)

// pieceSize is the approximate number of bytes of a file that are parsed at once. The parser holds all tokens of its
// input, which take forty times as much memory.
const pieceSize = 2 << 10

// blockEnd matches the last line of a block in most files.
var blockEnd = lazyregexp.New(`\n}\r?\n`)

// pieces are the parts of the text of a file, each of which parses by itself.
type pieces struct {
	path  string
	texts [][]byte

	showing sync.Mutex
	shown   *hcl.File // the piece that ContextString has parsed last: messages are sorted by place
	begin   int       // its first byte
}

// parseNative parses a file in the native syntax, in pieces if that makes no difference. The file is nil if it is
// nested too deeply.
func parseNative(src []byte, path string) (*hcl.File, hcl.Diagnostics) {
	if file := parsePieces(src, path, pieceSize); file != nil {
		return file, nil
	}
	if d := tooDeep(src, path); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	return hclsyntax.ParseConfig(src, path, hcl.InitialPos)
}

// parsePieces parses a large file in pieces that seem to end with a block. If a piece parses by itself, nothing is
// open at its end, so the rest means the same as in the whole file. It returns nil if a piece does not parse, or there
// is only one.
func parsePieces(src []byte, path string, size int) *hcl.File {
	p := &pieces{path: path, texts: piecesOf(src, size)}
	if len(p.texts) < 2 {
		return nil
	}
	file := p.file()
	if file != nil {
		file.Bytes = src
	}
	return file
}

// file parses the pieces. It returns nil if one of them does not parse, or an argument occurs in two.
func (p *pieces) file() *hcl.File {
	files, pos := make([]*hcl.File, len(p.texts)), hcl.InitialPos
	var group errgroup.Group
	group.SetLimit(2)
	for i, text := range p.texts {
		at := pos
		pos.Line += bytes.Count(text, []byte("\n"))
		pos.Byte += len(text)
		group.Go(func() (err error) {
			defer fault.Catch(&err)
			files[i], err = parsePiece(text, p.path, at)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		fault.Raise(err)
		return nil // the caller parses the whole file, which reports the errors
	}
	return p.assembled(files)
}

// ContextString returns the header of the block around a byte. So it is called by those who show where something is.
func (p *pieces) ContextString(offset int) string {
	pos := hcl.InitialPos
	p.showing.Lock()
	defer p.showing.Unlock()
	for _, text := range p.texts {
		if offset < pos.Byte+len(text) {
			if p.shown == nil || p.begin != pos.Byte {
				file, err := parsePiece(text, p.path, pos)
				if err != nil {
					return "" // never: it did parse
				}
				p.shown, p.begin = file, pos.Byte
			}
			return contextOf(p.shown, offset)
		}
		pos.Byte += len(text)
	}
	return ""
}

// contextOf returns the header of the block of a file around a byte, or "".
func contextOf(file *hcl.File, offset int) string {
	if nav, ok := file.Nav.(interface{ ContextString(int) string }); ok {
		return nav.ContextString(offset)
	}
	return ""
}

// parsePiece parses a piece of a file, which begins at a position. Any mistake in it is an error.
func parsePiece(piece []byte, path string, at hcl.Pos) (*hcl.File, error) {
	if d := tooDeep(piece, path); d != nil {
		return nil, d
	}
	file, diags := hclsyntax.ParseConfig(piece, path, at)
	if len(diags) > 0 {
		return nil, diags
	}
	return file, nil
}

// piecesOf splits a text into pieces of about size bytes, after lines that may end a block. What stands before a large
// block is a piece by itself.
func piecesOf(src []byte, size int) [][]byte {
	var out [][]byte
	for len(src) > size {
		end := len(src)
		if found := blockEnd.FindIndex(src[size:]); found != nil {
			end = size + found[1]
		}
		if end > 2*size {
			if at := bytes.LastIndex(src[:size], []byte("\n}\n")); at >= 0 {
				end = at + len("\n}\n")
			}
		}
		if end == len(src) {
			break
		}
		out, src = append(out, src[:end]), src[end:]
	}
	return append(out, src)
}

// assembled returns the file that consists of these pieces, or nil if an argument occurs in two of them.
func (p *pieces) assembled(files []*hcl.File) *hcl.File {
	whole := &hclsyntax.Body{}
	for i, file := range files {
		body := file.Body.(*hclsyntax.Body)
		if i == 0 {
			whole = body
			continue
		}
		for name, attr := range body.Attributes {
			if whole.Attributes[name] != nil {
				return nil
			}
			whole.Attributes[name] = attr
		}
		whole.Blocks = append(whole.Blocks, body.Blocks...)
		whole.SrcRange.End, whole.EndRange = body.SrcRange.End, body.EndRange
	}
	return &hcl.File{Body: whole, Nav: p}
}

// piecesIn returns the pieces in which a file in the native syntax was parsed: one if it was parsed as a whole. It
// returns nil for other files, and for one with mistakes.
func piecesIn(path string, file *hcl.File, diags hcl.Diagnostics) *pieces {
	if file == nil || len(diags) > 0 {
		return nil
	}
	if p, ok := file.Nav.(*pieces); ok {
		return p
	}
	if _, native := file.Body.(*hclsyntax.Body); !native {
		return nil
	}
	return &pieces{path: path, texts: [][]byte{file.Bytes}}
}
