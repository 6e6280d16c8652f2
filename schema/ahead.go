package schema

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/fault"
)

// skimmedFile is a file with the blocks at its top level, of which nothing has been parsed.
type skimmedFile struct {
	src   []byte
	plain []plainHeader
	rest  []skimmed // the other blocks that declare something
	ok    bool      // it need not be parsed as a whole
}

// skimFile skims the text of a file.
func skimFile(src []byte, path string) *skimmedFile {
	const usual = 400 // bytes of a declaration: growing the list takes long
	f := &skimmedFile{src: src, plain: make([]plainHeader, 0, len(src)/usual+1)}
	f.ok = skim(src, path, func(b skimmed) bool {
		switch word := b.words[0]; {
		case isKind(word) && len(b.args) == 0 && len(b.words) == 3:
			addr := Addr{Kind: Kind(word), Type: b.words[1], Name: b.words[2]}
			if plainName(addr.Type) && plainName(addr.Name) { // no other can be declared
				f.plain = append(f.plain, plainHeader{Named: Named{Addr: addr, Range: b.header}, end: b.at.Byte + len(b.src)})
			}
		case isKind(word) || !slices.Contains(withoutNames, word):
			b.words = slices.Clone(b.words)
			f.rest = append(f.rest, b)
		}
		return true
	})
	return f
}

// plainIn counts the plain declarations in files.
func plainIn(files map[string]*skimmedFile) int {
	n := 0
	for _, f := range files {
		n += len(f.plain)
	}
	return n
}

// parseAhead is parse for a file that has been skimmed.
func (l *loader) parseAhead(m *module, name string, f *skimmedFile) hcl.Body {
	l.read += int64(len(f.src))
	l.meter.more = l.read + l.expanded
	path := l.filePath(m, name)
	if body := l.skimmedBody(f, path); body != nil {
		return body
	}
	return l.parseWhole(m, path, f.src)
}

// skimAhead reads and skims the files of the root module side by side, as nothing else takes longer where there are
// many. What it leaves out, because of a mistake or its size, is read later, one after the other.
func (l *loader) skimAhead(names []string) map[string]*skimmedFile {
	folder := l.folder()
	folder.Access = Access{ReadFile: func(Reading) error { return errors.New("it is read later") }}
	var room, next atomic.Int64
	room.Store(l.opts.Room.Bytes() - l.read)
	found := make([]*skimmedFile, len(names))
	work := func(ctx context.Context) {
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(names) {
				return
			}
			info := l.infos[names[i]]
			if info == nil || strings.HasSuffix(names[i], ".json") || room.Add(-info.Size()) < 0 {
				continue
			}
			src, err := folder.Read(Reading{Path: names[i], By: "configuration", Most: info.Size(), listed: info})
			if err == nil {
				found[i] = skimFile(src, filepath.Join(l.dir(), names[i]))
			}
		}
	}
	var workers sync.WaitGroup
	faults := make([]error, min(runtime.GOMAXPROCS(0), 4))
	for i := range faults {
		workers.Go(func() { faults[i] = fault.Do(func() error { work(l.ctx); return nil }) })
	}
	workers.Wait()
	out := map[string]*skimmedFile{}
	for _, err := range faults {
		fault.Raise(err)
	}
	for i, f := range found {
		if f != nil {
			out[names[i]] = f
		}
	}
	return out
}
