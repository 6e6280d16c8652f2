package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// provable is a pair of a good export that has a mirror.
type provable struct {
	project     [2]string
	number      [2]int
	sent        [2]int // outgoing, incoming
	id          int
	known, text bool // the counters are there; the id is a text
}

func (p provable) mirror() provable {
	for _, two := range []*[2]int{&p.number, &p.sent} {
		two[0], two[1] = two[1], two[0]
	}
	p.project[0], p.project[1] = p.project[1], p.project[0]
	return p
}

func (p provable) entry() string {
	id := fmt.Sprint(p.id)
	if p.text {
		id = fmt.Sprintf(`"x%d"`, p.id)
	}
	more := `,"id":` + id
	if p.known {
		more += fmt.Sprintf(`,"outgoingMessageSequenceId":%d,"incomingMessageSequenceId":%d`, p.sent[0], p.sent[1])
	}
	return pair(fmt.Sprint(p.project[0], "-", p.number[0]), fmt.Sprint(p.project[1], "-", p.number[1]), more)
}

// TestProofAgreesWithSets merges files with and without mistakes. What the proof lets pass must be what the sets find
// nothing wrong with. A merge that completes comments always uses the sets.
func TestProofAgreesWithSets(t *testing.T) {
	proven, refused := 0, 0
	agree := func(t *rapid.T) {
		number := func(name string, most int) int { return rapid.IntRange(1, most).Draw(t, name) }
		numbers := func(name string, n int) []int {
			return rapid.Permutation(slices.Collect(func(yield func(int) bool) {
				for i := 1; i <= n && yield(i); i++ {
				}
			})).Draw(t, name)
		}
		n, counters := rapid.IntRange(0, 5).Draw(t, "pairs"), rapid.IntRange(0, 3).Draw(t, "counters") > 0
		var sides [2][]provable
		local, remote, ids := numbers("local", n), numbers("remote", n), numbers("ids", n)
		for i := range n {
			sides[0] = append(sides[0], provable{project: [2]string{"A", "B"}, number: [2]int{local[i], remote[i]},
				sent: [2]int{number("sent", 3), number("applied", 3)}, id: ids[i], known: counters})
			sides[1] = append(sides[1], sides[0][i].mirror())
		}
		for i := range sides {
			sides[i] = rapid.Permutation(sides[i]).Draw(t, "order")
			for k := 0; k < len(sides[i]) && rapid.IntRange(0, 3).Draw(t, "mistake") == 0; k++ {
				p, which := &sides[i][k], rapid.IntRange(0, 1).Draw(t, "which")
				switch rapid.IntRange(0, 9).Draw(t, "kind") {
				case 0:
					p.number[which] = number("issue", n+1)
				case 1:
					p.sent[which] = number("messages", 4)
				case 2:
					p.id = number("id", n+1)
				case 3:
					p.known = !counters
				case 4:
					p.text = true
				case 5:
					p.project[which] = rapid.SampledFrom([]string{"A", "B", "C", "A-1", ""}).Draw(t, "project")
				case 6:
					*p = p.mirror()
				case 7:
					*p = sides[i][rapid.IntRange(0, len(sides[i])-1).Draw(t, "repeated")]
				case 8:
					sides[i] = append(sides[i], *p)
				default:
					sides[i] = slices.Delete(sides[i], k, k+1)
				}
			}
		}
		var texts [2]string
		for i := range sides {
			var entries []string
			for _, p := range sides[i] {
				entries = append(entries, p.entry())
			}
			texts[i] = export(entries...)
		}
		fs := afero.NewMemMapFs()
		for i, name := range []string{"w/master.json", "w/slave.json"} {
			if err := afero.WriteFile(fs, name, []byte(texts[i]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		read := 0
		o := options(sizedFs{fs, &read}, rapid.SampledFrom([]Role{Master, Slave}).Draw(t, "migrating"))
		got, err := Merge(context.Background(), o)
		if err == nil && int64(read) == got.BytesIn {
			proven++
		} else {
			refused++
		}
		o.CompleteComments = true
		want, errWant := Merge(context.Background(), o)
		if fmt.Sprint(err) != fmt.Sprint(errWant) || !cmp.Equal(got, want) {
			t.Fatalf("%v\nwith sets: %v\n%s\n%s\n%s", err, errWant, cmp.Diff(got, want), texts[0], texts[1])
		}
	}
	for proven+refused < 100 { // with -short, Check makes a fifth
		rapid.Check(t, agree)
	}
	if proven < 10 || refused < 10 {
		t.Errorf("%d files were read once, %d were not or refused", proven, refused)
	}
}

// TestProofFails changes one thing of two good files, in both of them or in one, that the proof must notice.
func TestProofFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *provable)
		both   bool
		want   Rule // "" if it is only a warning
	}{
		"nothing":          {func(*provable) {}, true, ""},
		"local issue":      {func(p *provable) { p.number[0] = 1 }, true, SharedIssue},
		"remote issue":     {func(p *provable) { p.number[1] = 1 }, true, SharedIssue},
		"both issues":      {func(p *provable) { p.number = [2]int{1, 1} }, true, Doubled},
		"number":           {func(p *provable) { p.number[1] = 9 }, false, Unmatched},
		"project":          {func(p *provable) { p.project[1] = "C" }, false, Unmatched},
		"outgoing":         {func(p *provable) { p.sent[0] = 9 }, false, SeqDiffer},
		"incoming":         {func(p *provable) { p.sent[1] = 9 }, false, SeqDiffer},
		"unknown":          {func(p *provable) { p.known = false }, true, ""},
		"known":            {func(p *provable) { p.known = true }, true, ""},
		"known at one end": {func(p *provable) { p.known = true }, false, ""},
		"id of the last":   {func(p *provable) { p.id = 3 }, true, RepeatedID},
		"id of the first":  {func(p *provable) { p.id = 1 }, true, RepeatedID},
	} {
		t.Run(name, func(t *testing.T) {
			var sides [2][]string
			for i, id := range []int{1, 3, 2} {
				p := provable{project: [2]string{"A", "B"}, number: [2]int{i + 1, i + 1}, sent: [2]int{2, 1}, id: id,
					known: !strings.HasPrefix(name, "known")}
				good := p
				if i == 2 {
					c.change(&p)
				}
				if sides[0] = append(sides[0], p.entry()); c.both {
					good = p
				}
				sides[1] = append(sides[1], good.mirror().entry())
			}
			fs := memory(t, export(sides[0]...), export(sides[1]...))
			report, err := Merge(t.Context(), options(fs, Slave))
			var check *CheckError
			switch {
			case c.want == "":
				want := map[string]int{"unknown": 1, "known": 2, "known at one end": 3}[name]
				if err != nil || report.Uncompared != want {
					t.Error(report, err)
				}
			case !errors.As(err, &check) ||
				!slices.ContainsFunc(check.Findings, func(f Finding) bool { return f.Rule == c.want }):
				t.Error(err)
			}
		})
	}
}

