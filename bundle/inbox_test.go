package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// dying is a file system of a process that is killed: from its nth write on, nothing is written any more.
type dying struct {
	afero.Fs
	left int
}

var errKilled = errors.New("killed")

func (d *dying) write() error {
	if d.left--; d.left < 0 {
		return errKilled
	}
	return nil
}

func (d *dying) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := d.write(); err != nil {
			return nil, err
		}
	}
	f, err := d.Fs.OpenFile(name, flag, perm)
	return dyingFile{f, d}, err
}

func (d *dying) MkdirAll(name string, perm fs.FileMode) error {
	if err := d.write(); err != nil {
		return err
	}
	return d.Fs.MkdirAll(name, perm)
}

func (d *dying) RemoveAll(name string) error {
	if err := d.write(); err != nil {
		return err
	}
	return d.Fs.RemoveAll(name)
}

func (d *dying) Rename(from, to string) error {
	if err := d.write(); err != nil {
		return err
	}
	return d.Fs.Rename(from, to)
}

type dyingFile struct {
	afero.File
	d *dying
}

// Write writes half of what it is given when it dies.
func (f dyingFile) Write(p []byte) (int, error) {
	if err := f.d.write(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f dyingFile) Sync() error {
	if err := f.d.write(); err != nil {
		return err
	}
	return f.File.Sync()
}

// tree is all that is in a folder.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", strings.TrimPrefix(path, dir), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestKilledWhileReceiving: whichever write a process dies at, receiving again ends as if it had not.
func TestKilledWhileReceiving(t *testing.T) {
	file := sent(t, ada, eve, first(), text("a", strings.Repeat("a", 70_000)), text("b", "bb"), text("c", ""))
	receive := func(fsys afero.Fs, dir string) (bool, error) {
		_, again, err := (&Inbox{FS: fsys, Dir: dir}).Take(t.Context(), bytes.NewReader(file), receiver(t, eve, ada),
			func(s *Staged) error { return takeIn(fsys, filepath.Join(dir, "taken"), s) })
		return again, err
	}
	whole := t.TempDir()
	if again, err := receive(afero.NewOsFs(), whole); err != nil || again {
		t.Fatal(again, err)
	}
	want := tree(t, whole)
	kills := 0
	for n := 0; ; n++ {
		dir := t.TempDir()
		_, err := receive(&dying{Fs: afero.NewOsFs(), left: n}, dir)
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatalf("killed at write %d: %v", n, err)
		}
		before, listing := (&Inbox{FS: afero.NewOsFs(), Dir: dir}).From("acme").List()
		if listing != nil {
			t.Fatal(listing)
		}
		for range 2 {
			if again, err := receive(afero.NewOsFs(), dir); err != nil || again != (len(before) == 1) {
				t.Fatalf("killed at write %d, received again (before: %t): %v", n, again, err)
			}
			if got := tree(t, dir); got != want {
				t.Fatalf("killed at write %d: %s\nwant %s", n, got, want)
			}
			before = make([]Record, 1)
		}
		if err == nil {
			break
		}
		kills++
	}
	if kills < 15 {
		t.Errorf("it was killed %d times", kills)
	}
}

