package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file makes a source with random access; stream makes one without.
func file(name, text string) Source {
	return Source{Name: name, Open: func() (io.ReadCloser, error) {
		return struct {
			*strings.Reader
			io.Closer
		}{strings.NewReader(text), io.NopCloser(nil)}, nil
	}}
}

func stream(name, text string) Source {
	return Source{Name: name, Array: true, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

func TestComparePairs(t *testing.T) {
	var want, got []string
	for i := range 40 {
		want = append(want, pair(fmt.Sprint("A-", i), fmt.Sprint("B-", i), ""))
		got = append([]string{pair(fmt.Sprint("A-", i), fmt.Sprint("B-", i), `,"id":7`)}, got...)
	}
	array := func(e []string) string { return "[" + strings.Join(e, ",\n") + "]" }
	same, err := ComparePairs(context.Background(), file("export", export(want...)), stream("connector", array(got)))
	if err != nil || !same.Same() || same.String() != "" || same.WantPairs != 40 || same.GotPairs != 40 {
		t.Errorf("%+v %v", same, err)
	}

	got = append(got[12:], pair("A-0", "B-0", ""), pair("B-1", "A-1", ""), pair("X-1", "Y-1", ""), pair("X-1", "Y-1", ""))
	diff, err := ComparePairs(context.Background(), file("export", export(want...)), stream("connector", array(got)))
	if err != nil || diff.Same() {
		t.Fatal(diff, err)
	}
	text := `12 of 40 pairs of export missing in connector
  export:29:1: A-28 with B-28
  export:30:1: A-29 with B-29
  export:31:1: A-30 with B-30
  export:32:1: A-31 with B-31
  export:33:1: A-32 with B-32
  export:34:1: A-33 with B-33
  export:35:1: A-34 with B-34
  export:36:1: A-35 with B-35
  export:37:1: A-36 with B-36
  export:38:1: A-37 with B-37
  and 2 more
2 of 32 pairs in connector unknown to export
  connector:30:1: B-1 with A-1
  connector:31:1: X-1 with Y-1
2 of 32 pairs in connector there more than once
  connector:29:1: A-0 with B-0
  connector:32:1: X-1 with Y-1
`
	if d := cmp.Diff(text, diff.String()); d != "" {
		t.Error(d)
	}

	twice, err := ComparePairs(context.Background(), file("export", export(want[0], want[0])), stream("connector",
		array(want[:1])))
	if err != nil || !twice.Same() || twice.WantTwice != 1 {
		t.Errorf("%+v %v", twice, err)
	}
	merged := string(vendor(t, "merged-master-migrates.json"))
	one := file("merged", merged)
	one.Section = Second
	got2, err := ComparePairs(context.Background(), file("master", string(vendor(t, "master.json"))), withSecond(one))
	if err != nil || !got2.Same() {
		t.Errorf("%+v %v", got2, err)
	}
	cause := errors.New("no way")
	broken := Source{Name: "b", Open: func() (io.ReadCloser, error) { return nil, cause }}
	if _, err := ComparePairs(context.Background(), broken, one); !errors.Is(err, cause) {
		t.Error(err)
	}
	var syntax *SyntaxError
	if _, err := ComparePairs(context.Background(), one, stream("s", "[1]")); !errors.As(err, &syntax) {
		t.Error(err)
	}
}

func withSecond(s Source) Source { s.Section = Second; return s }

func TestDrained(t *testing.T) {
	entry := func(local, remote string, out, in int64) string {
		return pair(local, remote, fmt.Sprintf(`,"outgoingMessageSequenceId":%d,"incomingMessageSequenceId":%d`, out, in))
	}
	read := func(name string, e ...string) *Reader {
		return NewArrayReader(name, strings.NewReader("["+strings.Join(e, ",")+"]"))
	}
	d, err := Drained(context.Background(),
		read("master", entry("A-1", "B-1", 2, 1), entry("A-2", "B-2", 5, 1), entry("A-3", "B-3", math.MaxInt64,
			math.MinInt64), pair("A-4", "B-4", ""), entry("A-5", "B-5", 1, 1)),
		read("slave", entry("B-3", "A-3", math.MinInt64, math.MaxInt64), entry("B-2", "A-2", 3, 4), entry("B-1",
			"A-1", 1, 2), entry("B-4", "A-4", 9, 9), entry("B-6", "A-6", 1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Drain{Pairs: 4, Compared: 6, Unpaired: 2, InFlight: 2, SumA: -1, SumB: 14, Uncompared: 1,
		FirstUncompared: []Example{
			{"", "B-4 with A-4: outgoingMessageSequenceId is unknown at master, incomingMessageSequenceId is unknown at " +
				"master"},
		}, First: []InFlight{
			{From: "master", To: "slave", FromKey: "A-2", ToKey: "B-2", Sent: 5, Applied: 4, Where: "slave:1:140"},
			{From: "slave", To: "master", FromKey: "B-2", ToKey: "A-2", Sent: 3, Applied: 1, Where: "slave:1:140"},
		}}
	want.First[0].Where, want.First[1].Where = d.First[0].Where, d.First[1].Where
	want.FirstUncompared[0].Where = d.FirstUncompared[0].Where
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	text := `2 still in flight
  A-2 (master) to B-2 (slave): sent 5, applied 4
  B-2 (slave) to A-2 (master): sent 3, applied 1
1 pair that could not be compared
  ` + d.FirstUncompared[0].String() + "\n"
	if diff := cmp.Diff(text, d.String()); diff != "" || d.Empty() {
		t.Error(diff)
	}
	var a, b []string
	for i := range int64(30) {
		a, b = append(a, entry(fmt.Sprint("A-", i), "B-1", i, 0)), append(b, entry("B-1", fmt.Sprint("A-", i), 0, i+1))
	}
	if d, err = Drained(context.Background(), read("a", a...), read("b", b...)); err != nil || d.InFlight != 30 ||
		d.Overrun != 30 || len(d.First) != 10 || !strings.HasSuffix(d.String(), "  and 20 more\n") {
		t.Errorf("%+v %v", d, err)
	}
	if d, err = Drained(context.Background(), read("a"), read("b")); err != nil || !d.Empty() || d.String() != "" {
		t.Errorf("%+v %v", d, err)
	}
	// A missing counter is unknown, not 0: on either end, in either direction.
	const out, in = `,"outgoingMessageSequenceId":0`, `,"incomingMessageSequenceId":0`
	for _, c := range []struct {
		a, b       string
		uncompared int
	}{
		{out + in, out + in, 0}, {out + in, out, 1}, {out + in, in, 1}, {out, out + in, 1}, {in, out + in, 1}, {"", "", 1},
		{out + in, out + `,"incomingMessageSequenceId":null`, 1}, {out + in, out + `,"incomingMessageSequenceId":0.5`, 1},
		{out + in, out + `,"incomingMessageSequenceID":0`, 1},
	} {
		d, err := Drained(context.Background(), read("a", pair("A-1", "B-1", c.a)), read("b", pair("B-1", "A-1", c.b)))
		if err != nil || d.Uncompared != c.uncompared || len(d.FirstUncompared) != c.uncompared || d.InFlight != 0 ||
			d.Pairs != 1 {
			t.Errorf("%s and %s: %+v, %v", c.a, c.b, d, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Drained(ctx, read("a"), read("b")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