// sizedFs counts the bytes that are read of files one after the other.
type sizedFs struct {
	afero.Fs
	read *int
}

func (s sizedFs) Open(name string) (afero.File, error) {
	f, err := s.Fs.Open(name)
	return sizedFile{f, s.read}, err
}

type sizedFile struct {
	afero.File
	read *int
}

func (s sizedFile) Read(p []byte) (int, error) {
	n, err := s.File.Read(p)
	*s.read += n
	return n, err
}

// TestMergeReadsOnce checks that large files with nothing wrong are read once, whatever their order, also if the issues
// are of several projects, or their numbers and the ids of the entries lie far apart, or no entry has a counter.
func TestMergeReadsOnce(t *testing.T) {
	const n = 30_000
	dir, o := onDisk(t)
	files := o.Fs
	once := func(name string) {
		t.Helper()
		read := 0
		o.Fs = sizedFs{files, &read}
		report, err := Merge(context.Background(), o)
		if err != nil || report.Pairs != n || int64(read) != report.BytesIn {
			t.Errorf("%s: %d bytes were read: %+v, %v", name, read, report, err)
		}
	}
	writeMirrored(t, dir, n, 0, 7)
	once("near")
	writeMirrored(t, dir, n, 0, 30_000)
	once("far apart")
	for name, mirror := range map[string]bool{"a": false, "b": true} {
		writeEntries(t, filepath.Join(dir, name), n, func(i int) string {
			i = i * 7919 % n
			local, remote := fmt.Sprint("A", i%7, "-", i/7), fmt.Sprint("B-", i)
			if mirror {
				local, remote = remote, local
			}
			return pair(local, remote, fmt.Sprintf(`,"id":"x%d"`, i))
		})
	}
	once("seven projects, no counters")
}

