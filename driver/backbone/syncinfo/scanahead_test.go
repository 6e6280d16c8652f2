package syncinfo

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/syncctl/syncctl/fault"
)

// scanAll reads all entries ahead. It gives the goroutine time before it takes each.
func scanAll(r *Reader, all *batches) (out []Entry, err error) {
	s := scanAhead(r, all)
	defer s.stop()
	err = s.each(func(e *Entry) error {
		for range 10 {
			runtime.Gosched()
		}
		out = append(out, clone(e))
		return nil
	})
	return out, err
}

// TestScanAhead checks that entries that are read ahead are those that are read one by one, whatever the size of the
// buffer, and with the same error.
func TestScanAhead(t *testing.T) {
	var list []string
	for i := range 2*batchEntries + 3 {
		more := fmt.Sprintf(`,"id":%d.0,"connectorKey":"\u0041%d","p":%q`, i, i, strings.Repeat("x", i%97*(i%5)))
		list = append(list, pair(fmt.Sprintf(`\u0041-%d`, i), fmt.Sprintf(`B\u002d%d`, i), more))
	}
	all := batches{}
	for _, text := range []string{`{"firstConnector":[]}`, export(list...), export(list[:batchEntries]...),
		export(append([]string{pair("A-x", "B-x", `,"p":"`+strings.Repeat("x", 4*firstBuffer)+`"`)}, list...)...),
		export(append(list, `{"id":1}`)...), export(list...)[:100_000], ""} {
		for _, size := range []int{17, 1000, firstBuffer} {
			read := func() *Reader { return NewExportReader("f", strings.NewReader(text), smallBuffer(size)) }
			want, wantErr := readAll(read())
			got, err := scanAll(read(), &all)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || len(got) != len(want) {
				t.Fatalf("buffer %d: %d entries, %v; one by one %d, %v", size, len(got), err, len(want), wantErr)
			}
			for i := range want {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("buffer %d, entry %d: %+v; one by one %+v", size, i, got[i], want[i])
				}
			}
		}
	}
}

// TestScanAheadMovesNothing checks that data that has not been scanned stays in its buffer from batch to batch: after a
// large entry the buffer is large, and there are many batches of small ones in it.
func TestScanAheadMovesNothing(t *testing.T) {
	all := batches{}
	text := export(strings.Split(strings.Repeat(ok+"\n", 5*batchEntries), "\n")[:5*batchEntries]...)
	if got, err := scanAll(NewExportReader("f", strings.NewReader(text), smallBuffer(len(text)+1)), &all); err != nil ||
		len(got) != 5*batchEntries {
		t.Fatal(len(got), err)
	}
	used := 0
	for _, b := range all {
		used += len(b.buf)
	}
	if used > 2*len(text) {
		t.Errorf("buffers of %d bytes for a text of %d", used, len(text))
	}
}

// TestScanAheadStops checks that reading ahead ends when nobody wants more, with the error of the file, and with a
// fault.
func TestScanAheadStops(t *testing.T) {
	text := export(strings.Split(strings.Repeat(ok+"\n", 5*batchEntries), "\n")[:5*batchEntries]...)
	broken := errors.New("broken")
	s := scanAhead(NewExportReader("f", strings.NewReader(text)), &batches{})
	if err := s.each(func(*Entry) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	s.stop()
	if _, more := <-s.full; more {
		t.Error("the goroutine has not ended")
	}
	r := NewExportReader("f", iotest.TimeoutReader(strings.NewReader(text)), smallBuffer(1000))
	if _, err := scanAll(r, &batches{}); !errors.Is(err, iotest.ErrTimeout) {
		t.Error(err)
	}
	r = NewExportReader("f", strings.NewReader(text))
	r.seen = nil // writing to it panics
	if err := fault.Do(func() error { _, err := scanAll(r, &batches{}); return err }); !fault.Is(err) {
		t.Error(err)
	}
}
