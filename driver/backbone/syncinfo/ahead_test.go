package syncinfo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/syncctl/syncctl/fault"
	"pgregory.net/rapid"
)

// late is a reader that gives nothing before something is known.
type late struct {
	io.Reader
	known chan struct{}
}

func (l late) Read(b []byte) (int, error) {
	<-l.known
	return l.Reader.Read(b)
}

// scanAll reads all entries of an export, which is read ahead in pieces of that size. Entries seem to begin with start.
// It returns how many of them had been scanned ahead.
func scanAll(src io.Reader, size int, start string, all *pieces, maxEntry int) (out []Entry, ahead int, err error) {
	known := make(chan struct{})
	a := readAhead(late{src, known}, all, size, maxEntry, false)
	defer a.stop()
	if begin := []byte(start); start != "" {
		a.start.Store(&begin)
	}
	close(known)
	r := NewExportReader("f", a, WithSecond(), smallBuffer(17), MaxEntry(maxEntry))
	r.ahead = a
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, ahead, nil
		}
		if err != nil {
			return out, ahead, err
		}
		if e != &r.own {
			ahead++
		}
		out = append(out, clone(e))
	}
}

// ragged is a reader that gives a part of what it is asked for, each time another one.
type ragged struct {
	io.Reader
	n int
}

func (r *ragged) Read(b []byte) (int, error) {
	r.n += 7919
	return r.Reader.Read(b[:1+r.n%len(b)])
}

// agrees checks that what is scanned ahead are the entries that are read one by one, with the same error.
func agrees(t interface{ Fatalf(string, ...any) }, text string, size, maxEntry int, start string,
	all *pieces) (ahead int) {
	want, wantErr := readAll(NewExportReader("f", strings.NewReader(text), WithSecond(), MaxEntry(maxEntry)))
	for _, src := range []io.Reader{&ragged{strings.NewReader(text), size}, strings.NewReader(text)} {
		var got []Entry
		var err error
		got, ahead, err = scanAll(src, size, start, all, maxEntry)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || len(got) != len(want) {
			t.Fatalf("pieces of %d, %q: %d entries, %v; one by one %d, %v\n%.500s", size, start, len(got), err,
				len(want), wantErr, text)
		}
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("pieces of %d, %q, entry %d: %+v; one by one %+v\n%.500s", size, start, i, got[i], want[i], text)
			}
		}
	}
	return ahead
}

// TestScanAhead checks that entries that are scanned ahead are those that are read one by one, whatever the size of the
// pieces, and with the same error.
func TestScanAhead(t *testing.T) {
	var list []string
	for i := range 1500 {
		more := fmt.Sprintf(`,"id":%d.0,"connectorKey":"\u0041%d","p":%q%s`, i, i, strings.Repeat("x", i%97*(i%5)),
			strings.Repeat("\n", i%3))
		list = append(list, pair(fmt.Sprintf(`\u0041-%d`, i), fmt.Sprintf(`B\u002d%d`, i), more))
	}
	all := pieces{}
	for _, text := range []string{`{"firstConnector":[]}`, export(list...), export(list[:500]...),
		export(append([]string{pair("A-x", "B-x", `,"p":"`+strings.Repeat("x", 4*firstBuffer)+`"`)}, list...)...),
		export(append(list, `{"id":1}`)...), export(list...)[:100_000], "",
		export(list[:9]...)[:len(export(list[:9]...))-1] + `,"secondConnector":[` + strings.Join(list, "\n,\n") + "]}"} {
		for _, size := range []int{17, 1000, firstBuffer} {
			for _, start := range []string{"", `{"localIssueKey":`, `{`} {
				agrees(t, text, size, DefaultMaxEntry, start, &all)
				agrees(t, text, size, 120, start, &all)
			}
		}
	}
	for _, size := range []int{2000, firstBuffer} {
		if ahead := agrees(t, export(list...), size, DefaultMaxEntry, `{"localIssueKey":`, &all); ahead < len(list)/2 {
			t.Errorf("pieces of %d: %d of %d entries have been scanned ahead", size, ahead, len(list))
		}
	}
	list = nil
	for i := range 40 {
		more := fmt.Sprintf(`,"p":%q`, strings.Repeat("x", 200_000+i))
		list = append(list, pair(fmt.Sprintf("A-%d", i), fmt.Sprintf("B-%d", i), more))
	}
	if ahead := agrees(t, export(list...), firstBuffer, DefaultMaxEntry, "", &all); ahead < len(list)/4 {
		t.Errorf("%d of %d large entries have been scanned ahead", ahead, len(list))
	}
	list = nil
	for i := range 60_000 {
		list = append(list, pair(fmt.Sprint("A-", i), fmt.Sprint("B-", i), ""))
	}
	ahead := agrees(t, export(list...), firstBuffer, DefaultMaxEntry, `{"localIssueKey":`, &all)
	if ahead < len(list)/2 {
		t.Errorf("%d of %d short entries have been scanned ahead", ahead, len(list))
	}
	all = pieces{}
	text := export(strings.Split(strings.Repeat(ok+"\n", 50_000), "\n")[:50_000]...)
	if ahead := agrees(t, text, firstBuffer, DefaultMaxEntry, "", &all); ahead < 1000 {
		t.Errorf("%d entries have been scanned ahead without knowing how they begin", ahead)
	}
}

