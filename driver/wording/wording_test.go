package wording_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/syncctl/syncctl/driver/wording"
)

// TestEnded checks that a premature end is described in words, and that the error still wraps the original one.
func TestEnded(t *testing.T) {
	t.Parallel()
	other := errors.New("refused")
	for _, c := range []struct {
		got, was error
		want     string
	}{
		{wording.Closed(io.EOF), io.EOF, "the other side closed the connection"},
		{wording.Closed(fmt.Errorf("shaking hands: %w", io.EOF)), io.EOF,
			"shaking hands: the other side closed the connection"},
		{wording.Short(fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF, "reading: it ends too early"},
		{wording.Short(json.Unmarshal([]byte("{"), new(any))), nil, "it ends too early"},
		{wording.Short(other), other, "refused"},
	} {
		if c.got.Error() != c.want || c.was != nil && !errors.Is(c.got, c.was) {
			t.Errorf("%q, want %q and to be %v", c.got, c.want, c.was)
		}
	}
	if wording.Closed(nil) != nil {
		t.Error("nothing became an error")
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n          int
		noun, want string
	}{
		{1, "resource", "1 resource"}, {0, "resource", "0 resources"}, {2, "category", "2 categories"}, {2, "branch",
			"2 branches"},
		{2, "day", "2 days"}, {0, "key", "0 keys"},
	} {
		if got := wording.Plural(c.n, c.noun); got != c.want {
			t.Errorf("%d %s: %q, want %q", c.n, c.noun, got, c.want)
		}
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	letters := strings.Split("abcdefghijkl", "")
	if got := wording.List(letters); got != "a, b, c, d, e, f, g, h, i, j and 2 more" {
		t.Errorf("list: %q", got)
	}
	if got := wording.List([]string{"a\n::b", "c"}); got != `a\n::b, c` {
		t.Errorf("a name has lines of its own: %q", got)
	}
	if got := wording.QuotedList(letters[:2]); got != `"a", "b"` {
		t.Errorf("quoted list: %q", got)
	}
	if got := wording.Sentences(letters[:4]); got != "a; b; c and 1 more" {
		t.Errorf("sentences: %q", got)
	}
	if got := wording.FirstTen(letters); len(got) != 11 || got[10] != "and 2 more" || letters[10] != "k" {
		t.Errorf("first ten: %q, of %q", got, letters)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	var even []int
	for n := range 40 {
		even = append(even, 2*n)
	}
	for _, c := range []struct {
		numbers []int
		want    string
	}{
		{[]int{1, 2, 3, 8}, "1-3, 8"}, {[]int{5}, "5"}, {nil, ""}, {[]int{2, 1, 2}, "1, 2"},
		{even, "0, 2, 4, 6, 8, 10, 12, 14, 16, 18 and more, up to 78"},
	} {
		if got := wording.Spans(c.numbers); got != c.want {
			t.Errorf("%v: %q, want %q", c.numbers, got, c.want)
		}
	}
}

func TestForeignText(t *testing.T) {
	t.Parallel()
	if got := wording.Quote(" a\x1b[31mb\n"); got != `"a [31mb"` {
		t.Errorf("quote: %s", got)
	}
	if got := wording.Quote(strings.Repeat("é", 300)); got != `"`+strings.Repeat("é", 200)+`…"` {
		t.Errorf("a long line is cut to %d bytes", len(got))
	}
	if got := wording.OneLine("a  b\x1b"); got != `a b\x1b` {
		t.Errorf("one line: %q", got)
	}
	if got := wording.OneLine("a\n\u202eb\u2028\x7f\xff\u0085é"); got != `a\n\u202eb\u2028\x7f\xff\u0085é` {
		t.Errorf("printable: %q", got)
	}
	if got := wording.Message(" a\n\tb\x00 "+strings.Repeat("é", 300), 10); got != `a b\x00 é…` {
		t.Errorf("message: %q", got)
	}
	many := slices.Repeat([]string{"a\nb", strings.Repeat("é", 3000)}, 6)
	if got := wording.Foreign(many); !strings.HasPrefix(got, "a b; é") || !strings.HasSuffix(got, "…; and 2 more") ||
		utf8.RuneCountInString(got) > 5100 || many[0] != "a\nb" {
		t.Errorf("foreign: %d bytes, %q", len(got), got[:20])
	}
	if got := wording.Foreign([]string{"a", "b"}) + wording.Foreign(nil); got != "a; b" {
		t.Errorf("foreign: %q", got)
	}
	if got := wording.Lines(" a \r\n\n b"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("lines: %q", got)
	}
}
