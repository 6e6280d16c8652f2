package lsp

import (
	"context"
	"encoding/json"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/afero/mem"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

// document is a file that is open in the editor, with the editor's text. It is immutable: a change replaces it.
type document struct {
	uri     string
	path    string
	version int
	text    *source.Text
	real    string        // the path without links
	file    *mem.FileData // the text, as a file
}

func newDocument(uri, path string, version int, text *source.Text) *document {
	d := &document{uri: uri, path: path, version: version, text: text, real: path,
		file: mem.CreateFile(filepath.Base(path))}
	_, _ = mem.NewFileHandle(d.file).WriteString(text.Source) // writing to memory does not fail
	return d
}

// maxOpen is the maximum size of all open documents together, in bytes.
const maxOpen = 128 << 20

// pathOf returns the absolute path of the file that a URI names. It returns false if it names none.
func pathOf(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return "", false
	}
	path := filepath.FromSlash(u.Path)
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, `\`)
		if u.Host != "" {
			path = `\\` + u.Host + `\` + path
		}
	}
	if strings.ContainsRune(path, 0) || !filepath.IsAbs(path) {
		return "", false
	}
	return filepath.Clean(path), true
}

// uriOf returns the URI of a file. For an open file it is the URI that the editor uses.
func (v *view) uriOf(path string) string {
	if d := v.docs[path]; d != nil {
		return d.uri
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}

// put opens or replaces a document. It returns false if too much would be open. It must be called with mu held.
func (s *server) put(d *document) bool {
	size := s.size + len(d.text.Source)
	if was := s.docs[d.path]; was != nil {
		size -= len(was.text.Source)
	}
	if size > maxOpen {
		return false
	}
	s.size, s.docs[d.path] = size, d
	s.checker.touch(d.path)
	return true
}

func (s *server) didOpen(ctx context.Context, params json.RawMessage) {
	var p openParams
	if json.Unmarshal(params, &p) != nil {
		return
	}
	path, ok := pathOf(p.TextDocument.URI)
	if !ok {
		return
	}
	s.mu.Lock()
	d := newDocument(p.TextDocument.URI, path, p.TextDocument.Version, source.NewText(p.TextDocument.Text))
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		d.real = filepath.Join(dir, filepath.Base(path))
	}
	ok = s.put(d)
	s.mu.Unlock()
	if !ok {
		s.show(ctx, "Too much is open: syncctl does not look at "+schema.SanitizeLine(path))
	}
}

// didChange applies changes to a document, in order.
func (s *server) didChange(ctx context.Context, params json.RawMessage) {
	var p changeParams
	path, ok := pathOf(documentURI(params))
	if !ok || json.Unmarshal(params, &p) != nil {
		return
	}
	s.mu.Lock()
	d := s.docs[path]
	if d == nil {
		s.mu.Unlock()
		return
	}
	text := d.text
	for _, c := range p.ContentChanges {
		if c.Range == nil {
			text = source.NewText(c.Text)
			continue
		}
		from, to := text.Offset(c.Range.Start, s.enc), text.Offset(c.Range.End, s.enc)
		if len(text.Source)+len(c.Text) > maxMessage {
			ok = false
			break
		}
		text = source.NewText(text.Source[:from] + c.Text + text.Source[max(from, to):])
	}
	if ok {
		changed := newDocument(d.uri, path, p.TextDocument.Version, text)
		changed.real = d.real
		ok = s.put(changed)
	}
	s.mu.Unlock()
	if !ok {
		s.show(ctx, "Too much is open: syncctl does not follow the changes of "+schema.SanitizeLine(path))
	}
}

func documentURI(params json.RawMessage) string {
	var p documentParams
	if json.Unmarshal(params, &p) != nil {
		return ""
	}
	return p.TextDocument.URI
}

func (s *server) didClose(_ context.Context, params json.RawMessage) {
	path, ok := pathOf(documentURI(params))
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.docs[path]; d != nil {
		s.size -= len(d.text.Source)
		delete(s.docs, path)
		s.checker.touch(path)
	}
}

func (s *server) didSave(_ context.Context, params json.RawMessage) {
	if path, ok := pathOf(documentURI(params)); ok {
		s.checker.touch(path)
	}
}

// didChangeFiles handles changes of files that were not made in the editor.
func (s *server) didChangeFiles(_ context.Context, params json.RawMessage) {
	var p watchedParams
	if json.Unmarshal(params, &p) != nil {
		return
	}
	for _, f := range p.Changes {
		if path, ok := pathOf(f.URI); ok {
			s.checker.touch(path)
		}
	}
}
