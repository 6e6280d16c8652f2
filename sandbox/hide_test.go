package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// answered returns what the client gets of a server's answer.
func answered(t *testing.T, o Options, body string) string {
	t.Helper()
	h, err := newHiding(o)
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.handler("a", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, body)
	})).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/1/syncs/INT-4/status?x=1", nil))
	if length := rec.Header().Get("Content-Length"); rec.Code != http.StatusAccepted || length != "" &&
		length != fmt.Sprint(len(body)) {
		t.Errorf("status %d, length %s", rec.Code, length)
	}
	return rec.Body.String()
}

const statusRoute = "/api/*/syncs/*/status"

const hideDoc = `{"state": "ok", "first": {"errors": 1.0, "list": [{"id": "1", "x": null}, {"id": "2"}]},` +
	` "0a1b2c3d-0000-4000-8000-000000000001": {"id": 7}}`

func TestHideMembers(t *testing.T) {
	for _, c := range []struct {
		member string
		way    Way
		want   string
	}{
		{"state", Removed,
			`{"first":{"errors":1.0,"list":[{"id":"1","x":null},{"id":"2"}]},"0a1b2c3d-0000-4000-8000-000000000001":{"id":7}}`},
		{"first.errors", Renamed, `{"state":"ok","first":{"renamed ` +
			`errors":1.0,"list":[{"id":"1","x":null},{"id":"2"}]},"0a1b2c3d-0000-4000-8000-000000000001":{"id":7}}`},
		{"first.errors", Null,
			`{"state":"ok","first":{"errors":null,"list":[{"id":"1","x":null},{"id":"2"}]},"0a1b2c3d-0000-4000-8000-000000000001":{"id":7}}`},
		{"first.list[].id", Removed,
			`{"state":"ok","first":{"errors":1.0,"list":[{"x":null},{}]},"0a1b2c3d-0000-4000-8000-000000000001":{"id":7}}`},
		{"first.list", Removed, `{"state":"ok","first":{"errors":1.0},"0a1b2c3d-0000-4000-8000-000000000001":{"id":7}}`},
		{"*.id", Removed,
			`{"state":"ok","first":{"errors":1.0,"list":[{"id":"1","x":null},{"id":"2"}]},"0a1b2c3d-0000-4000-8000-000000000001":{}}`},
	} {
		for _, server := range []string{"", "a"} {
			h := Hidden{Part{Server: server, Method: "GET", Route: statusRoute, Member: c.member}, c.way}
			if got := answered(t, Options{Hide: []Hidden{h}}, hideDoc); got != c.want {
				t.Errorf("%s\ngives %s\nwant  %s", h, got, c.want)
			}
		}
		for _, other := range []Part{
			{Server: "b", Method: "GET", Route: statusRoute, Member: c.member},
			{Method: "POST", Route: statusRoute, Member: c.member},
			{Method: "GET", Route: "/api/*/syncs", Member: c.member},
			{Method: "GET", Route: statusRoute, Member: c.member + "s"},
		} {
			if got := answered(t, Options{Hide: []Hidden{{other, c.way}}}, hideDoc); !sameJSON(t, got, hideDoc) {
				t.Errorf("%s gives %s", other, got)
			}
		}
	}
}

// TestHidePairs hides two parts at once.
func TestHidePairs(t *testing.T) {
	part := Part{Method: "GET", Route: statusRoute, Member: "[].a"}
	other := part
	other.Member = "[].b"
	got := answered(t, Options{Hide: []Hidden{{part, Removed}, {other, Null}}}, ` [{"a":1,"b":2},[],"x"] `)
	if got != `[{"b":null},[],"x"]` {
		t.Error(got)
	}
}

func TestHideWords(t *testing.T) {
	part := Part{Method: "GET", Route: statusRoute, Word: 2}
	for way, want := range map[Way]string{Removed: "2024x \nfix 1\n", Renamed: "2024x ?\nfix 1\n"} {
		if got := answered(t, Options{Hide: []Hidden{{part, way}}}, "2024x hot\nfix 1\n"); got != want {
			t.Errorf("%s: %q", way, got)
		}
	}
}

