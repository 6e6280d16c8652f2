package seed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/syncctl/syncctl/sandbox/seed"
)

type one struct {
	Name string         `json:"name"`
	More map[string]one `json:"more"`
	List []*one         `json:"list"`
}

func TestDecode(t *testing.T) {
	var got one
	err := seed.Decode([]byte(`{"name": "a", "more": {"Name": {"list": [{"name": "b"}, null]}}}`), &got)
	if err != nil || got.Name != "a" || got.More["Name"].List[0].Name != "b" || got.More["Name"].List[1] != nil {
		t.Errorf("%+v %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "line 1, column 1: it ends",
		"{\n \"name\": 7}":                    "line 2, column",
		"{\"name\": \"a\",\n\"name\": \"b\"}": `line 2, column 1: member "name" appears twice`,
		"{\"Name\": \"a\"}":                   `line 1, column 2: unknown member "Name"`,
		"{\"more\": []}":                      "more: want an object, got a list",
		"{\"list\": {}}":                      "list: want a list, got an object",
		"{\"list\": [{\"x\": 1}]}":            `unknown member "list[0].x"`,
		"{} {}":                               "line 1, column 4",
		"{\"name\": \"a\"":                    "line 1, column 13: it ends",
	} {
		if err := seed.Decode([]byte(text), new(one)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name": "a", "more": {"x": {}}, "list": [null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got one
		if err := seed.Decode(text, &got); err != nil && err.Error() == "" {
			t.Error("an error says nothing")
		}
	})
}

func TestInstant(t *testing.T) {
	usual := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"": usual,
		"2025-01-02T03:04:05+01:00": time.Date(2025, 1, 2, 2, 4, 5, 0, time.UTC)} {
		if got, err := seed.Instant(text, usual); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s %v", text, got, err)
		}
	}
	for _, text := range []string{"2025-01-02", "1889-01-02T03:04:05Z", "2300-01-02T03:04:05Z"} {
		if _, err := seed.Instant(text, usual); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestOneOf(t *testing.T) {
	word := ""
	if err := seed.OneOf("x", &word, "first", "second"); err != nil || word != "first" {
		t.Error(word, err)
	}
	if word = "third"; seed.OneOf("x", &word, "first", "second") == nil {
		t.Error("third is taken")
	}
}
