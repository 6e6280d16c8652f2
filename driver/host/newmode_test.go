//go:build unix

package host

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"
)

// modes is a machine with files in memory that shows one mode for all of them, whatever mode is asked for. It notes
// which attributes are asked for, and what else is done.
type modes struct {
	shown fs.FileMode
	asked []string // in hex
	done  []string

	in sftp.Handlers
}

func newModes(shown fs.FileMode) *modes { return &modes{shown: shown, in: sftp.InMemHandler()} }

func (m *modes) handlers() sftp.Handlers {
	return sftp.Handlers{FileGet: m.in.FileGet, FilePut: m, FileCmd: m, FileList: m}
}

func (m *modes) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	m.asked = append(m.asked, hex.EncodeToString(r.Attrs))
	return m.in.FilePut.Filewrite(r)
}

func (m *modes) Filecmd(r *sftp.Request) error {
	m.done = append(m.done, r.Method)
	return m.in.FileCmd.Filecmd(r)
}

func (m *modes) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	list, err := m.in.FileList.Filelist(r)
	if err != nil || r.Method == "List" {
		return list, err
	}
	infos := make([]fs.FileInfo, 1)
	if _, err := list.ListAt(infos, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return one{withMode{infos[0], m.shown}}, nil
}

type withMode struct {
	fs.FileInfo

	mode fs.FileMode
}

func (w withMode) Mode() fs.FileMode { return w.mode }

// TestNewFilesAreNeverOpenToOthers checks that the mode of a new file is asked for in the request that makes it, and
// that a machine that makes it with another mode, or shows none, gets no content.
func TestNewFilesAreNeverOpenToOthers(t *testing.T) {
	for shown, private := range map[fs.FileMode]bool{
		0o600: true, 0o700: true, 0o644: false, 0o620: false, 0o601: false, 0: false, 0o600 | fs.ModeNamedPipe: false,
	} {
		m := newModes(shown)
		handlers := m.handlers()
		_, h := pair(t, func(s *server) { s.files = &handlers })
		files := h.Files(t.Context())
		f, err := files.Create("/file")
		if !private {
			is(t, err, fs.ErrPermission)
			if told := shown != 0; err != nil && strings.Contains(err.Error(), "umask") != told {
				t.Errorf("%v: %v", shown, err)
			}
			_, err = files.Stat("/file")
			is(t, err, fs.ErrNotExist)
		} else if ok(t, err); err == nil {
			ok(t, f.Close())
		}
		if !slices.Equal(m.asked, []string{"00000180"}) || slices.Contains(m.done, "Setstat") {
			t.Errorf("%v: asked for %v, then %v", shown, m.asked, m.done)
		}
		ok(t, h.Close())
	}
}

// TestContentThatLooksLikeARequest checks that the content of a file is never changed, even if it begins, at the place
// where it is cut, as a request does that makes a file.
func TestContentThatLooksLikeARequest(t *testing.T) {
	const request = "\x00\x00\x00\x13\x03\x00\x00\x00\x01\x00\x00\x00\x02/a\x00\x00\x00\x2a\x00\x00\x00\x00"
	content := strings.Repeat(request, 1+3*mostAtOnce/len(request))
	eachFs(t, func(t *testing.T, c fsCase) {
		for _, text := range []string{request, content, request[:5], request[:4], request[:1]} {
			name := c.create(t, "file", text)
			if got := c.read(t, "file"); got != text {
				t.Errorf("%q became %q", text[:1], got)
			}
			ok(t, c.Remove(name))
		}
	})
}