// TestDistinct adds texts, and checks that equal ones are noticed, and only these.
func TestDistinct(t *testing.T) {
	all := spare{}
	rapid.Check(t, func(t *rapid.T) {
		d := distinct{seed: maphash.MakeSeed(), numbers: numbers{most: 2}, hashes: &hashes{spare: &all}}
		seen := map[string]bool{}
		want := true
		text := func(n int) string {
			return rapid.SampledFrom([]string{"A-", "A-0", "B-", ""}).Draw(t, "prefix") + fmt.Sprint(n)
		}
		for i := range rapid.IntRange(0, 3000).Draw(t, "texts") {
			one := text(i * 3001)
			if rapid.IntRange(0, 3000).Draw(t, "any") == 0 {
				one = text(rapid.IntRange(0, 3000).Draw(t, "number") * 3001)
			}
			want = want && !seen[one]
			seen[one] = true
			d.add([]byte(one))
		}
		taken := len(all.chunks) + len(d.hashes.chunks)
		if got := d.end(); got != want || len(all.chunks) != taken {
			t.Fatal(got, want, len(all.chunks), taken)
		}
	})
}

// TestHashes checks that two equal hashes are noticed among many, and that their memory is used again.
func TestHashes(t *testing.T) {
	const n = 200_000
	middle := n / 2
	all := &spare{}
	for _, again := range []bool{false, true, false} {
		h := hashes{spare: all}
		for i := range n {
			h.add(uint64(i+1) * 0x9e3779b97f4a7c15)
		}
		if again {
			h.add(uint64(middle) * 0x9e3779b97f4a7c15)
		}
		if h.end() == again {
			t.Error(again)
		}
		if got := len(all.chunks) * len(chunk{}); got > n*hashBytes+len(chunk{})+hashBlock*len(h.lists) {
			t.Error(got, "bytes")
		}
	}
}

func TestNumbers(t *testing.T) {
	s := newNumbers(0)
	for _, n := range []uint32{0, 63, 64, 1, pageNumbers, pageNumbers - 1, 999_999_999} {
		for _, want := range []bool{true, false} {
			if isNew, fits := s.add(n); isNew != want || !fits {
				t.Error(n, isNew, fits)
			}
		}
	}
	taken := 3
	for ; ; taken++ {
		if _, fits := s.add(uint32(taken * 2 * pageNumbers)); !fits {
			break
		}
	}
	if taken*len(s.pages[0])*8 != 512<<10 {
		t.Errorf("%d pages", taken)
	}
	for text, want := range map[string]uint32{"1": 1, "999999999": 999_999_999} {
		if n, ok := numberIn([]byte(text)); !ok || n != want {
			t.Error(text, n, ok)
		}
	}
	for _, text := range []string{"", "0", "01", "-1", "1a", "1000000000", "1.0"} {
		if n, ok := numberIn([]byte(text)); ok {
			t.Error(text, n)
		}
	}
}

