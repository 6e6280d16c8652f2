package record_test

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
)

var at = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

func parts(t testing.TB) map[string][]byte {
	t.Helper()
	var plan bytes.Buffer
	if err := (&planner.Plan{Format: planner.Format, Digest: "d"}).Encode(&plan); err != nil {
		t.Fatal(err)
	}
	entries, err := journal.Export([]journal.Entry{{Time: at, Key: "run", Event: "opened"},
		{Time: at.Add(time.Second), Key: "run", Event: "finished"}})
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{record.PlanName: plan.Bytes(), record.JournalName: entries,
		"configuration/ä.sync.hcl": []byte("x = 1\n"), "empty": nil}
}

func written(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	out, err := record.Write(record.Manifest{Run: "r1", State: "finished"}, files, nil)
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
	for _, n := range []int{0, 1, 511, 512, 1024, len(src) - 1, len(src) - 512, len(src) - 1024} {
		if _, err := record.Read(src[:n], nil); err == nil {
			t.Errorf("it can be cut to %d bytes", n)
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
	for name, change := range map[string]func(map[string][]byte){
		"a plan edited":    edit(record.PlanName, `"d"`, `"e"`),
		"an entry edited":  edit(record.JournalName, "opened", "closed"),
		"an entry changed": edit(record.JournalName, `{"seq":1`, `{"seq":2`),
		"half an entry":    edit(record.JournalName, "finished", "finished\n"),
		"no plan":          func(f map[string][]byte) { delete(f, record.PlanName) },
	} {
		files := parts(t)
		change(files)
		if _, err := record.Write(record.Manifest{}, files, nil); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
}

// FuzzRead: whatever is read does not crash, and what is taken is written again as the same bytes.
func FuzzRead(f *testing.F) {
	f.Add(written(f, parts(f)))
	f.Add([]byte("record.json"))
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := record.Read(src, nil)
		if err != nil || r.Signer != "" {
			return
		}
		again, err := record.Write(r.Manifest, r.Files, nil)
		if err != nil || !bytes.Equal(again, src) {
			t.Errorf("%v", err)
		}
	})
}