// TestScanAheadIsExact checks it with texts in which entries seem to begin where they do not, and with mistakes.
func TestScanAheadIsExact(t *testing.T) {
	const like = `{"localIssueKey":"A-1","remoteIssueKey":"B-1"}`
	quoted := strings.ReplaceAll(like, `"`, `\"`)
	values := []string{like, "[" + like + "," + like + "," + like + "]", `{"x":[` + like + "]}", `"` + quoted + `"`,
		`"},` + quoted + `,` + quoted + `,{"`, `"\\"`, `"\\\",` + quoted + `"`, `"{"`, `"[}]"`, "1.5e3", `"é\n"`,
		"[[[\n[]]]]", "\n null\n"}
	all := pieces{}
	scanned := 0
	exact := func(t *rapid.T) {
		var list []string
		for i := range rapid.IntRange(2, 30).Draw(t, "entries") {
			members := []string{fmt.Sprintf(`"localIssueKey":"A-%d"`, i), fmt.Sprintf(`"remoteIssueKey":"B-%d"`, i)}
			for k := range rapid.IntRange(0, 3).Draw(t, "members") {
				name := rapid.SampledFrom([]string{"x", "id", "comments", "lastOutgoingChange", "{", "}"}).Draw(t, "name")
				value := rapid.SampledFrom(values).Draw(t, "value")
				members = append(members, fmt.Sprintf(`"%s%s":%s`, name, strings.Repeat("'", k), value))
			}
			members = rapid.Permutation(members).Draw(t, "order")
			list = append(list, blanks.Draw(t, "blank")+"{"+strings.Join(members, ",")+"}"+blanks.Draw(t, "blank"))
		}
		text := []byte(export(list...))
		for range max(0, rapid.IntRange(-3, 2).Draw(t, "mistakes")) {
			b := rapid.SampledFrom([]byte(`{}[],:"\ 0a`+"\n\xff")).Draw(t, "byte")
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = b
		}
		start := rapid.SampledFrom([]string{"", `{"localIssueKey":`, "{", `"`, `{"x`, ",", "}", `{\"`}).Draw(t, "start")
		size := rapid.SampledFrom([]int{1, 17, 50, 100, 101, 200, 400, 1000}).Draw(t, "size")
		scanned += agrees(t, string(text), size, DefaultMaxEntry, start, &all)
	}
	for n := 0; n < 20 || scanned < 500 && n < 500; n++ { // with -short, Check makes a fifth
		rapid.Check(t, exact)
	}
	if scanned < 500 {
		t.Errorf("%d entries have been scanned ahead", scanned)
	}
}

