package syncinfo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

var blanks = rapid.SampledFrom([]string{"", "", " ", "\n", "\r\n\t", "          ", "\n                 "})

// jsonText draws a valid JSON text in various notations.
func jsonText(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind %= 6
	}
	switch kind {
	case 0:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
	case 1:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,5})?`).Draw(t, "number")
	case 2, 3, 4, 5:
		return jsonString(t, rapid.StringN(0, 30, -1).Draw(t, "string"))
	case 6, 7:
		var b strings.Builder
		for i := range rapid.IntRange(0, 4).Draw(t, "length") {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(blanks.Draw(t, "blank") + jsonText(t, depth-1) + blanks.Draw(t, "blank"))
		}
		return "[" + b.String() + blanks.Draw(t, "blank") + "]"
	}
	return jsonObject(t, rapid.IntRange(0, 4).Draw(t, "length"), func(i int) (string, string) {
		return "m" + strconv.Itoa(i) + rapid.StringN(0, 10, -1).Draw(t, "name"), jsonText(t, depth-1)
	})
}

func jsonObject(t *rapid.T, n int, member func(i int) (name, value string)) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		name, value := member(i)
		b.WriteString(blanks.Draw(t, "blank") + jsonString(t, name) + blanks.Draw(t, "blank") + ":" + blanks.Draw(t,
			"blank") + value + blanks.Draw(t, "blank"))
	}
	return "{" + b.String() + blanks.Draw(t, "blank") + "}"
}

// jsonString encodes a string, and escapes more than necessary.
func jsonString(t *rapid.T, s string) string {
	var b strings.Builder
	more := rapid.IntRange(0, 7).Draw(t, "escapes")
	for i, r := range []rune(strings.ToValidUTF8(s, "")) {
		switch {
		case r < 0x20 || r < 0x10000 && more > 0 && i%8 < more-1:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// drawEntry draws an entry with known and unknown members in any order. It has no connectorKey if connector is "".
func drawEntry(t *rapid.T, connector, local, remote string) string {
	members := [][2]string{{"localIssueKey", jsonString(t, local)}, {"remoteIssueKey", jsonString(t, remote)}}
	for i := range rapid.IntRange(0, 5).Draw(t, "members") {
		members = append(members, [2]string{"x" + strconv.Itoa(i) + rapid.StringN(0, 5, -1).Draw(t, "name"), jsonText(t, 3)})
	}
	if connector != "" {
		members = append(members, [2]string{"connectorKey", jsonString(t, connector)})
	}
	for _, name := range []string{"comments", "attachments", "lastOutgoingChange"} {
		if rapid.Bool().Draw(t, name) {
			members = append(members, [2]string{name, jsonText(t, 3)})
		}
	}
	if rapid.Bool().Draw(t, "outgoing") {
		members = append(members, [2]string{"outgoingMessageSequenceId", strconv.FormatInt(rapid.Int64().Draw(t, "id"), 10)})
	}
	members = rapid.Permutation(members).Draw(t, "order")
	return jsonObject(t, len(members), func(i int) (string, string) { return members[i][0], members[i][1] })
}

// TestEntriesKeepTheirBytes checks that a merge keeps the bytes and the order of entries, whatever else they have.
func TestEntriesKeepTheirBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sides [2][]string
		n := rapid.IntRange(0, 8).Draw(t, "pairs")
		connector := rapid.SampledFrom([]string{"", "CON-4-Ä\"", "5"})
		one, two := connector.Draw(t, "connector"), connector.Draw(t, "other connector")
		for i := range n {
			a, b := fmt.Sprintf("Ä\"A-%d", i), fmt.Sprintf("B-%d", i)
			sides[0] = append(sides[0], drawEntry(t, one, a, b))
			sides[1] = append([]string{drawEntry(t, two, b, a)}, sides[1]...)
		}
		fs := afero.NewMemMapFs()
		for i, name := range []string{"w/master.json", "w/slave.json"} {
			text := "{" + blanks.Draw(t, "blank") + `"firstConnector":[` + strings.Join(sides[i], blanks.Draw(t,
				"blank")+","+blanks.Draw(t, "blank")) + "]\n}"
			if !json.Valid([]byte(text)) {
				t.Fatal("the test's own text is not valid", text)
			}
			if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o := options(fs, Slave)
		o.Allow = []Rule{SeqDiffer}
		report, err := Merge(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if report.Pairs != n {
			t.Fatal("pairs:", report.Pairs)
		}
		out, err := afero.ReadFile(fs, "w/out.json")
		if err != nil {
			t.Fatal(err)
		}
		var raw struct{ FirstConnector, SecondConnector []json.RawMessage }
		if err := json.Unmarshal(out, &raw); err != nil {
			t.Fatal(err)
		}
		for i, got := range [][]json.RawMessage{raw.FirstConnector, raw.SecondConnector} {
			if len(got) != n {
				t.Fatal("entries:", len(got))
			}
			for k := range got {
				if string(got[k]) != sides[i][k] {
					t.Fatalf("got  %s\nwant %s", got[k], sides[i][k])
				}
			}
		}
	})
}

// checkAgainstJSON compares a Reader with encoding/json for any bytes. They must agree, except for the documented
// limits (UTF-8, depth) and the members that an entry must have.
func checkAgainstJSON(t errorer, value []byte) {
	text := []byte(`[{"localIssueKey":"A-1","remoteIssueKey":"B-1","x":` + string(value) + `}]`)
	entries, err := readAll(NewArrayReader("f", bytes.NewReader(text), smallBuffer(24)))
	valid := json.Valid(text) && utf8.Valid(text)
	if err == nil && !valid {
		t.Errorf("accepted, but not valid: %q", text)
	}
	if err != nil && json.Valid(value) && utf8.Valid(value) && !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("valid, but refused: %q: %v", text, err)
	}
	if err == nil && json.Valid(value) && !bytes.Equal(entries[0].Raw, text[1:len(text)-1]) {
		t.Errorf("got %q from %q", entries[0].Raw, text)
	}
}

// checkSkipped does the same for a member of the envelope that is skipped.
func checkSkipped(t errorer, value []byte) {
	text := []byte(`{"x":` + string(value) + `,"firstConnector":[]}`)
	_, err := readAll(NewExportReader("f", bytes.NewReader(text), smallBuffer(24)))
	if valid := json.Valid(text) && utf8.Valid(text); err == nil && !valid {
		t.Errorf("accepted, but not valid: %q", text)
	}
	if err != nil && json.Valid(value) && utf8.Valid(value) && !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("valid, but refused: %q: %v", text, err)
	}
}

type errorer interface{ Errorf(string, ...any) }

// TestReaderAgreesWithJSON tests valid JSON, also with one byte changed, removed or inserted.
func TestReaderAgreesWithJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(jsonText(t, 4))
		checkAgainstJSON(t, text)
		checkSkipped(t, text)
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		b := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte(`{}[],:"\0123456789.eE+-tfn `+"\n\x00\xff"))).Draw(t, "byte")
		switch rapid.IntRange(0, 2).Draw(t, "change") {
		case 0:
			text[at] = b
		case 1:
			text = append(text[:at], text[at+1:]...)
		default:
			text = append(text[:at], append([]byte{b}, text[at:]...)...)
		}
		checkAgainstJSON(t, text)
		checkSkipped(t, text)
	})
}

