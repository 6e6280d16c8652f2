package seed

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type farm struct {
	Now   string              `json:"now"`
	Barns map[string]*barn    `json:"barns"`
	Odd   []json.RawMessage   `json:"odd"`
	Words map[string]string   `json:"words"`
	Lists map[string][]string `json:"lists"`
}

type barn struct {
	Doors *int     `json:"doors"`
	Cows  []*barn2 `json:"cows"`
	Open  bool     `json:"open,omitempty"`
}

type barn2 struct {
	Names *[]string `json:"names"`
}

const farmText = `
now	When.
barns	What.
barns.doors	How many. Default: 1.
barns.cows	Cows.
barns.cows.names	Their names.
barns.open	Whether.
odd	Odd.
words	Words.
lists	Lists.
`

// TestDescribe: every member has its meaning and its type in words, and nothing else has one.
func TestDescribe(t *testing.T) {
	got, err := Describe[farm](farmText)
	want := []Member{
		{"now", "text", "When.", nil},
		{"barns", "object of objects, by name", "What.", []Member{
			{"doors", "number", "How many. Default: 1.", nil},
			{"cows", "list of objects", "Cows.", []Member{{"names", "list of texts", "Their names.", nil}}},
			{"open", "true or false", "Whether.", nil},
		}},
		{"odd", "list of objects", "Odd.", nil},
		{"words", "object of texts, by name", "Words.", nil},
		{"lists", "object of lists of texts, by name", "Lists.", nil},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for name, text := range map[string]string{
		"one too many": farmText + "barns.roof\tWhat.\n", "one too few": "now\tWhen.\n", "twice": farmText + "now\tWhen.\n",
		"no meaning": "now",
	} {
		if _, err := Describe[farm](text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
