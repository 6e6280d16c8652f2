package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// written are entries as a journal has them, and the texts in them as they may come from servers and people.
func written(t testing.TB) [][]byte {
	t.Helper()
	var entries []Entry
	for i, text := range []string{"", "plain", `"quoted" \ {"a": 1}`, "line\nfeed\t", "\u2028", "ä \U0001F600", "a\x7fb", "<&>"} {
		at := time.Date(2026, 1, 2, 3, 4, 5, i*123456789, time.UTC)
		entries = append(entries, Entry{Seq: 2*i + 1, Time: at, Key: "k" + text, Event: "started"},
			Entry{Seq: 2*i + 2, Time: at, Key: "k", Event: text, Data: map[string]string{"error": text, text + "n": "x"}})
	}
	chained, err := Rechain(entries, []byte("key"))
	var b bytes.Buffer
	if err != nil || Encode(&b, chained) != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\n"))
}

// checkLine compares the scanner with encoding/json, and tells whether the scanner reads the line.
func checkLine(t *testing.T, s *scanner, line []byte) bool {
	t.Helper()
	got, ok := s.entry(line)
	var want Entry
	if err := json.Unmarshal(line, &want); ok && (err != nil || !reflect.DeepEqual(got, want)) {
		t.Errorf("%q:\ngot  %+v\nwant %+v, %v", line, got, want, err)
	}
	return ok
}

// TestLines: what is written is read by the scanner, as encoding/json reads it. It leaves everything else to that.
func TestLines(t *testing.T) {
	s := newScanner()
	for _, line := range written(t) {
		if !checkLine(t, s, line) {
			t.Errorf("not read: %s", line)
		}
		if e, authentic, err := newDecoder([]byte("key")).decode(line); err != nil || !authentic || e.Seq == 0 {
			t.Errorf("not authentic: %s", line)
		}
	}
	line := string(written(t)[3])
	for i := range line {
		checkLine(t, s, []byte(line[:i]))
		for _, c := range []string{`"`, `\`, " ", "0", "\n", "\xff", "}", ","} {
			checkLine(t, s, []byte(line[:i]+c+line[i+1:]))
			checkLine(t, s, []byte(line[:i]+c+line[i:]))
		}
	}
	for _, other := range []string{
		strings.Replace(line, `"key"`, `"KEY"`, 1), strings.Replace(line, `{"seq"`, `{ "seq"`, 1), line + " ", "{}", "null", "",
		strings.Replace(line, `"seq":4`, `"seq":04`, 1), strings.Replace(line, `"seq":4`, `"seq":-4`, 1),
		strings.Replace(line, `"seq":4`, `"seq":4.0`, 1), strings.Replace(line, `"hash"`, `"x":1,"hash"`, 1),
	} {
		if checkLine(t, s, []byte(other)) {
			t.Errorf("read: %s", other)
		}
	}
}

// following is a line with any text for the hash before it.
const following = `{"seq":2,"time":"2026-01-01T00:00:00Z","key":"a","event":"b","prev":"%s","hash":""}`

// FuzzLine: whatever the scanner reads, encoding/json reads too, and finds the same.
func FuzzLine(f *testing.F) {
	for _, line := range written(f) {
		f.Add(line)
	}
	f.Add([]byte(`{"seq":1,"time":"2026-01-01T00:00:00Z","key":"a","event":"b","prev":"","hash":"\\u0041"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s := newScanner()
		checkLine(t, s, line)
		checkLine(t, s, line)
		var e Entry
		if json.Unmarshal(line, &e) == nil { // and one whose text has that hash where it names the hash before
			checkLine(t, s, fmt.Appendf(nil, following, e.Hash))
		}
	})
}

// TestReadAllocations: what an entry costs to read, at most.
func TestReadAllocations(t *testing.T) {
	const n = 1000
	for most, data := range map[float64]map[string]string{2: nil, 12: {"error": `POST "x": 503`, "again": "2026-01-01T00:00:00Z"}} {
		fsys, entries := afero.NewMemMapFs(), make([]Entry, n)
		for i := range entries {
			entries[i] = Entry{Seq: i + 1, Key: fmt.Sprint("sync.a.b/step", i%7), Event: "failed", Data: data}
		}
		if err := Write(fsys, "j", entries, []byte("key")); err != nil {
			t.Fatal(err)
		}
		if got := testing.AllocsPerRun(2, func() {
			if got, err := Read(fsys, "j", []byte("key")); err != nil || len(got) != n {
				t.Fatal(len(got), err)
			}
		}) / n; got > most {
			t.Errorf("%.1f allocations an entry with %d data, at most %.0f", got, len(data), most)
		}
	}
}

// TestPlainJSON: what is written without encoding/json is what it would write.
func TestPlainJSON(t *testing.T) {
	texts := rapid.SampledFrom([]string{"", "a", "sync.depot.a/act", "\u00e4", "<b>", "a&b", "\\", "\"", "\n", "\x7f",
		"\u2028", "\xff", "~", " "})
	zones := []*time.Location{time.UTC, time.FixedZone("x", 3600), time.FixedZone("", 0)}
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Seq: rapid.Int().Draw(t, "seq"), Key: texts.Draw(t, "key"), Event: texts.Draw(t, "event"),
			Time: time.Unix(rapid.Int64Range(-1<<37, 1<<38).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanos")).
				In(rapid.SampledFrom(zones).Draw(t, "zone")),
			Data: rapid.MapOfN(texts, texts, 0, 4).Draw(t, "data"), Prev: texts.Draw(t, "prev")}
		want, err := json.Marshal(e)
		plain := err == nil && e.Time.Location() == time.UTC &&
			!bytes.ContainsFunc(want, func(r rune) bool { return r == '\\' || r >= 0x7f })
		if got, ok := e.plainJSON(nil); ok != plain || ok && string(got) != string(want) {
			t.Fatalf("%s, %v\nwant %s, %v, %v", got, ok, want, plain, err)
		}
	})
	e := Entry{Seq: 1, Time: time.Unix(0, 5).UTC(), Key: "a", Event: "b", Data: map[string]string{"c": "d", "a": "b"}}
	want, err := json.Marshal(e)
	if got, ok := e.plainJSON(nil); !ok || err != nil || string(got) != string(want) {
		t.Errorf("%s, %v, want %s, %v", got, ok, want, err)
	}
}