// TestReaderRemembersForms checks that an entry is read alike, whatever the entries before it were written like.
func TestReaderRemembersForms(t *testing.T) {
	names := []string{`"id"`, `"\u0069d"`, `"localIssueKey"`, `"remoteIssueKey"`, `"connectorKey"`, `"x"`, `"comments"`,
		`"lastOutgoingChange"`}
	rapid.Check(t, func(t *rapid.T) {
		var all []string
		for range rapid.IntRange(1, 8).Draw(t, "entries") {
			var b strings.Builder
			for i, name := range rapid.SliceOfN(rapid.SampledFrom(names), 0, 7).Draw(t, "names") {
				if i > 0 {
					b.WriteString(rapid.SampledFrom([]string{",", ",", ",", " ,", ",,", ""}).Draw(t, "comma"))
				}
				value := rapid.SampledFrom([]string{`"A-1"`, "12", "[ ]", `[{"localId":"1"}]`}).Draw(t, "value")
				colon := rapid.SampledFrom([]string{":", ":", ": ", ":  ", " : \n", strings.Repeat(" ", longestForm) + ":"})
				b.WriteString(name + colon.Draw(t, "colon") + value)
			}
			all = append(all, rapid.SampledFrom([]string{"{", "{ "}).Draw(t, "brace")+b.String()+
				rapid.SampledFrom([]string{"}", " }", "} ", ",}", ""}).Draw(t, "end"))
			for range rapid.IntRange(0, 2).Draw(t, "again") {
				all = append(all, rapid.SampledFrom(all).Draw(t, "one"))
			}
		}
		s := scanner{}
		for _, text := range all {
			alone := scanner{}
			var got, want Entry
			for _, one := range []struct {
				s *scanner
				e *Entry
			}{{&s, &got}, {&alone, &want}} {
				one.s.b, one.s.n = append([]byte(text), make([]byte, pad)...), len(text)
				if one.s.entry(0, one.e) < 0 {
					*one.e = Entry{RepeatedComment: fmt.Sprint(one.s.at, one.s.message())}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s\n%s", diff, strings.Join(all, "\n"))
			}
		}
	})
}

// TestReaderPlacesForms checks that a mistake has the same place whether or not what stands before it is remembered.
func TestReaderPlacesForms(t *testing.T) {
	const good = `{"localIssueKey":"A-1", "id": 1, "x": 1, "lastOutgoingChange": 2, "remoteIssueKey":"B-1"}`
	for _, text := range []string{`{"x": 1, "id": 1, "id": 2}`, `{"id": 1, "x": 1, "lastOutgoingChange": 2, "id": 2}`,
		`{"id": 1, "x": 1, "lastOutgoingChange": 2, "y": 3, "lastOutgoingChange": 2}`,
		`{"lastOutgoingChange": 2, "id": 1, "x": 1, "lastOutgoingChange": 2, "remoteIssueKey": 1}`} {
		place := strings.LastIndex(text, `"id"`)
		if strings.Count(text, `"id"`) == 1 {
			place = strings.LastIndex(text, `"lastOutgoingChange"`)
		}
		s := scanner{}
		for i, one := range []string{text, text, good, good, text, text} {
			s.b, s.n = append([]byte(one), make([]byte, pad)...), len(one)
			if read := s.entry(0, &Entry{}) >= 0; read != (one == good) || !read && s.at != place {
				t.Error(i, text, s.at, s.message())
			}
		}
	}
}

// TestReaderRemembersStretches checks that members whose values nobody needs are compared with those of the entry
// before, unless they change from entry to entry.
func TestReaderRemembersStretches(t *testing.T) {
	s := scanner{}
	for i := range 3 * mostMisses {
		text := pair(fmt.Sprint("A-", i), "B-1", fmt.Sprintf(`,"x":[],"y":%d,"z":{},"id":2,"v":"","w":[]`, i%2))
		s.b, s.n = append([]byte(text+" "), make([]byte, pad)...), len(text)+1
		if end := s.entry(0, &Entry{}); end != len(text) {
			t.Fatal(end, s.message())
		}
	}
	got := map[string]bool{string(s.brace.bytes): true}
	for f := s.brace.to; f != &s.closing; f = f.to {
		got[string(f.bytes)] = true
	}
	for _, want := range []string{`{"localIssueKey":`, `,"remoteIssueKey":`, `,"x":`, `,"y":`, `,"z":{},"id":`,
		`,"v":"","w":[]}`} {
		if want = strings.TrimPrefix(want, "{"); !got[want] {
			t.Error(want, "is not in", got)
		}
	}
}

// TestReaderForgetsForms checks that a file in which each entry has other members takes no more memory for it.
func TestReaderForgetsForms(t *testing.T) {
	var all []string
	for i := range 10 * mostForms {
		all = append(all, pair(fmt.Sprint("A-", i), "B-1", fmt.Sprintf(`,"m%d":1,"m%d":2,"id":%d`, i, i+1, i)))
	}
	r := NewExportReader("f", strings.NewReader(export(all...)))
	for i := range all {
		if e, err := r.Next(); err != nil || string(e.ID) != fmt.Sprint(i) || string(e.Raw) != all[i] {
			t.Fatal(e, err)
		}
	}
	if len(r.s.forms) > mostForms {
		t.Error(len(r.s.forms))
	}
}

// TestReaderForgetsLongMembers checks that what follows a value is not remembered if it is long.
func TestReaderForgetsLongMembers(t *testing.T) {
	long := pair("A-1", "B-1", `,"x":"`+strings.Repeat("x", 1<<20)+`","id":1`)
	r := NewExportReader("f", strings.NewReader(export(long)))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if n := cap(r.s.brace.stretch.bytes); n > 2*longestStretch {
		t.Error(n)
	}
	for _, f := range r.s.forms {
		if n := cap(f.stretch.bytes); n > 2*longestStretch {
			t.Errorf("%s: %d", f.text, n)
		}
	}
}

// silent is what a program writes that then neither goes on nor ends.
type silent struct {
	io.Reader
	ended chan struct{}
}

func (s silent) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		<-s.ended
	}
	return n, err
}

// TestMergeOfSilence checks that a mistake is reported at once, also if nothing follows it.
func TestMergeOfSilence(t *testing.T) {
	ended := make(chan struct{})
	defer close(ended)
	o := options(memory(t, "", export()), Slave)
	o.Master, o.TempDir = Standard, "w"
	o.Stdin = silent{strings.NewReader(`{"firstConnector":[}` + strings.Repeat(" ", firstBuffer)), ended}
	merged := make(chan error)
	go func() {
		_, err := Merge(context.Background(), o)
		merged <- err
	}()
	select {
	case err := <-merged:
		if !errors.As(err, new(*SyntaxError)) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for more")
	}
}
