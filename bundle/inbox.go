package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/afero"
)

// Inbox receives bundles into a staging folder, and remembers those that were accepted. Only one process at a time may
// receive.
type Inbox struct {
	FS  afero.Fs
	Dir string // created if missing
}

// Staged is a bundle that was verified, with its parts in the staging folder.
type Staged struct {
	Bundle
	fs  afero.Fs
	dir string
}

const staging = ".receiving"

// From returns the ledger of the bundles received from a site.
func (in *Inbox) From(site string) *Ledger {
	return &Ledger{FS: in.FS, Dir: filepath.Join(in.Dir, site)}
}

// Take receives a bundle. The bundle is staged, verified completely and compared with those received before. Then take
// stores its parts, or returns an error that says why not, and the bundle is remembered. If it was received before,
// again is true and take is not called.
//
// If the process dies inside Take, receiving the same bundle again gives the same result, provided that take can be
// repeated: it may have stored everything already. If Take returns an error, only take has changed anything, apart
// from the note of which bundle was begun. The exception is an error of removing that note or the staging folder at
// the end: then the bundle was received and is remembered.
func (in *Inbox) Take(
	ctx context.Context, src io.Reader, o Options, take func(*Staged) error,
) (b *Bundle, again bool, err error) {
	dir := filepath.Join(in.Dir, staging)
	if err := in.FS.RemoveAll(dir); err != nil { // left by a process that died
		return nil, false, fmt.Errorf("removing what was left of receiving a bundle: %w", err)
	}
	defer func() {
		if gone := in.FS.RemoveAll(dir); gone != nil && err == nil {
			err = fmt.Errorf("removing the staging folder: %w", gone)
		}
	}()
	if err := in.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("making the staging folder: %w", err)
	}
	n := 0
	o.Part = func(string, int64) (io.WriteCloser, error) {
		n++
		return in.create(filepath.Join(dir, partFile(n-1)))
	}
	if b, err = Read(ctx, src, o); err != nil {
		return b, false, err
	}
	ledger := in.From(b.From)
	if again, err = ledger.place(b); again || err != nil {
		return b, again, err
	}
	before, err := in.begin(b)
	if err != nil {
		return b, false, err
	}
	if err := take(&Staged{Bundle: *b, fs: in.FS, dir: dir}); err != nil {
		if errors.As(err, new(*Refusal)) { // nothing was stored
			err = errors.Join(err, in.note(b.From, before))
		}
		return b, false, err
	}
	if err := ledger.Add(&Record{b.Manifest, b.ID, b.Text}); err != nil {
		return b, false, err // it stays noted as begun: otherwise an earlier bundle could be accepted
	}
	return b, false, in.note(b.From, 0)
}

// begun is the name of the file with the number of the bundle that is being received from a site. It is left behind if
// the process dies or fails: the content of that bundle may be stored already, so an earlier one must not replace it.
func begun(site string) string { return ".begun." + site }

// begin notes that a bundle is being received, unless a later one was begun before. before is the number noted so far;
// 0 means none.
func (in *Inbox) begin(b *Bundle) (before int64, err error) {
	name := filepath.Join(in.Dir, begun(b.From))
	text, err := afero.ReadFile(in.FS, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, in.note(b.From, b.Number)
	case err != nil:
		return 0, fmt.Errorf("reading which bundle was begun: %w", err)
	}
	if before, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil || before <= 0 {
		return 0, fmt.Errorf("which bundle of %q was begun to be received is not known: %s is damaged. Write the number of "+
			"the last bundle of %q into it that anybody began to receive here", b.From, name, b.From)
	}
	if before > b.Number {
		return 0, refuse(Old, "it is bundle %d of %q, and number %d, which has all that it has, was begun to be received "+
			"before: receive that one again, or a later one", b.Number, b.From, before)
	}
	return before, in.note(b.From, b.Number)
}

// note stores the number of the bundle that is being received from a site; 0 removes the note.
func (in *Inbox) note(site string, number int64) error {
	var err error
	if number == 0 {
		err = in.FS.Remove(filepath.Join(in.Dir, begun(site)))
	} else {
		err = (&Ledger{FS: in.FS, Dir: in.Dir}).write(begun(site), []byte(strconv.FormatInt(number, 10)))
	}
	if err != nil {
		return fmt.Errorf("noting which bundle of %q is received: %w", site, err)
	}
	return nil
}

// Open opens a part. Reading ends in an error if the content is not what the sender has signed.
func (s *Staged) Open(name string) (io.ReadCloser, error) {
	i := slices.IndexFunc(s.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("bundle %d of %s has no part %q", s.Number, s.From, name)
	}
	f, err := s.fs.Open(filepath.Join(s.dir, partFile(i)))
	if err != nil {
		return nil, fmt.Errorf("opening the part %s of bundle %d of %s: %w", name, s.Number, s.From, err)
	}
	return &checked{f: f, part: s.Parts[i], sum: sha256.New()}, nil
}

// partFile returns the file name of the part with an index. The name that the sender gave is not used.
func partFile(i int) string { return fmt.Sprintf("%06d", i) }

// checked compares what is read with the part's digest.
type checked struct {
	f    afero.File
	part Part
	sum  hash.Hash
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.f.Read(p)
	c.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(c.sum.Sum(nil)) != c.part.SHA256 {
		err = fmt.Errorf("the part %s was changed after it was received", c.part.Name)
	}
	return n, err
}

func (c *checked) Close() error { return c.f.Close() }

// create creates a file in the staging folder.
func (in *Inbox) create(name string) (io.WriteCloser, error) {
	f, err := in.FS.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a file of the staging folder: %w", err)
	}
	return f, nil
}

// durable is a file that is synced to disk when it is closed.
type durable struct{ afero.File }

func (d durable) Close() error { return errors.Join(d.Sync(), d.File.Close()) }
