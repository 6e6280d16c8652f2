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

// Inbox receives bundles into a staging folder, and remembers those that were taken in. One process at a time may
// receive.
type Inbox struct {
	FS  afero.Fs
	Dir string // made where it is missing
}

// Staged is a bundle that was verified, with its parts in the staging folder.
type Staged struct {
	Bundle
	fs  afero.Fs
	dir string
}

const staging = ".receiving"

// From is the ledger of what was received from a site.
func (in *Inbox) From(site string) *Ledger {
	return &Ledger{FS: in.FS, Dir: filepath.Join(in.Dir, site)}
}

// Take receives a bundle: it is staged, verified whole, and compared with what was received before; take then takes its
// parts in, or says why not; then it is remembered. again: it was received before, and take is not asked. Whatever
// process dies inside, receiving the same bundle again ends the same, if take does: it may have taken everything in
// already. With an error of any other kind, nothing was changed but by take.
func (in *Inbox) Take(
	ctx context.Context, src io.Reader, o Options, take func(*Staged) error,
) (b *Bundle, again bool, err error) {
	dir := filepath.Join(in.Dir, staging)
	if err := in.FS.RemoveAll(dir); err != nil { // of a process that has died
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
		if errors.As(err, new(*Refusal)) { // nothing was taken in
			err = errors.Join(err, in.note(b.From, before))
		}
		return b, false, err
	}
	if err := ledger.Add(&Record{b.Manifest, b.ID, b.Text}); err != nil {
		return b, false, err // it stays begun: nothing else keeps an earlier one out
	}
	return b, false, in.note(b.From, 0)
}

// begun is the file with the number of the bundle of a site that is taken in. It is left where the process dies, or
// fails: what the bundle brings may be here, so that no earlier one may take its place.
func begun(site string) string { return ".begun." + site }

// begin notes that a bundle is taken in from here on, unless a later one was begun before. before is the number that
// was noted; 0: none.
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

// note notes which bundle of a site was begun; 0: none.
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

// Open reads a part. It ends in an error if it is not what the sender has signed.
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

// partFile is the file of the part with an index. Its name is not the sender's word.
func partFile(i int) string { return fmt.Sprintf("%06d", i) }

// checked compares what is read with its digest.
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

// create makes a file of the staging folder.
func (in *Inbox) create(name string) (io.WriteCloser, error) {
	f, err := in.FS.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a file of the staging folder: %w", err)
	}
	return f, nil
}

// durable is a file that is on the disk when it is closed.
type durable struct{ afero.File }

func (d durable) Close() error { return errors.Join(d.Sync(), d.File.Close()) }
