package schema

import (
	"bytes"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncctl/syncctl/fault"
	"golang.org/x/sync/errgroup"
)

// pieceSize is the approximate number of bytes of a file that are parsed at once. The parser holds all tokens of its
// input, which take forty times as much memory.
const pieceSize = 2 << 10

// blockEnd matches the last line of a block in most files.
var blockEnd = regexp.MustCompile(`\n}\r?\n`)

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
	pieces := piecesOf(src, size)
	if len(pieces) < 2 {
		return nil
	}
	files, pos := make([]*hcl.File, len(pieces)), hcl.InitialPos
	var group errgroup.Group
	group.SetLimit(2)
	for i, piece := range pieces {
		at := pos
		pos.Line += bytes.Count(piece, []byte("\n"))
		pos.Byte += len(piece)
		group.Go(func() (err error) {
			defer fault.Catch(&err)
			files[i], err = parsePiece(piece, path, at)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		fault.Raise(err)
		return nil // the caller parses the whole file, which reports the errors
	}
	return assembled(files, src)
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

// piecesOf splits a text into pieces of about size bytes, after lines that may end a block.
func piecesOf(src []byte, size int) [][]byte {
	var out [][]byte
	for len(src) > size {
		found := blockEnd.FindIndex(src[size:])
		if found == nil {
			break
		}
		end := size + found[1]
		out, src = append(out, src[:end]), src[end:]
	}
	return append(out, src)
}

// assembled returns the file that consists of these pieces, or nil if an argument occurs in two of them.
func assembled(files []*hcl.File, src []byte) *hcl.File {
	whole := files[0].Body.(*hclsyntax.Body)
	for _, file := range files[1:] {
		body := file.Body.(*hclsyntax.Body)
		for name, attr := range body.Attributes {
			if whole.Attributes[name] != nil {
				return nil
			}
			whole.Attributes[name] = attr
		}
		whole.Blocks = append(whole.Blocks, body.Blocks...)
		whole.SrcRange.End, whole.EndRange = body.SrcRange.End, body.EndRange
	}
	files[0].Bytes = src
	return files[0]
}