func TestHiddenParts(t *testing.T) {
	var parts Parts
	answered(t, Options{Parts: &parts, Hide: []Hidden{{Part{Method: "GET", Route: statusRoute, Member: "first"},
		Removed}}}, hideDoc)
	answered(t, Options{Parts: &parts}, hideDoc)
	answered(t, Options{Parts: &parts}, "two words")
	var got []string
	for _, p := range parts.List() {
		got = append(got, strings.TrimPrefix(p.String(), "a GET "+statusRoute+": "))
	}
	want := []string{"word 1", "word 2", "*", "*.id", "first", "first.errors", "first.list", "first.list[].id",
		"first.list[].x", "state"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestHideOutput(t *testing.T) {
	const command = "env TOKEN=geheim list --of 0a1b2c3d-0000-4000-8000-000000000001"
	route := RouteOf(MethodExec, command)
	if route != "env TOKEN=REDACTED list --of *" {
		t.Fatal(route)
	}
	whole := Part{Server: "a", Method: MethodExec, Route: route}
	third := Part{Method: MethodExec, Route: route, Word: 3}
	for _, c := range []struct {
		hide   Hidden
		want   string
		denied bool
	}{
		{Hidden{third, Removed}, "one two\n ", false},
		{Hidden{third, Renamed}, "one two\n? ", false},
		{Hidden{whole, Bannered}, bannerText + "one two\nthree ", false},
		{Hidden{whole, Denied}, "", true},
	} {
		h, err := newHiding(Options{Hide: []Hidden{c.hide}, Parts: &Parts{}})
		if err != nil {
			t.Fatal(err)
		}
		if denied := h.denies("a", command); denied != c.denied {
			t.Errorf("%s: denied %v", c.hide, denied)
		}
		if c.denied {
			continue
		}
		var out bytes.Buffer
		w, done := h.output("a", command, &out)
		_, _ = io.WriteString(w, "one two\nthree ")
		done()
		if out.String() != c.want {
			t.Errorf("%s: %q", c.hide, out.String())
		}
		if got := h.seen.List(); len(got) != 4 || got[0] != whole || got[3].Word != 3 {
			t.Errorf("seen %v", got)
		}
	}
}

func TestHideRefuses(t *testing.T) {
	for _, h := range []Hidden{
		{Part{Method: "GET", Route: "/x", Member: "m"}, Denied}, {Part{Method: "EXEC", Route: "x", Word: 1}, Null},
		{Part{Method: "EXEC", Route: "x"}, Removed}, {Part{Method: "GET", Route: "/x", Member: "m"}, "other"},
	} {
		if _, err := newHiding(Options{Hide: []Hidden{h}}); err == nil {
			t.Errorf("%s is accepted", h)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var values [2]any
	for i, text := range []string{a, b} {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&values[i]); err != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// FuzzHide checks that a document stays the same if nothing is hidden, and that a removed member is not in the
// result, whatever the document is.
func FuzzHide(f *testing.F) {
	f.Add(hideDoc, "state")
	f.Add(`[[{"a":{"a":1,"a":2}}]]`, "[][].a")
	f.Fuzz(func(t *testing.T, doc, member string) {
		if !json.Valid([]byte(doc)) {
			return
		}
		var parts Parts
		of := Part{Method: "GET", Route: "/x"}
		if got := (&hiding{seen: &parts}).text(of, []byte(doc)); !sameJSON(t, string(got), doc) {
			t.Fatalf("%s becomes %s", doc, got)
		}
		of.Member = member
		hide := &hiding{hidden: []Hidden{{of, Removed}}}
		left := Parts{}
		(&hiding{seen: &left}).text(Part{Method: "GET", Route: "/x"},
			hide.text(Part{Method: "GET", Route: "/x"}, []byte(doc)))
		for _, p := range left.List() {
			if p == of && member != "" {
				t.Fatalf("%s still has %s", doc, member)
			}
		}
	})
}
