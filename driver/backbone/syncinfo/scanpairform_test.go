package syncinfo

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// alone reads each object of a list by itself, and finds ids that two of them share with a map.
func alone(objects []string) (half int, repeated, ok bool) {
	seen := map[string]bool{}
	for _, text := range objects {
		s := scanner{b: append([]byte(text), make([]byte, pad)...), n: len(text)}
		var p pairSpan
		if s.pair(0, &p) != len(text) {
			return 0, false, false
		}
		if p.half() {
			half++
		}
		repeated = repeated || p.twice
		for i, id := range [2]span{p.local, p.remote} {
			if id.to > 0 {
				text, escaped := idText(id.of(s.b))
				if escaped {
					text, _ = unescape(nil, text)
				}
				key := fmt.Sprint(i, string(text))
				repeated = repeated || seen[key]
				seen[key] = true
			}
		}
	}
	return half, repeated, true
}

// TestPairsLikeBefore checks that an object is read alike, whatever the objects before it were written like, and that
// ids that two of them share are found, in whatever order.
func TestPairsLikeBefore(t *testing.T) {
	s := scanner{findTwice: true}
	fast, shared, good := 0, 0, 0
	check := func(t *rapid.T) {
		most := rapid.SampledFrom([]int{9, 1e3, 1e8, 1e10, 1e15, 1e17}).Draw(t, "most")
		same := rapid.SampledFrom([]string{`{"localId":"%d","remoteId":"%d"}`, `{"localId":"%d"}`, `{ "remoteId" : "%d"}`,
			`{"x":[1],"remoteId":"%d","localId":null}`, `{"localId":%d}`, `{"remoteId":"%d","localId":"%d" }`,
			`{"localId":"0%d"}`, `{"localId":"%dx"}`}).Draw(t, "same")
		step, next := rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "ids ascend by"), most
		var objects []string
		for range rapid.IntRange(0, 12).Draw(t, "objects") {
			format := same
			if rapid.IntRange(0, 5).Draw(t, "other") == 0 {
				format = rapid.SampledFrom([]string{`{}`, `{"localId":"%d","localId":"%d"}`, `{"localId":""}`,
					`{"localId":"%d","remoteId":""}`,
					`{"localId":"%d","remoteId":%d.0}`, `{"\u006cocalId":"%d"}`, `{"remoteId":"\u0031%d"}`, `{"localId":"%d"`,
					`{"localId":%d,}`, `{"localId":"%d" "remoteId":"%d"}`, `{"remoteId":0%d}`}).Draw(t, "format")
			}
			number := func() any {
				if next += step; step == 0 || rapid.IntRange(0, 9).Draw(t, "any") == 0 {
					return rapid.IntRange(0, most).Draw(t, "id")
				}
				return next - rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(t, "less")
			}
			objects = append(objects, fmt.Sprintf(format, []any{number(), number()}[:strings.Count(format, "%d")]...))
		}
		text := pair("A-1", "B-1", `,"comments":[`+strings.Join(objects, ",")+`]`)
		s.b, s.n = append([]byte(text), make([]byte, pad)...), len(text)
		for _, o := range objects {
			if s.likePair(strings.Index(text, o), &pairSpan{}) > 0 {
				fast++
			}
		}
		var e Entry
		read := s.entry(0, &e) == len(text)
		half, repeated, ok := alone(objects)
		if read != ok || ok && (e.Comments != len(objects) || e.HalfComments != half ||
			(e.RepeatedComment != "") != repeated) {
			t.Fatalf("%s: read %v, %+v; alone %v, %d half, repeated %v", text, read, e, ok, half, repeated)
		}
		if good++; repeated {
			shared++
		}
	}
	for good < 100 || fast < 100 || shared < 10 { // with -short, Check makes a fifth
		rapid.Check(t, check)
	}
}

// TestPackNumber checks that numbers are packed only if they can be told apart.
func TestPackNumber(t *testing.T) {
	seen := map[uint64]string{}
	for _, text := range []string{"0", "00", "000000000", "1", "01", "001", "00000001", "000000001", "99999999",
		"099999999", "999999999", "123456789012345", "000000000012345", "123456789", "000000123456789"} {
		for _, value := range []string{text, `"` + text + `"`} {
			b := append([]byte(value), make([]byte, pad)...)
			got := packNumber(b, span{0, len(value)})
			if other, again := seen[got]; got == 0 || again && other != text {
				t.Errorf("%s is %x, as is %s", text, got, other)
			}
			seen[got] = text
		}
	}
	for _, text := range []string{"1234567890123456", "-1", "1.5", "1e3", `"1x"`, `"\u0031"`, `"é"`, "null"} {
		if got := packNumber(append([]byte(text), make([]byte, pad)...), span{0, len(text)}); got != 0 {
			t.Errorf("%s is %x", text, got)
		}
	}
}

// TestRepeatedAmongMany checks that an id that the last two of many share is found, whether or not they are in order.
func TestRepeatedAmongMany(t *testing.T) {
	const n = 20_000
	for _, step := range []int{1, 7919} {
		for _, more := range []int{1, 1e9, 1e16} {
			objects := make([]string, n)
			for i := range objects {
				objects[i] = fmt.Sprintf(`{"localId":"%d","remoteId":"%d"}`, more+i*step%n, more+i*step%n)
			}
			for _, last := range []int{more + n, more + (n-2)*step%n} { // the latter is the id of the one before
				objects[n-1] = fmt.Sprintf(`{"localId":"%d","remoteId":"%d"}`, more+n, last)
				text := pair("A-1", "B-1", `,"comments":[`+strings.Join(objects, ",")+`]`)
				s := scanner{b: append([]byte(text), make([]byte, pad)...), n: len(text), findTwice: true}
				var e Entry
				want := ""
				if last != more+n {
					want = fmt.Sprintf("remoteId %d twice", last)
				}
				if s.entry(0, &e) != len(text) || e.Comments != n || e.RepeatedComment != want {
					t.Error(e.Comments, e.RepeatedComment, want)
				}
			}
		}
	}
}

// TestObjectsWithoutIDs checks that objects without an id take no memory, and that one that has null twice is noticed.
func TestObjectsWithoutIDs(t *testing.T) {
	list := `{"localId":"2"},{"localId":"1"}` + strings.Repeat(`,{},{"localId":null,"remoteId":""}`, 1000)
	for more, want := range map[string]int{"": 2, `,{"localId":null,"localId":""}`: 3} {
		text := pair("A-1", "B-1", `,"comments":[`+list+more+`]`)
		s := scanner{b: append([]byte(text), make([]byte, pad)...), n: len(text), findTwice: true}
		var e Entry
		if s.entry(0, &e) != len(text) || len(s.pairs[0]) != want || (e.RepeatedComment != "") != (want == 3) {
			t.Error(len(s.pairs[0]), want, e.Comments, e.RepeatedComment)
		}
	}
}