// takeIn keeps the parts of a bundle in a folder.
func takeIn(fsys afero.Fs, dir string, s *Staged) error {
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, p := range s.Parts {
		from, err := s.Open(p.Name)
		if err != nil {
			return err
		}
		content, err := io.ReadAll(from)
		if err := errors.Join(err, from.Close()); err != nil {
			return err
		}
		to, err := fsys.OpenFile(filepath.Join(dir, p.Name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = to.Write(content)
		if err := errors.Join(err, to.Close()); err != nil {
			return err
		}
	}
	return nil
}

// numbered is a bundle of acme's, with its id.
func numbered(t *testing.T, n int64, previous, content string) (string, []byte) {
	t.Helper()
	m := first()
	m.Number, m.Previous = n, previous
	file := sent(t, ada, eve, m, text("plan.json", content))
	b, err := Read(t.Context(), bytes.NewReader(file), receiver(t, eve, ada))
	if err != nil {
		t.Fatal(err)
	}
	return b.ID, file
}

// TestInbox: what comes after what was received is taken, what was received changes nothing, and what does not fit is
// refused.
func TestInbox(t *testing.T) {
	in := &Inbox{FS: afero.NewOsFs(), Dir: t.TempDir()}
	id1, one := numbered(t, 1, "", "p")
	id2, two := numbered(t, 2, id1, "p")
	id3, three := numbered(t, 3, id2, "p")
	id4, four := numbered(t, 4, id3, "p")
	_, five := numbered(t, 5, id4, "p")
	_, six := numbered(t, 6, strings.Repeat("5", 64), "p")
	_, otherOne := numbered(t, 1, "", "q")
	otherTwo, fork2 := numbered(t, 2, id1, "q")
	_, fork3 := numbered(t, 3, otherTwo, "p")
	for i, c := range []struct {
		file  []byte
		again bool
		want  Reason
	}{
		{one, false, ""}, {one, true, ""}, {otherOne, false, Fork}, {two, false, ""}, {fork2, false, Fork}, {one, true, ""},
		{fork3, false, Fork}, {three, false, ""}, {four, false, ""}, {six, false, ""}, {five, false, Old}, {four, true, ""},
	} {
		before := tree(t, in.Dir)
		asked := false
		_, again, err := in.Take(t.Context(), bytes.NewReader(c.file), receiver(t, eve, ada),
			func(*Staged) error { asked = true; return nil })
		var refusal *Refusal
		if c.want == "" && (err != nil || again != c.again) ||
			c.want != "" && (!errors.As(err, &refusal) || refusal.Reason != c.want) {
			t.Errorf("%d: again %t, %v, want %q", i, again, err, c.want)
		}
		if unchanged := c.again || c.want != ""; asked == unchanged || unchanged != (tree(t, in.Dir) == before) {
			t.Errorf("%d: something has changed, or has not", i)
		}
	}
	last, err := in.From("acme").Last()
	if err != nil || last.Number != 6 {
		t.Error(last, err)
	}
	if last, err := in.From("globex").Last(); err != nil || last != nil {
		t.Error(last, err)
	}
}

// TestKilledWhileTakenIn: what a bundle brings may be here although the process died before it was remembered: no
// earlier one takes its place.
func TestKilledWhileTakenIn(t *testing.T) {
	in := &Inbox{FS: afero.NewOsFs(), Dir: t.TempDir()}
	id1, one := numbered(t, 1, "", "p")
	id2, two := numbered(t, 2, id1, "p")
	_, three := numbered(t, 3, id2, "p")
	for i, c := range []struct {
		file []byte
		take error
		want Reason
	}{
		{two, errKilled, ""}, {one, nil, Old}, {two, refuse(Fork, "not now"), Fork}, {one, nil, Old}, {two, nil, ""},
		{one, nil, Old}, {three, refuse(Fork, "not now"), Fork}, {three, nil, ""},
	} {
		take := func(*Staged) error { return c.take }
		_, _, err := in.Take(t.Context(), bytes.NewReader(c.file), receiver(t, eve, ada), take)
		var refusal *Refusal
		if errors.As(err, &refusal); c.want != "" && (refusal == nil || refusal.Reason != c.want) ||
			c.want == "" && !errors.Is(err, c.take) {
			t.Errorf("%d: %v, want %q", i, err, c.want)
		}
	}
}

// recordless is a file system that refuses to remember bundles, and nothing else.
type recordless struct{ afero.Fs }

func (r recordless) Rename(from, to string) error {
	if strings.HasSuffix(to, recordSuffix) {
		return errKilled
	}
	return r.Fs.Rename(from, to)
}

// TestTakenInAndNotRemembered: a bundle that was taken in and could not be remembered keeps earlier ones out; where
// it is unknown which one was begun, none is taken in.
func TestTakenInAndNotRemembered(t *testing.T) {
	dir := t.TempDir()
	id1, one := numbered(t, 1, "", "p")
	_, two := numbered(t, 2, id1, "p")
	takes := 0
	receive := func(fsys afero.Fs, file []byte) error {
		_, _, err := (&Inbox{FS: fsys, Dir: dir}).Take(t.Context(), bytes.NewReader(file), receiver(t, eve, ada),
			func(*Staged) error { takes++; return nil })
		return err
	}
	if err := receive(recordless{afero.NewOsFs()}, two); !errors.Is(err, errKilled) || takes != 1 {
		t.Fatal(err, takes)
	}
	var refusal *Refusal
	if err := receive(afero.NewOsFs(), one); !errors.As(err, &refusal) || refusal.Reason != Old || takes != 1 {
		t.Errorf("an earlier one: %v", err)
	}
	name := filepath.Join(dir, begun("acme"))
	for _, damaged := range []string{"", "0", "-2", "2x"} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := receive(afero.NewOsFs(), one); err == nil || !strings.Contains(err.Error(), name) || takes != 1 {
			t.Errorf("%q was begun: %v", damaged, err)
		}
	}
	if err := os.WriteFile(name, []byte("2\n"), 0o600); err != nil { // as an editor ends it
		t.Fatal(err)
	}
	if err := receive(afero.NewOsFs(), two); err != nil || takes != 2 {
		t.Error(err, takes)
	}
}

// TestStaged: what is not taken is not remembered; a part that is changed in the staging folder is found.
func TestStaged(t *testing.T) {
	in := &Inbox{FS: afero.NewOsFs(), Dir: t.TempDir()}
	_, file := numbered(t, 1, "", "p")
	refused := Refuse("other-plan", "another plan")
	_, _, err := in.Take(t.Context(), bytes.NewReader(file), receiver(t, eve, ada), func(s *Staged) error {
		if _, err := s.Open("../manifest.json"); err == nil {
			t.Error("a part that is none is opened")
		}
		if err := os.WriteFile(filepath.Join(s.dir, partFile(0)), []byte("q"), 0o600); err != nil {
			t.Error(err)
		}
		part, err := s.Open("plan.json")
		if err != nil {
			return err
		}
		if _, err := io.ReadAll(part); err == nil {
			t.Error("a part that was changed is read")
		}
		return errors.Join(refused, part.Close())
	})
	if !errors.Is(err, refused) || tree(t, in.Dir) != "" {
		t.Errorf("%v, %s", err, tree(t, in.Dir))
	}
}

// TestLedger: a record that was changed is found, and a site that has forgotten what it has sent learns it.
func TestLedger(t *testing.T) {
	sentByUs := &Ledger{FS: afero.NewOsFs(), Dir: t.TempDir()}
	m := first()
	var b bytes.Buffer
	r, err := Write(t.Context(), &b, m, []Receiver{{Site: "globex", Keys: []string{eve.line}}}, nil, ada.sign)
	if err != nil {
		t.Fatal(err)
	}
	if err := sentByUs.Add(r); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		received []Receipt
		want     Reason
	}{
		"nothing":       {nil, ""},
		"the last":      {[]Receipt{{"acme", 1, r.ID}}, ""},
		"of others":     {[]Receipt{{"initech", 9, r.ID}}, ""},
		"a later one":   {[]Receipt{{"acme", 2, strings.Repeat("2", 64)}}, Forgotten},
		"another first": {[]Receipt{{"acme", 1, strings.Repeat("1", 64)}}, Forgotten},
	} {
		err := sentByUs.Check("acme", &Manifest{From: "globex", Received: c.received})
		var refusal *Refusal
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &refusal) || refusal.Reason != c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	name := filepath.Join(sentByUs.Dir, recordName(1))
	if err := os.Rename(name, filepath.Join(sentByUs.Dir, recordName(3))); err != nil {
		t.Fatal(err)
	}
	if _, err := sentByUs.List(); err == nil {
		t.Error("a record of another number is read")
	}
	if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sentByUs.List(); err == nil {
		t.Error("a record that is none is read")
	}
}
