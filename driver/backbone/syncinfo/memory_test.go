package syncinfo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/afero"
)

// writeEntries writes an export of n entries to a file.
func writeEntries(t *testing.T, name string, n int, entry func(i int) string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range n {
		sep := ",\n"
		if i == 0 {
			sep = `{"firstConnector":[`
		}
		w.WriteString(sep + entry(i))
	}
	w.WriteString("]}")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// onDisk makes the options for two files of a new folder.
func onDisk(t *testing.T) (dir string, o MergeOptions) {
	dir = t.TempDir()
	return dir, MergeOptions{Fs: afero.NewOsFs(), Master: filepath.Join(dir, "a"), Slave: filepath.Join(dir, "b"),
		Out: filepath.Join(dir, "out"), Migrating: Slave}
}

// allocated is how much is allocated in all while do runs, garbage included: more garbage makes a larger process.
func allocated(do func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestMergeMemory checks that a merge allocates, including garbage, no more than the set of pairs and its few
// buffers, even if the entries' IDs are in no order and must be kept to be compared.
func TestMergeMemory(t *testing.T) {
	const n, buffers = 200_000, 6 << 20
	for _, c := range []struct {
		name  string
		id    int // added to the message sequence ids
		apart int // from one issue's number to the next
		most  int64
	}{{"ordinary", 0, 1, 24}, {"numbers far apart", 0, 4000, 24}, {"times as counters", 1604663032918, 4000, 40}} {
		dir, o := onDisk(t)
		writeMirrored(t, dir, n, c.id, c.apart)
		for _, complete := range []bool{false, true} {
			o.CompleteComments = complete
			got := allocated(func() {
				report, err := Merge(context.Background(), o)
				if err != nil || report.Pairs != n || complete != (report.Completed == n) {
					t.Fatal(report, err)
				}
			})
			most := c.most*n + buffers
			if c.apart == 1 && !complete {
				most = buffers // see proof
			}
			if got > most {
				t.Errorf("%s, complete=%v: %d pairs took %d bytes, %.1f a pair", c.name, complete, n, got, float64(got-buffers)/n)
			}
		}
	}
}

// writeMirrored writes two files of n pairs. id is added to the message sequence ids; apart is the distance of two
// numbers of issues, and of two ids, which are in random order.
func writeMirrored(t *testing.T, dir string, n, id, apart int) {
	t.Helper()
	for name, mirror := range map[string]bool{"a": false, "b": true} {
		writeEntries(t, filepath.Join(dir, name), n, func(i int) string {
			local, remote, half, out, in := "A", "B", `{"localId":"1"}`, i%7, i%5
			if mirror {
				local, remote, half, out, in = remote, local, `{"remoteId":"1","localId":"2"}`, in, out
			}
			if i%3 == 0 {
				half += `],"attachments":[` // not all entries have the same members
			}
			return pair(fmt.Sprint(local, "-", 1+i*apart), fmt.Sprint(remote, "-", 1+i*apart),
				fmt.Sprintf(`,"outgoingMessageSequenceId":%d,"incomingMessageSequenceId":%d,"comments":[%s],"id":%d`, id+out,
					id+in, half, 1+i*7919%n*apart))
		})
	}
}

// TestAllocations checks that more pairs need almost no more allocations: at most one for 200 pairs, for what grows
// in steps.
func TestAllocations(t *testing.T) {
	const n, pairs = 20_000, 200
	for _, c := range []struct {
		complete bool
		apart    int // see writeMirrored
	}{{false, 1}, {false, 40_000}, {true, 1}} {
		merging := func(n int) float64 {
			dir, o := onDisk(t)
			o.CompleteComments = c.complete
			writeMirrored(t, dir, n, 0, c.apart)
			return testing.AllocsPerRun(2, func() {
				if report, err := Merge(t.Context(), o); err != nil || report.Pairs != n {
					t.Fatal(report, err)
				}
			})
		}
		if more := merging(2*n) - merging(n); more > n/pairs {
			t.Errorf("%v: %.0f allocations more for %d pairs more", c, more, n)
		}
	}
}

// TestCompleteLargeEntry checks that the memory for one entry is a small multiple of its size.
func TestCompleteLargeEntry(t *testing.T) {
	const comments = 200_000
	dir, o := onDisk(t)
	o.CompleteComments = true
	var size int64
	for name, format := range map[string]string{"a": `{"localId":"%[1]d"}`,
		"b": `{"remoteId":"%[1]d","localId":"x%[1]d"}`} {
		var list strings.Builder
		for i := range comments {
			if i > 0 {
				list.WriteString(",\n          ")
			}
			fmt.Fprintf(&list, format, i)
		}
		local, remote := "A-1", "B-1"
		if name == "b" {
			local, remote = remote, local
		}
		text := export(pair(local, remote, `,"comments":[`+list.String()+`]`))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		size = max(size, int64(len(text)))
	}
	got := allocated(func() {
		if report, err := Merge(context.Background(), o); err != nil || report.Completed != comments {
			t.Fatal(report, err)
		}
	})
	if got > 20*size {
		t.Errorf("an entry of %d bytes took %d bytes", size, got)
	}
}

// countedFs counts how often files are read at random.
type countedFs struct {
	afero.Fs
	reads *int
}

func (c countedFs) Open(name string) (afero.File, error) {
	f, err := c.Fs.Open(name)
	return countedFile{f, c.reads}, err
}

type countedFile struct {
	afero.File
	reads *int
}

func (c countedFile) ReadAt(p []byte, at int64) (int, error) {
	*c.reads += len(p)
	return c.File.ReadAt(p, at)
}

// TestMergeRepeated checks that a pair that is repeated very often is not compared with all its repetitions.
func TestMergeRepeated(t *testing.T) {
	const n = 50_000
	dir, o := onDisk(t)
	for name, keys := range map[string][2]string{"a": {"A-1", "B-1"}, "b": {"B-1", "A-1"}} {
		writeEntries(t, filepath.Join(dir, name), n, func(int) string { return pair(keys[0], keys[1], "") })
	}
	reads := 0
	o.Fs, o.Allow = countedFs{o.Fs, &reads}, []Rule{Doubled}
	report, err := Merge(context.Background(), o)
	if err != nil || report.Pairs != 1 || len(report.Warnings) != 3 || report.Warnings[1].Count != n-1 ||
		report.Warnings[2].Count != n-1 {
		t.Fatalf("%+v %v", report, err)
	}
	if most := 4 * int(report.BytesIn); reads > most {
		t.Errorf("%d bytes were read again, more than %d", reads, most)
	}
	s := NewSet()
	for i := range n {
		if err := s.Add(&Entry{LocalKey: []byte("A"), RemoteKey: []byte("B"), Offset: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	if lo, hi := s.find(s.hash([]byte("A"), []byte("B"))); hi-lo != 1 {
		t.Errorf("%d records are walked through", hi-lo)
	}
}

// TestReaderSkipsLargeMember checks that skipped members are not kept in memory, however large they are.
func TestReaderSkipsLargeMember(t *testing.T) {
	piece := `{"a":["é\u00e9\n\\",1.5e3,{},[],true,null,"` + strings.Repeat("xyz\\\"", 200) + `"]}`
	repeat := func(s string, n int) io.Reader {
		readers := make([]io.Reader, n)
		for i := range readers {
			readers[i] = strings.NewReader(s)
		}
		return io.MultiReader(readers...)
	}
	for _, c := range []struct {
		name, before, after string
		body                io.Reader
	}{
		{"array", `[1`, `]`, repeat(","+piece, 4000)},
		{"string", `"`, `"`, repeat(`long \u00e9 é\\ text`, 100_000)},
	} {
		in := io.MultiReader(strings.NewReader(`{"x":`+c.before), c.body,
			strings.NewReader(c.after+`,"firstConnector":[`+ok+`]}`))
		var entries []Entry
		var err error
		got := allocated(func() { entries, err = readAll(NewExportReader("f", in, MaxEntry(10_000), smallBuffer(1000))) })
		if err != nil || len(entries) != 1 || got > 1<<20 {
			t.Errorf("%s: %d entries, %v, %d bytes", c.name, len(entries), err, got)
		}
	}
}