// TestReaderTriesEveryByte tests each byte at each of the eight places that are checked together.
func TestReaderTriesEveryByte(t *testing.T) {
	for c := range 256 {
		for at := range 10 {
			text := []byte(`"123456789"`)
			text[1+at%9] = byte(c)
			checkAgainstJSON(t, text)
			number := []byte("1234567890")
			number[at] = byte(c)
			checkAgainstJSON(t, number)
			space := []byte("[          1]")
			space[1+at] = byte(c)
			checkAgainstJSON(t, space)
			checkAgainstJSON(t, append([]byte(`"123456789"`)[:at+1], `\u00`+string(rune(c))+`1"`...))
		}
	}
}

// TestReaderTriesEveryCharacter tests what begins like a character of several bytes: each first and second byte, and
// what may follow them.
func TestReaderTriesEveryCharacter(t *testing.T) {
	for one := 0x80; one < 0x100; one++ {
		for two := range 0x100 {
			for _, rest := range []string{"", "x", "\x7f", "\x80", "\xbf", "\xc0", "\x80\x80", "\x80\xbf", "\xbf\xc2", "é"} {
				text := []byte(`"` + string([]byte{byte(one), byte(two)}) + rest + `"`)
				s := scanner{b: append(bytes.Clone(text), make([]byte, pad)...), n: len(text)}
				if got := s.str(1) == len(text); got != (json.Valid(text) && utf8.Valid(text)) {
					t.Fatalf("%q: %v, %s", text, got, s.msg)
				}
			}
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{`1`, `-0.5e+10`, `"\ud83d\ude00\n"`, `{"a":[{},[],null,true,false]}`, `[1,]`,
		"\"\xff\"", `01`, `1},{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		checkAgainstJSON(t, value)
		checkSkipped(t, value)
	})
}

// FuzzReader reads any bytes as a file. What is accepted must be valid JSON with the entries that encoding/json
// finds. The result must not depend on the size of the buffer.
func FuzzReader(f *testing.F) {
	for _, name := range []string{"master.json", "slave.json", "merged-master-migrates.json",
		"merged-slave-migrates-invalid.json"} {
		f.Add(vendor(f, name))
	}
	f.Add([]byte(`{"x":1,"secondConnector":[],"firstConnector":[` + ok + `]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := readAll(NewExportReader("f", bytes.NewReader(data), WithSecond()))
		small, errSmall := readAll(NewExportReader("f", bytes.NewReader(data), WithSecond(), smallBuffer(17)))
		if fmt.Sprint(err) != fmt.Sprint(errSmall) || len(entries) != len(small) {
			t.Fatalf("%d entries, %v; with a small buffer %d, %v", len(entries), err, len(small), errSmall)
		}
		for _, start := range []string{`{"localIssueKey"`, "{", `"`} {
			agrees(t, string(data), 50, DefaultMaxEntry, start, &pieces{})
		}
		for _, e := range entries {
			if !bytes.Equal(e.Raw, data[e.Offset:e.Offset+int64(len(e.Raw))]) {
				t.Fatalf("entry at %d is %q", e.Offset, e.Raw)
			}
			var m map[string]any
			if err := json.Unmarshal(e.Raw, &m); err != nil || m["localIssueKey"] != string(e.LocalKey) ||
				m["remoteIssueKey"] != string(e.RemoteKey) {
				t.Fatalf("%q is %q with %q: %v", e.Raw, e.LocalKey, e.RemoteKey, err)
			}
		}
		if err == nil && (!json.Valid(data) || !utf8.Valid(data)) {
			t.Fatalf("accepted, but not valid: %q", data)
		}
		var syntax *SyntaxError
		if err != nil && (!errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > int64(len(data))) {
			t.Fatal(err)
		}
	})
}

// FuzzMerge merges any bytes. The result is either nothing, or a valid file with all entries unchanged.
func FuzzMerge(f *testing.F) {
	f.Add(vendor(f, "master.json"), vendor(f, "slave.json"))
	f.Add([]byte(export(ok)), []byte(export(pair("B-1", "A-1", `,"comments":[{"localId":"1"}]`))))
	f.Fuzz(func(t *testing.T, master, slave []byte) {
		for _, complete := range []bool{false, true} {
			fs := memory(t, string(master), string(slave))
			o := options(fs, Master)
			o.Allow, o.CompleteComments = Rules(), complete
			report, err := Merge(context.Background(), o)
			if err != nil {
				nothingLeft(t, fs)
				continue
			}
			data := []byte(content(t, fs, "w/out.json"))
			if !json.Valid(data) {
				t.Fatalf("not valid: %q", data)
			}
			if report.Completed > 0 {
				continue
			}
			r := NewExportReader("out", bytes.NewReader(data), WithSecond())
			for _, in := range [][]byte{slave, master} {
				from := NewExportReader("in", bytes.NewReader(in))
				for {
					want, err := from.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					got, errGot := r.Next()
					if err != nil || errGot != nil || !bytes.Equal(got.Raw, want.Raw) {
						t.Fatal(err, errGot)
					}
				}
			}
		}
	})
}
