package record_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
	"github.com/syncctl/syncctl/signing"
	"golang.org/x/crypto/ssh"
)

var at = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

var manifest = record.Manifest{Run: "r1", State: "finished", Configuration: "d"}

func parts(t testing.TB) map[string][]byte {
	t.Helper()
	var plan bytes.Buffer
	if err := (&planner.Plan{Format: planner.Format, Digest: "d"}).Encode(&plan); err != nil {
		t.Fatal(err)
	}
	entries, err := journal.Rechain([]journal.Entry{{Seq: 1, Time: at, Key: "run", Event: "opened"},
		{Seq: 2, Time: at.Add(time.Second), Key: "run", Event: "finished"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var chain bytes.Buffer
	if err := journal.Encode(&chain, entries); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{record.PlanName: plan.Bytes(), record.JournalName: chain.Bytes(),
		"configuration/ä.sync.hcl": []byte("x = 1\n"), "empty": nil}
}

func written(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	out, err := record.Write(manifest, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWhole: what was written is read, twice the same.
func TestWhole(t *testing.T) {
	src := written(t, parts(t))
	r, err := record.Read(src, nil)
	if err != nil || r.Entries != 2 || !r.At.Equal(at.Add(time.Second)) || len(r.Parts) != 4 || r.Signer != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	if !bytes.Equal(src, written(t, parts(t))) {
		t.Error("the same record twice differs")
	}
}

// TestChangedAnywhere: no byte can be changed, left out or added.
func TestChangedAnywhere(t *testing.T) {
	src := written(t, parts(t))
	for i := range src {
		changed := bytes.Clone(src)
		changed[i] ^= 1
		if _, err := record.Read(changed, nil); err == nil {
			t.Fatalf("byte %d can be changed", i)
		}
	}
	for n := range src {
		if _, err := record.Read(src[:n], nil); !errors.Is(err, record.ErrCut) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for _, more := range []string{"x", strings.Repeat("\x00", 512)} {
		if _, err := record.Read(append(bytes.Clone(src), more...), nil); err == nil {
			t.Error("something can be added behind it")
		}
	}
}

// TestHostile archives: links, names that leave, twice the same, more than there is.
func TestHostile(t *testing.T) {
	for name, c := range map[string]struct {
		header tar.Header
		want   string
	}{
		"a link":       {tar.Header{Typeflag: tar.TypeSymlink, Name: "b", Linkname: "/etc/passwd"}, "not a plain file"},
		"a hard link":  {tar.Header{Typeflag: tar.TypeLink, Name: "plan.txt", Linkname: "x"}, "not a plain file"},
		"a folder":     {tar.Header{Typeflag: tar.TypeDir, Name: "x/"}, "not a plain file"},
		"a device":     {tar.Header{Typeflag: tar.TypeChar, Name: "x"}, "not a plain file"},
		"upwards":      {tar.Header{Typeflag: tar.TypeReg, Name: "../x"}, "not the name of a part"},
		"absolute":     {tar.Header{Typeflag: tar.TypeReg, Name: "/x"}, "not the name of a part"},
		"a drive":      {tar.Header{Typeflag: tar.TypeReg, Name: `C:\x`}, "not the name of a part"},
		"inside":       {tar.Header{Typeflag: tar.TypeReg, Name: "a/../../x"}, "not the name of a part"},
		"long":         {tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("x", 256)}, "not the name of a part"},
		"unprintable":  {tar.Header{Typeflag: tar.TypeReg, Name: "a\u202eb"}, "not the name of a part"},
		"twice":        {tar.Header{Typeflag: tar.TypeReg, Name: "A"}, "twice"},
		"not a record": {tar.Header{Typeflag: tar.TypeReg, Name: "b"}, "not a record"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "a"}); err != nil {
				t.Fatal(err)
			}
			if err := w.WriteHeader(&c.header); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := record.Read(b.Bytes(), nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestForged: a record whose manifest fits its parts, but whose plan or journal is none, is refused by both sides.
func TestForged(t *testing.T) {
	edit := func(part, was, is string) func(map[string][]byte) {
		return func(f map[string][]byte) { f[part] = bytes.Replace(f[part], []byte(was), []byte(is), 1) }
	}
	signed := func(before, after string) func([]byte) ([]byte, error) {
		return func(text []byte) ([]byte, error) {
			signature, err := sign(t)(text)
			return []byte(before + string(signature) + after), err
		}
	}
	for name, c := range map[string]struct {
		change func(map[string][]byte)
		state  string
		digest string
		sign   func([]byte) ([]byte, error)
		want   string // "": it is whole
	}{
		"whole":                   {},
		"whole, signed":           {sign: signed("", "")},
		"a plan edited":           {change: edit(record.PlanName, `"d"`, `"e"`), want: "changed"},
		"an entry edited":         {change: edit(record.JournalName, "opened", "closed"), want: "damaged"},
		"an entry changed":        {change: edit(record.JournalName, `{"seq":1`, `{"seq":2`), want: "damaged"},
		"half an entry":           {change: edit(record.JournalName, "finished", "finished\n"), want: "damaged"},
		"no plan":                 {change: func(f map[string][]byte) { delete(f, record.PlanName) }, want: "file is empty"},
		"no journal":              {change: func(f map[string][]byte) { delete(f, record.JournalName) }, want: "has no journal"},
		"another configuration":   {digest: "e", want: "is not the configuration"},
		"no such end":             {state: "abandoned", want: "does not say"},
		"no such state":           {state: "done", want: "is not a state"},
		"nothing happened":        {change: func(f map[string][]byte) { f[record.JournalName] = nil }, want: "does not say"},
		"nothing happened yet":    {change: func(f map[string][]byte) { f[record.JournalName] = nil }, state: "unfinished"},
		"text before a signature": {sign: signed("hidden\n", ""), want: "is not written as"},
		"text behind a signature": {sign: signed("", "hidden\n"), want: "is not written as"},
	} {
		files, m := parts(t), manifest
		if c.change != nil {
			c.change(files)
		}
		m.State, m.Configuration = cmp.Or(c.state, m.State), cmp.Or(c.digest, m.Configuration)
		_, err := record.Write(m, files, c.sign)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sign signs with a key that is always the same.
func sign(t testing.TB) func([]byte) ([]byte, error) {
	t.Helper()
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return func(text []byte) ([]byte, error) { return signing.Sign(nil, key, record.Namespace, text) }
}

// TestHoles: a tar of files with holes is small, and what it would unpack to is not.
func TestHoles(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"a", "b", "c"} {
		attributes := "25 GNU.sparse.size=20000\n26 GNU.sparse.numblocks=1\n22 GNU.sparse.map=0,0\n"
		begin := b.Len()
		for _, h := range []*tar.Header{{Typeflag: tar.TypeReg, Name: "x", Size: int64(len(attributes))},
			{Typeflag: tar.TypeReg, Name: name}} {
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(attributes)[:h.Size]); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		extended(b.Bytes()[begin:][:512])
	}
	for range 30 { // so that each of them is smaller than the tar
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "filler", Size: 512}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 512)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := record.Read(b.Bytes(), nil); err == nil || !strings.Contains(err.Error(), `"b" is more than`) {
		t.Errorf("%d bytes: %v", b.Len(), err)
	}
}

// extended makes the header of a plain file one of attributes (PAX) for the file after it.
func extended(header []byte) {
	const typeflag, sum = 156, 148
	header[typeflag] = tar.TypeXHeader
	copy(header[sum:], "        ")
	n := 0
	for _, b := range header {
		n += int(b)
	}
	copy(header[sum:], fmt.Sprintf("%06o\x00 ", n))
}

// FuzzRead: whatever is read does not crash, and what is taken is written again as the same bytes.
func FuzzRead(f *testing.F) {
	f.Add(written(f, parts(f)))
	f.Add([]byte("record.json"))
	signed, err := record.Write(manifest, parts(f), sign(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	me, err := record.Read(signed, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := record.Read(src, nil)
		if err != nil || r.Signer != "" && r.Signer != me.Signer {
			return
		}
		var with func([]byte) ([]byte, error)
		if r.Signer != "" {
			with = sign(t)
		}
		again, err := record.Write(r.Manifest, r.Files, with)
		if err != nil || !bytes.Equal(again, src) {
			t.Errorf("%v", err)
		}
	})
}

// TestReadingCopiesNothing: a large record is in memory once.
func TestReadingCopiesNothing(t *testing.T) {
	files := parts(t)
	files["large"] = make([]byte, 16<<20)
	src := written(t, files)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := record.Read(src, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > uint64(len(src))/4 {
		t.Errorf("reading %d bytes has made %d more", len(src), made)
	}
}