// TestReadAhead checks that what is read ahead arrives unchanged, its error last, and that it can be stopped early.
func TestReadAhead(t *testing.T) {
	broken := errors.New("broken")
	begin := []byte("0")
	for _, n := range []int{0, 1, firstBuffer, 10*firstBuffer + 1} {
		want := strings.Repeat("0123456", n/7+1)[:n]
		read := func(src io.Reader) *ahead {
			a := readAhead(src, &pieces{}, firstBuffer, 1, false)
			a.start.Store(&begin)
			return a
		}
		a := read(io.MultiReader(iotest.HalfReader(strings.NewReader(want)), iotest.ErrReader(broken)))
		if got, err := io.ReadAll(a); string(got) != want || !errors.Is(err, broken) {
			t.Errorf("%d bytes of %d, %v", len(got), n, err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, broken) {
			t.Error(err)
		}
		a.stop()
		a = read(iotest.DataErrReader(strings.NewReader(want)))
		if _, err := io.ReadFull(a, make([]byte, n/2)); err != nil {
			t.Error(err)
		}
		a.stop()
		a = read(iotest.DataErrReader(strings.NewReader(want)))
		if got, err := io.ReadAll(iotest.OneByteReader(a)); string(got) != want || err != nil {
			t.Errorf("%d bytes of %d, %v", len(got), n, err)
		}
		a.stop()
	}
}

// panicking panics when it is read.
type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("read") }

// TestReadAheadRaises checks that a fault in one of the goroutines, reading or scanning, is one of who reads.
func TestReadAheadRaises(t *testing.T) {
	all := &pieces{}
	text := export(strings.Split(strings.Repeat(ok+"\n", 500), "\n")[:500]...)
	reading := func(src io.Reader) error {
		return fault.Do(func() error { _, _, err := scanAll(src, 1000, "{", all, DefaultMaxEntry); return err })
	}
	if err := reading(io.MultiReader(strings.NewReader(text[:5000]), panicking{})); !fault.Is(err) {
		t.Error(err)
	}
	if err := reading(iotest.TimeoutReader(bytes.NewReader([]byte(text)))); !errors.Is(err, iotest.ErrTimeout) {
		t.Error(err)
	}
	if err := reading(strings.NewReader(text)); err != nil {
		t.Error(err)
	}
	for i := range all {
		all[i].s.forms = []*form{nil} // looking at it panics
		all[i].s.brace = form{}
	}
	if err := reading(strings.NewReader(text)); !fault.Is(err) {
		t.Error(err)
	}
}

// scanCounter counts the bytes that a Reader has looked at when it asks for more.
type scanCounter struct {
	*ahead
	of      *Reader
	last, n int
}

func (c *scanCounter) Read(b []byte) (int, error) {
	if c.of.s.n != c.last {
		c.last = c.of.s.n
		c.n += c.last
	}
	return c.ahead.Read(b)
}

// TestHugeEntryOfMany checks that a huge entry is not scanned again for each piece in which entries seem to begin.
func TestHugeEntryOfMany(t *testing.T) {
	const like = `{"localIssueKey":"A","remoteIssueKey":"B"}`
	text := export(pair("A-1", "B-1", ""), pair("A-2", "B-2", `,"x":[`+strings.Repeat(like+",", 200_000)+like+"]"))
	for _, size := range []int{firstBuffer, smallPiece} {
		a := readAhead(strings.NewReader(text), &pieces{}, size, DefaultMaxEntry, false)
		start := []byte(`{"localIssueKey":`)
		a.start.Store(&start)
		counter := &scanCounter{ahead: a}
		r := NewExportReader("f", counter)
		r.ahead, counter.of = a, r
		n := 0
		_, err := r.Next()
		for ; err == nil; n++ {
			_, err = r.Next()
		}
		a.stop()
		if !errors.Is(err, io.EOF) || n != 2 {
			t.Fatal(n, err)
		}
		if counter.n > 4*len(text) {
			t.Errorf("in pieces of %d, %d bytes are scanned of %d", size, counter.n, len(text))
		}
	}
}
