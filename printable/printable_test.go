package printable_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/syncctl/syncctl/printable"
	"pgregory.net/rapid"
)

// TestText: what stays, and what becomes which escape.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"plain äö\n\ttext":   "plain äö\n\ttext",
		"a\x1b[31mb":         `a\x1b[31mb`,
		"a\rb":               `a\rb`,
		"\x00\x7f":           `\x00\x7f`,
		"\u009b31m\u0085":    `\u009b31m\u0085`,
		"a\xffb\xed\xa0\x80": `a\xffb\xed\xa0\x80`,
		"\u202eevil\u2066":   `\u202eevil\u2066`,
		"\u061c\u200e\u200f": `\u061c\u200e\u200f`,
		"\u2028\u2029":       `\u2028\u2029`,
		"a\u200bb\u200cc\u200d\u2060\u2064\ufeff": `a\u200bb\u200cc\u200d\u2060\u2064\ufeff`,
		"\u00ad\u034f\u180e\u180b\ufff9":          `\u00ad\u034f\u180e\u180b\ufff9`,
		"\u115f\u1160\u3164\uffa0":                `\u115f\u1160\u3164\uffa0`,
		"\U000e0041\U000e007f\U000e0100":          `\U000e0041\U000e007f\U000e0100`,
		"a\ufe0fb\ufe0e":                          `a\ufe0fb\ufe0e`,
		"\ue000\U000f0000\ufdd0\U0010ffff":        `\ue000\U000f0000\ufdd0\U0010ffff`,
		"\ufffd":                                  "\ufffd",
		"שלום عربي فارسی \u0601":                  "שלום عربي فارسی \u0601",
		"日本語 e\u0301 한글":                          "日本語 e\u0301 한글",
		"👩\u200d🚀 👩🏽\u200d🚀 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3 ☎\ufe0e": "👩\u200d🚀 👩🏽\u200d🚀 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3 ☎\ufe0e",
		"🚀\ufe0f\ufe0f \u200d🚀 🚀\u200d 🚀\u200da 1\ufe0f":          "🚀\ufe0f\\ufe0f \\u200d🚀 🚀\\u200d 🚀\\u200da 1\\ufe0f",
	} {
		if got := printable.Text(in); got != want {
			t.Errorf("%+q: got %+q, want %+q", in, got, want)
		}
	}
	if got := printable.Line("a\n\tb\u2028"); got != `a\n\tb\u2028` {
		t.Errorf("line: got %q", got)
	}
}

// TestEveryCharacter: each is either kept or written in printable ASCII, and ASCII that can be seen is kept.
func TestEveryCharacter(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		in := "a" + string(r) + "b"
		if got := printable.Line(in); got != in {
			if ascii := strings.Trim(got, "ab"); r >= ' ' && r < 0x7f || strings.IndexFunc(ascii, func(r rune) bool {
				return r < ' ' || r >= 0x7f
			}) >= 0 {
				t.Fatalf("%U: got %+q", r, got)
			}
		}
	}
}

// TestJSON: the bytes are safe, the value is kept.
func TestJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.SampledFrom([]rune("\u009b\u202e\u200b\u2028\ufeff\u061c\U000e0041\U000f0000\x1b\x00\n\"\\" +
			"👩\u200d🚀ab"))
		value := rapid.StringOfN(rapid.OneOf(hostile, rapid.Rune()), 0, 20, -1).Draw(t, "value")
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "\t")
		if err := enc.Encode(map[string]string{value: value}); err != nil {
			t.Fatal(err)
		}
		doc := printable.JSON([]byte(b.String()))
		if !printable.Safe(string(doc)) {
			t.Fatalf("unsafe: %+q", doc)
		}
		var back map[string]string
		if err := json.Unmarshal(doc, &back); err != nil || back[value] != value {
			t.Fatalf("%+q became %+q in %+q: %v", value, back, doc, err)
		}
	})
}

// TestIdempotent: what is safe stays as it is, so that a text may pass several writers.
func TestIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "in")) + rapid.String().Draw(t, "text")
		out := printable.Text(in)
		if !printable.Safe(out) || !utf8.ValidString(out) {
			t.Fatalf("%+q becomes %+q, which is not safe", in, out)
		}
	})
}

// TestBoundsOfLargeDocuments: a large plan is read, whose values have texts; a list of as many values without any is
// not.
func TestBoundsOfLargeDocuments(t *testing.T) {
	b := printable.Bounds{Values: 100, Each: 12, Depth: 9, Text: 99}
	const step = `{"summary":"configure it as declared","because":"it has none"},`
	for element, ok := range map[string]bool{step: true, `{"summary":""},`: false, `{},`: false} {
		if err := b.Check([]byte("[" + strings.Repeat(element, 100) + "1]")); (err == nil) != ok {
			t.Errorf("%s: %v", element, err)
		}
	}
	if b.Each = 0; b.Check([]byte("["+strings.Repeat(step, 100)+"1]")) == nil {
		t.Error("it has too many values")
	}
}

// TestBoundsOfObjects: objects of which nothing is written take as much memory as others, so there are fewer of them
// than of values, however long the document is, and fewer still in a short one.
func TestBoundsOfObjects(t *testing.T) {
	b := printable.Bounds{Values: 9999, Objects: 400, EachObject: 10, Depth: 9, Text: 99}
	for _, c := range []struct {
		objects, each int
		ok            bool
	}{
		{100, 3, true}, {101, 3, false}, {101, 9, false}, {101, 10, true}, {400, 10, true}, {401, 10, false},
		{401, 90, false},
	} {
		text := strings.Repeat("{}"+strings.Repeat(" ", c.each-3)+"\n", c.objects) + "1"
		if err := b.Check([]byte(text)); (err == nil) != c.ok {
			t.Errorf("%d objects of %d bytes: %v", c.objects, c.each, err)
		}
	}
	text := []byte("[" + strings.Repeat(" {},", 700_000) + strings.Repeat(" ", 40<<20) + "1]")
	if printable.Documents.Check(text) == nil {
		t.Error("it has too many objects")
	}
	if err := printable.Documents.Times(4).Check(text); err != nil {
		t.Error(err)
	}
	if err := (printable.Bounds{Values: 2_000_000, Depth: 9, Text: 99 << 20}).Check(text); err != nil {
		t.Error(err)
	}
}
