package syncinfo

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll reads to the end or the first error, and copies the entries.
func readAll(r *Reader) ([]Entry, error) {
	var out []Entry
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, clone(e))
	}
}

func clone(e *Entry) Entry {
	c := *e
	c.Raw, c.LocalKey, c.RemoteKey = bytes.Clone(e.Raw), bytes.Clone(e.LocalKey), bytes.Clone(e.RemoteKey)
	c.ConnectorKey, c.ID = bytes.Clone(e.ConnectorKey), bytes.Clone(e.ID)
	return c
}

// smallBuffer sets a small buffer, so that most entries cross its end.
func smallBuffer(n int) ReaderOption { return func(r *Reader) { r.buffer = n } }

func vendor(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/vendor/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReaderReadsVendorSample(t *testing.T) {
	data := vendor(t, "slave.json")
	got, err := readAll(NewExportReader("slave.json", bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	from := bytes.IndexByte(data[1:], '{') + 1
	want := []Entry{{
		Raw:      data[from : bytes.LastIndexByte(data[:len(data)-3], '}')+1],
		LocalKey: []byte("SP2-1"), RemoteKey: []byte("SAM2-1"), ConnectorKey: []byte("CON-5-SP2"),
		ID:       []byte("63"),
		Sequence: Sequence{Outgoing: 1, Incoming: 2, HasOutgoing: true, HasIncoming: true},
		Comments: 1, Attachments: 1, Offset: int64(from), Line: 3, Column: 5,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	master, err := readAll(NewExportReader("m", bytes.NewReader(vendor(t, "master.json"))))
	if err != nil || len(master) != 1 || master[0].Comments != 1 || master[0].HalfComments != 1 ||
		master[0].Attachments != 0 {
		t.Errorf("master: %+v %v", master, err)
	}
}

func TestReaderSections(t *testing.T) {
	r := NewExportReader("m", bytes.NewReader(vendor(t, "merged-master-migrates.json")), WithSecond())
	var got []string
	for {
		e, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
		got = append(got, string(r.Section())+" "+string(e.LocalKey))
	}
	if diff := cmp.Diff([]string{"firstConnector SP2-1", "secondConnector SAM2-1"}, got); diff != "" {
		t.Error(diff)
	}
}

const ok = `{"localIssueKey":"A-1","remoteIssueKey":"B-1"}`

// TestReaderRefuses gives the exact message for each mistake, with line and column.
func TestReaderRefuses(t *testing.T) {
	notExp := notExport
	mend := "; mend it, or download the file again"
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "1:1: the file is empty; download it again"},
		{"blank", " \n\t\n", "3:1: the file is empty; download it again"},
		{"bom", "\xef\xbb\xbf{}", "1:1: the file starts with a UTF-8 byte order mark; save it as UTF-8 without one, " +
			"or better download it again"},
		{"utf-16le bom", "\xff\xfe{\x00}\x00", "1:1: the file is in UTF-16; save it as UTF-8, or better download it again"},
		{"utf-16be bom", "\xfe\xff\x00{", "1:1: the file is in UTF-16; save it as UTF-8, or better download it again"},
		{"utf-16le", "{\x00\"\x00f\x00", "1:1: the file is in UTF-16; save it as UTF-8, or better download it again"},
		{"utf-16be", "\x00{\x00\"", "1:1: the file is in UTF-16; save it as UTF-8, or better download it again"},
		{"utf-32le bom", "\xff\xfe\x00\x00{\x00\x00\x00", "1:1: the file is in UTF-32; save it as UTF-8, or better " +
			"download it again"},
		{"utf-32be", "\x00\x00\x00{", "1:1: the file is in UTF-32; save it as UTF-8, or better download it again"},
		{"utf-32le", "{\x00\x00\x00", "1:1: the file is in UTF-32; save it as UTF-8, or better download it again"},
		{"gzip", "\x1f\x8b\x08\x00", "1:1: the file is compressed (gzip); unpack it first"},
		{"zip", "PK\x03\x04", "1:1: the file is a ZIP archive; unpack it first"},
		{"html", "\n<!DOCTYPE html>", "2:1: " + webPage},
		{"text", "hello", "1:1: not JSON: expected '{', found 'h'" + notExp},
		{"array", "[]", `1:1: expected an object with "firstConnector", found an array: this looks like an answer of ` +
			`REST; use the file of "Download synchronized issues"`},
		{"no section", "{ }", "1:3: firstConnector is missing" + notExp},
		{"only others", `{"a":1}`, "1:7: firstConnector is missing" + notExp},
		{"section twice", `{"firstConnector":[],"firstConnector":[]}`, "1:22: firstConnector occurs twice" + notExp},
		{"section twice escaped", `{"firstConnector":[],"first\u0043onnector":[]}`,
			"1:22: firstConnector occurs twice" + notExp},
		{"section null", `{"firstConnector": null}`, "1:20: firstConnector must be an array of entries, found null" +
			notExp},
		{"section object", `{"firstConnector": {}}`, "1:20: firstConnector must be an array of entries, found an " +
			"object" + notExp},
		{"merged", "{\"firstConnector\":[],\n \"secondConnector\":[]}", "2:2: secondConnector exists already: this " +
			"looks like an already merged file; use the two files as they were downloaded"},
		{"trailing", "{\"firstConnector\":[]}\n{", "2:1: unexpected text after the end of the JSON ('{'); " +
			"remove it, or download the file again"},
		{"trailing zero", "{\"firstConnector\":[]}\x00", "1:22: unexpected text after the end of the JSON (byte " +
			"0x00); remove it, or download the file again"},
		{"comma at end", `{"firstConnector":[],}`, "1:22: not valid JSON: unexpected comma before '}'" + mend},
		{"cut behind a name", `{"firstConnector":`, "1:19: the file ends too early: it is cut short; download it again"},
		{"no comma", `{"firstConnector":[] "a":1}`, "1:22: not valid JSON: a comma is missing before '\"'" + mend},
		{"comma first", `{,"firstConnector":[]}`, "1:2: not valid JSON: expected a member's name in double quotes, " +
			"found ','" + mend},
		{"two commas", `{"firstConnector":[],,"a":1}`, "1:22: not valid JSON: expected a member's name in double " +
			"quotes, found ','" + mend},
		{"no colon", `{"firstConnector" []}`, "1:19: not valid JSON: expected ':' after a member's name, found '['" + mend},
		{"comma in list", `{"firstConnector":[` + ok + `,]}`, "1:67: not valid JSON: unexpected comma before " +
			"']'" + mend},
		{"comma starts list", `{"firstConnector":[,` + ok + `]}`, "1:20: not valid JSON: unexpected comma before " +
			"','" + mend},
		{"no comma in list", "{\"firstConnector\":[" + ok + "\n" + ok + "]}", "2:1: not valid JSON: a comma is " +
			"missing before '{'" + mend},
		{"entry string", `{"firstConnector":["x"]}`, "1:20: an entry must be an object, found a string" + notExp},
		{"entry null", `{"firstConnector":[null]}`, "1:20: an entry must be an object, found null" + notExp},
		{"entry empty", `{"firstConnector":[{}]}`, "1:20: the entry has no localIssueKey" + notExp},
		{"no remote", "{\"firstConnector\":[\n {\"localIssueKey\":\"A-1\"}]}",
			"2:2: the entry has no remoteIssueKey" + notExp},
		{"key number", `{"firstConnector":[{"localIssueKey":1,"remoteIssueKey":"B-1"}]}`,
			"1:37: localIssueKey must be a string, found a number" + notExp},
		{"key null", `{"firstConnector":[{"remoteIssueKey":null}]}`, "1:38: remoteIssueKey must be a string, found " +
			"null" + notExp},
		{"key empty", `{"firstConnector":[{"localIssueKey":"","remoteIssueKey":"B-1"}]}`,
			"1:37: localIssueKey is empty; it must be an issue key like ABC-1"},
		{"key half", `{"firstConnector":[{"localIssueKey":"\ud800-1"}]}`,
			`1:37: localIssueKey has half of a \u surrogate pair, so it is not an issue key`},
		{"key twice", `{"firstConnector":[{"localIssueKey":"A-1","localIssueKey":"A-1"}]}`,
			"1:43: the entry has localIssueKey twice; remove one of them"},
		{"key twice escaped", `{"firstConnector":[{"localIssueKey":"A-1","\u006cocalIssueKey":"A-1"}]}`,
			"1:43: the entry has localIssueKey twice; remove one of them"},
		{"id string", `{"firstConnector":[{"outgoingMessageSequenceId":"1"}]}`, "1:49: outgoingMessageSequenceId must " +
			"be a number, found a string" + notExp},
		{"utf-8", "{\"firstConnector\":[{\"a\":\"\xff\"}]}", "1:26: invalid UTF-8 (byte 0xff); save the file as " +
			"UTF-8, or better download it again"},
		{"utf-8 surrogate", "{\"firstConnector\":[{\"a\":\"\xed\xa0\x80\"}]}", "1:26: invalid UTF-8 (byte 0xed); save " +
			"the file as UTF-8, or better download it again"},
		{"utf-8 in column", "{\"firstConnector\":[{\"ä\":tru}]}", "1:29: not valid JSON: expected true, found '}'" + mend},
		{"tab in string", "{\"firstConnector\":[{\"a\tb\":1}]}", "1:23: not valid JSON: a control character (byte " +
			"0x09) must be escaped in a string; the closing quote may be missing" + mend},
		{"bad escape", `{"firstConnector":[{"a":"\x41"}]}`,
			`1:27: not valid JSON: \ in a string must be followed by one of "\/bfnrtu, found 'x'` + mend},
		{"bad hex", `{"firstConnector":[{"a":"\u00g0"}]}`,
			`1:30: not valid JSON: \u in a string needs four hexadecimal digits, found 'g'` + mend},
		{"number 01", `{"firstConnector":[{"a":01}]}`, "1:26: not valid JSON: a number must not start with 0" + mend},
		{"number .5", `{"firstConnector":[{"a":.5}]}`, "1:25: not valid JSON: expected a value, found '.'" + mend},
		{"number 1.", `{"firstConnector":[{"a":1.}]}`, "1:27: not valid JSON: a number needs a digit after its point, " +
			"found '}'" + mend},
		{"number 1e", `{"firstConnector":[{"a":1e+}]}`, "1:28: not valid JSON: a number needs a digit in its " +
			"exponent, found '}'" + mend},
		{"number -", `{"firstConnector":[{"a":-}]}`, "1:26: not valid JSON: a number needs a digit here, found '}'" + mend},
		{"NaN", `{"firstConnector":[{"a":NaN}]}`, "1:25: not valid JSON: expected a value, found 'N'" + mend},
		{"single quotes", `{"firstConnector":[{'a':1}]}`, "1:21: not valid JSON: expected a member's name in double " +
			"quotes, found \"'\"" + mend},
		{"comment", `{"firstConnector":[ // x` + "\n]}", "1:21: an entry must be an object, found '/'" + notExp},
		{"no value", `{"firstConnector":[{"a":,"b":1}]}`, "1:25: not valid JSON: a value is missing before ','" + mend},
		{"comma in entry", `{"firstConnector":[{"a":1,}]}`, "1:27: not valid JSON: unexpected comma before " +
			"'}'" + mend},
		{"comma in pairs", `{"firstConnector":[{"comments":[{"localId":"1",}]}]}`, "1:48: not valid JSON: unexpected " +
			"comma before '}'" + mend},
		{"comma in pair list", `{"firstConnector":[{"comments":[{"localId":"1"},]}]}`,
			"1:49: not valid JSON: unexpected comma before ']'" + mend},
		{"comma in nested", `{"firstConnector":[{"x":{"y":[1,]}}]}`, "1:33: not valid JSON: unexpected comma before " +
			"']'" + mend},
		{"mismatch", `{"firstConnector":[{"x":{"y":[1}}]}`, "1:32: not valid JSON: expected ',' or ']', found '}'" + mend},
		{"cut in envelope", `{"firstConnector":[]`, "1:21: the file ends before its closing '}': it is cut short; " +
			"download it again"},
		{"cut in name", `{"firstConn`, "1:12: the file ends too early: it is cut short; download it again"},
		{"cut in list", "{\"firstConnector\":[\n" + ok + "\n", "3:1: the file ends inside firstConnector: it is cut " +
			"short; download it again"},
		{"cut in entry", "{\"firstConnector\":[\n{\"localIssueKey\":\"A", "2:20: the file ends too early: it is cut " +
			"short; download it again"},
		{"cut in word", `{"firstConnector":[{"a":tr`, "1:27: the file ends too early: it is cut short; download it again"},
		{"cut in character", "{\"firstConnector\":[{\"a\":\"\xc3", "1:27: the file ends too early: it is cut short; " +
			"download it again"},
		{"cut after comma", `{"firstConnector":[` + ok + `,`, "1:67: the file ends too early: it is cut short; " +
			"download it again"},
		{"too deep", `{"firstConnector":[{"a":` + strings.Repeat("[", 513), "1:537: objects and arrays are nested too " +
			"deep (more than 512); this cannot be from Backbone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := "f.json:" + c.want
			for how, r := range map[string]*Reader{
				"whole":        NewExportReader("f.json", strings.NewReader(c.in)),
				"bytewise":     NewExportReader("f.json", iotest.OneByteReader(strings.NewReader(c.in))),
				"small buffer": NewExportReader("f.json", strings.NewReader(c.in), smallBuffer(4)),
				"odd buffer":   NewExportReader("f.json", iotest.HalfReader(strings.NewReader(c.in)), smallBuffer(29)),
			} {
				_, err := readAll(r)
				var syntax *SyntaxError
				if !errors.As(err, &syntax) {
					t.Fatalf("%s: got %v, want a SyntaxError", how, err)
				}
				if err.Error() != want {
					t.Errorf("%s:\ngot  %s\nwant %s", how, err, want)
				}
				before := c.in[:syntax.Offset]
				if line := strings.Count(before, "\n") + 1; syntax.Line != line ||
					syntax.Column != len(before)-strings.LastIndexByte(before, '\n') {
					t.Errorf("%s: offset %d does not fit line %d, column %d", how, syntax.Offset, syntax.Line, syntax.Column)
				}
				if _, again := r.Next(); !errors.Is(again, err) {
					t.Errorf("the error does not stay: %v", again)
				}
			}
		})
	}
}

func TestReaderRefusesVendorsInvalidSample(t *testing.T) {
	data := vendor(t, "merged-slave-migrates-invalid.json")
	_, err := readAll(NewExportReader("m.json", bytes.NewReader(data), WithSecond()))
	want := `m.json:22:4: not valid JSON: a comma is missing before '"'; mend it, or download the file again`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	mended := bytes.Replace(data, []byte("]\n   \"second"), []byte("],\n   \"second"), 1)
	_, err = readAll(NewExportReader("m.json", bytes.NewReader(mended), WithSecond()))
	want = `m.json:49:1: not valid JSON: unexpected comma before '}'; mend it, or download the file again`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestReaderAccepts(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     Entry
	}{
		{"null counters", `{"localIssueKey":"A-1","remoteIssueKey":"B-1","outgoingMessageSequenceId":null}`, Entry{}},
		{"extremes", `{"localIssueKey":"A-1","remoteIssueKey":"B-1","outgoingMessageSequenceId":9223372036854775807,` +
			`"incomingMessageSequenceId":-9223372036854775808}`,
			Entry{Sequence: Sequence{9223372036854775807, -9223372036854775808, true, true}}},
		{"escaped names", `{"\u006cocalIssueKey":"\u0041-1","remoteIssueKey":"B\u002d1"}`, Entry{}},
		{"huge numbers elsewhere", `{"localIssueKey":"A-1","remoteIssueKey":"B-1",` +
			`"id":123456789012345678901234567890e400,"lastOutgoingChange":1e3}`,
			Entry{ID: []byte("123456789012345678901234567890e400")}},
		{"pairs", `{"localIssueKey":"A-1","remoteIssueKey":"B-1","comments":[{"localId":"1"},{"localId":null,` +
			`"remoteId":"2"},{},7,{"localId":"1","x":[{}],"remoteId":"2"}],"attachments":null}`,
			Entry{Comments: 4, HalfComments: 2}},
		{"unknown form of pairs", `{"localIssueKey":"A-1","remoteIssueKey":"B-1","comments":{"localId":"1"},` +
			`"attachments":[]}`, Entry{}},
		{"half surrogate elsewhere", `{"localIssueKey":"A-1","remoteIssueKey":"B-1","x":"\udc00"}`, Entry{}},
		{"unknown twice", `{"localIssueKey":"A-1","remoteIssueKey":"B-1","x":1,"x":2}`, Entry{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(NewArrayReader("a", strings.NewReader(" [ "+c.in+"\r\n]\n"), smallBuffer(16)))
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			c.want.Raw, c.want.LocalKey, c.want.RemoteKey = []byte(c.in), []byte("A-1"), []byte("B-1")
			c.want.Offset, c.want.Line, c.want.Column = 3, 1, 4
			if diff := cmp.Diff(c.want, got[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestArrayReaderRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"[]x": "r:1:3: unexpected text after the end of the JSON ('x'); remove it, or download " +
			"the file again",
		`{"a":1}`: `r:1:1: expected an array of entries, found an object: this looks like a file of "Download ` +
			`synchronized issues", or an error message`,
		"null":            "r:1:1: not JSON: expected '[', found 'n'",
		"<html>":          "r:1:1: " + webPage,
		"[" + ok:          "r:1:48: the file ends inside firstConnector: it is cut short; download it again",
		"[1]":             "r:1:2: an entry must be an object, found a number" + notExport,
		"[" + ok + `"a"]`: "r:1:48: not valid JSON: a comma is missing before '\"'; mend it, or download the file again",
	} {
		if _, err := readAll(NewArrayReader("r", strings.NewReader(in))); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", in, err, want)
		}
	}
}

func TestReaderWarnsOfUnknownMembers(t *testing.T) {
	in := "{\"version\": {\"a\":[1,2]},\n \"firstConnector\":[" + ok + "], \"n\": 12}"
	r := NewExportReader("f", iotest.HalfReader(strings.NewReader(in)))
	got, err := readAll(r)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	want := []Warning{{"f:1:2", `the member "version" is not known and is left out`}, {"f:2:69",
		`the member "n" is not known and is left out`}}
	if diff := cmp.Diff(want, r.Warnings()); diff != "" {
		t.Error(diff)
	}
}

func TestReaderLimitsEntries(t *testing.T) {
	long := `{"localIssueKey":"A-1","remoteIssueKey":"B-1","x":"` + strings.Repeat("y", 3<<20) + `"}`
	in := `{"firstConnector":[` + ok + ",\n" + long + "," + ok + "]}"
	got, err := readAll(NewExportReader("f", strings.NewReader(in)))
	if err != nil || len(got) != 3 || string(got[1].Raw) != long || got[2].Line != 2 || got[2].Column != len(long)+2 {
		t.Errorf("an entry of 3 MiB: %d entries, %v", len(got), err)
	}
	if _, err = readAll(NewExportReader("f", strings.NewReader(in), MaxEntry(len(long)))); err != nil {
		t.Errorf("an entry that just fits: %v", err)
	}
	for _, limit := range []int{50, 1 << 20, 2<<20 + 5, len(long) - 1} {
		_, err = readAll(NewExportReader("f", strings.NewReader(in), MaxEntry(limit)))
		if err == nil || !strings.HasPrefix(err.Error(), "f:2:1: this entry is larger than ") {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	cause := errors.New("wire cut")
	in := io.MultiReader(strings.NewReader(`{"firstConnector":[`+ok), iotest.ErrReader(cause))
	if _, err := readAll(NewExportReader("f", in)); !errors.Is(err, cause) || err.Error() != "reading f: wire cut" {
		t.Errorf("got %v", err)
	}
}
