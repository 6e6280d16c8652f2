package osmc

import (
	"strings"
	"testing"
)

func parsed(t *testing.T, text string) *node {
	t.Helper()
	n, err := tree([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func TestReference(t *testing.T) {
	const id = "5f31ea7b-144f-45b2-8899-0de92d99698a"
	for _, c := range []struct{ text, kind, want string }{
		{`"` + id + `"`, branches, id},
		{`"#` + id + `"`, branches, id},
		{`"urn:uuid:` + id + `"`, branches, id},
		{`{"@id":"` + id + `"}`, branches, id},
		{`{"@id":{"@id":"` + id + `"}}`, branches, id},
		{`["` + id + `"]`, branches, id},
		{`"https://h:8111/osmc/workspaces/w/resources/r/branches/` + id + `"`, branches, id},
		{`"https://h:8111/osmc/workspaces/w/resources/r/branches/` + id + `/revisions/3"`, branches, id},
		{`"https://h:8111/osmc/workspaces/w/resources/r/branches/` + id + `/?x=1#it"`, branches, id},
		{`"../../../branches/` + id + `"`, branches, id},
		{`"branches/` + id + `"`, branches, id},
		{`"https://h/osmc/resources/r/branches#` + id + `"`, branches, id},
		{`"https://h/osmc/resources/a%20b"`, resources, "a b"},
		{`{"@id":"#it","ID":"` + id + `"}`, branches, id},
		{`{"@id":"","ID":"","@base":"https://h/osmc/resources/r/revisions/18"}`, revisions, "18"},
		{`{"@id":"","ID":"","@base":"https://h/osmc/resources/r/revisions/18/elements"}`, revisions, "18"},
		{`[{"@id":""},{"@id":{"@id":"#it"},"ID":"` + id + `"}]`, branches, id},
		{`[{"@id":"` + id + `"},{"dcterms:title":"x"}]`, workspaces, id},
		{`4`, revisions, "4"},
		{`"../.."`, branches, ""},
		{`"a\n::add-mask::x"`, branches, ""},
		{`"https://h/osmc/resources/a%0Ab"`, resources, ""},
		{`"#it"`, branches, ""},
		{`""`, branches, ""},
		{`null`, branches, ""},
		{`true`, branches, ""},
		{`{}`, branches, ""},
		{`[]`, branches, ""},
		{`"https://h/osmc/resources/r/branches"`, branches, ""},
		{`"https://h/osmc/resources/r/branches/b"`, tags, ""},
		{`{"@base":"https://h/osmc/resources/r/tags"}`, tags, ""},
	} {
		if got := parsed(t, c.text).reference(c.kind); got != c.want {
			t.Errorf("%s as one of %s: got %q, want %q", c.text, c.kind, got, c.want)
		}
	}
}

func TestList(t *testing.T) {
	const pair = `{"@id":"","ldp:membershipResource":{"@id":"#it"}},{"@id":{"@id":"#it"}`
	for text, want := range map[string]any{
		`[]`:                                0,
		`["a","b"]`:                         2,
		`[1,2,3]`:                           3,
		`{"ldp:contains":[]}`:               0,
		`{"ldp:contains":["a"]}`:            1,
		`{"ldp:contains":{"@id":"a"}}`:      1,
		`{"ldp:contains":"a"}`:              1,
		`{"other":["a"],"more":["a","b"]}`:  1,
		`[{"@id":"","ldp:contains":["a"]}]`: 1,
		`[` + pair + `,"other":["a","b"]}]`: 2,
		`[[` + pair + `}],[` + pair + `}]]`: 2,
		`[{"@id":"a"},{"@id":"b"}]`:         2,
		`[{"@id":"a","ldp:contains":["x","y","z"]},{"@id":"b"}]`: 2, // two things, one of which contains something
		`{}`:                           "the answer has no ldp:contains or other: it is an empty object",
		`{"b":1,"a":2}`:                "the answer has no ldp:contains or other: it is an object with a, b",
		`{"ldp:contains":null}`:        "ldp:contains is null, where a list was expected",
		`{"ldp:contains":true}`:        "ldp:contains is a boolean, where a list was expected",
		`[` + pair + `}]`:              "the answer has no ldp:contains or other",
		`[` + pair + `,"other":null}]`: "[1].other is null",
		`null`:                         "it is null",
		`"text"`:                       "it is a string",
		`7`:                            "it is a number",
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}`: "a, b, c, d, e, f, g, h, …",
	} {
		list, err := parsed(t, text).list("ldp:contains", "other")
		switch want := want.(type) {
		case int:
			if err != nil || len(list) != want {
				t.Errorf("%s: got %d, %v", text, len(list), err)
			}
		case string:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", text, err, want)
			}
		}
	}
}

func TestWhole(t *testing.T) {
	for text, want := range map[string]int{
		`4`: 4, `"4"`: 4, `" 4 "`: 4, `4.0`: 4, `4e2`: 400, `-1`: -1, `"4.0"`: 4, `[4]`: 4, `{"@value":4}`: 4, `0`: 0,
		`9007199254740993`: 9007199254740993,
	} {
		if got, err := parsed(t, text).whole(); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{`4.5`, `"four"`, `"0x4"`, `"4_0"`, `"1e400"`, `1e30`, `"Inf"`, `"NaN"`, `""`,
		`true`, `null`, `[]`, `[1,2]`, `{}`, `99999999999999999999`} {
		if got, err := parsed(t, text).whole(); err == nil {
			t.Errorf("%s: got %d", text, got)
		}
	}
}

func TestTree(t *testing.T) {
	if n, err := tree([]byte("\ufeff{\"a\":1}\n ")); err != nil || n.member("a") == nil {
		t.Error(err)
	}
	for _, text := range []string{"", " ", "{", "{} {}", "nothing", "<html>", "[1,]"} {
		if _, err := tree([]byte(text)); err == nil {
			t.Errorf("%q is taken for JSON", text)
		}
	}
	n := parsed(t, `{"a":[{"b":{"c":null}}]}`).member("a")
	if got := n.item(0, n.v.([]any)[0]).member("b").path(); got != ".a[0].b" {
		t.Error(got)
	}
}

// TestListsBeyondTheirBound: each element becomes much more than its bytes.
func TestListsBeyondTheirBound(t *testing.T) {
	for more, refused := range []bool{false, true} {
		n := parsed(t, "["+strings.Repeat("1,", mostItems-1+more)+"1]")
		for name, read := range map[string]func() ([]*node, error){
			"items": n.items, "list": func() ([]*node, error) { return n.list("ldp:contains") },
		} {
			if _, err := read(); (err != nil) != refused {
				t.Errorf("%s of %d: %v", name, mostItems+more, err)
			}
		}
	}
}
