package lsp

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/cli/internal/lsp/source"
	"github.com/syncctl/syncctl/schema"
)

// view is a snapshot of the files: open documents with the editor's text, other files as they are saved.
type view struct {
	opts     *Options
	enc      source.Encoding
	snippets bool
	folders  []string
	docs     map[string]*document
	fs       overlay
	cache    *cache
	loading  chan struct{} // holds a value while a configuration is loaded, even if nobody waits for it any more

	files      map[string]*file         // files that were already read, by path
	declaredIn map[string]*declarations // by folder
	mayOpen    map[[2]string]bool       // results of isOpen, by the folder that uses a module and the module's folder
	unread     error                    // the first error, other than fs.ErrNotExist, from reading a file or folder
	spent      int                      // what the files that were read take of memory (source.Cost)
}

// errTooMuch is the error if files are left out.
var errTooMuch = errors.New("there is more in the files than is read here, so that some were left out: open a " +
	"smaller folder")

// fileKind is the purpose of a file, according to its name.
type fileKind int

const (
	other fileKind = iota
	configuration
	values
	tests
)

var suffixes = []struct {
	suffix string
	kind   fileKind
}{{".sync.hcl", configuration}, {".syncvars.hcl", values}, {".synctest.hcl", tests}}

func kindOf(path string) fileKind {
	name := filepath.Base(path)
	if strings.HasPrefix(name, ".") { // files of editors and systems
		return other
	}
	for _, s := range suffixes {
		if strings.HasSuffix(strings.TrimSuffix(name, ".json"), s.suffix) {
			return s.kind
		}
	}
	return other
}

// file is a file of the language that was read.
type file struct {
	path string
	dir  string
	kind fileKind
	text *source.Text
	json bool
	tree *source.Tree
	cost int // source.Cost
}

// cache keeps files that were read, until their text changes or they take too much memory.
type cache struct {
	mu    sync.Mutex
	files map[string]*file
	cost  int // of all files
	most  int // the maximum of cost, and of what one view reads of files that are not open
}

func newCache() *cache { return &cache{files: map[string]*file{}, most: maxRead} }

// put adds a file. If the files take too much memory then, the others are dropped.
func (c *cache) put(f *file) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if was := c.files[f.path]; was != nil {
		c.cost -= was.cost
	}
	if c.cost+f.cost > c.most {
		clear(c.files)
		c.cost = 0
	}
	c.files[f.path] = f
	c.cost += f.cost
}

// maxRead limits the memory that files take, in bytes: twice of what a folder may have as words and signs, before it is
// refused as a whole (schema.Usual).
const maxRead = 256 << 20

// file returns a file of the language. It returns nil if there is none, or if it cannot be read.
func (v *view) file(path string) *file {
	if f, ok := v.files[path]; ok {
		return f
	}
	f := v.read(path)
	v.files[path] = f
	return f
}

func (v *view) read(path string) *file {
	kind := kindOf(path)
	if kind == other {
		return nil
	}
	var text *source.Text
	v.cache.mu.Lock()
	kept := v.cache.files[path]
	v.cache.mu.Unlock()
	if d := v.docs[path]; d != nil {
		text = d.text
	} else if v.spent > v.cache.most {
		v.missed(errTooMuch)
		return nil
	} else {
		folder := schema.Folder{Fs: v.fs, Dir: filepath.Dir(path)}
		src, err := folder.Read(schema.Reading{Path: path, By: "lsp", Most: schema.Usual.Bytes()})
		if err != nil {
			v.missed(err)
			return nil
		}
		if kept != nil && kept.text.Source == string(src) {
			v.spent += kept.cost
			return kept
		}
		text = source.NewText(string(src))
	}
	if kept != nil && kept.text == text {
		return kept
	}
	f := &file{path: path, dir: filepath.Dir(path), kind: kind, text: text, json: strings.HasSuffix(path, ".json"),
		cost: source.Cost(text.Source)}
	v.spent += f.cost
	if f.json {
		f.tree = source.ReadJSON(text.Source, v.inJSON(kind))
	} else {
		f.tree = source.Read(text.Source, topWords(kind))
	}
	v.cache.put(f)
	return f
}

// missed records that a file or folder cannot be read. One that does not exist holds nothing.
func (v *view) missed(err error) {
	if v.unread == nil && !errors.Is(err, fs.ErrNotExist) {
		v.unread = err
	}
}

// document returns the open file that a question is about, or nil if it is not open.
func (v *view) document(id documentID) *file {
	path, ok := pathOf(id.URI)
	if !ok || v.docs[path] == nil {
		return nil
	}
	return v.file(path)
}

// names returns the paths of the files of a kind in a folder, sorted.
func (v *view) names(dir string, kind fileKind) []string {
	infos, err := afero.ReadDir(v.fs, dir)
	if err != nil {
		v.missed(err)
		return nil
	}
	var out []string
	for _, info := range infos {
		if path := filepath.Join(dir, info.Name()); !info.IsDir() && kindOf(path) == kind {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

func (v *view) holds(dir string, kind fileKind) bool { return len(v.names(dir, kind)) > 0 }

// in returns the files of a kind in a folder, without those that cannot be read.
func (v *view) in(dir string, kind fileKind) []*file {
	var out []*file
	for _, path := range v.names(dir, kind) {
		if f := v.file(path); f != nil {
			out = append(out, f)
		}
	}
	return out
}

func (v *view) rangeIn(t *source.Text, s source.Span) textRange {
	return textRange{t.Position(s.From, v.enc), t.Position(s.To, v.enc)}
}
