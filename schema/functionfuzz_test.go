package schema

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

// callFunction calls a function of the language within the limits.
func callFunction(t testing.TB, name string, args ...cty.Value) (cty.Value, error) {
	t.Helper()
	l := &loader{meter: &meter{ctx: t.Context()}, spellings: spellings{}, foreign: newForeignTexts()}
	l.secrets = newSecretSet(l.spellings)
	return l.newFunctions()[name].Call(args)
}

// jqlString reads a string in double quotes by Atlassian's grammar of JQL, and returns what stands behind it.
func jqlString(s string) (text, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"':
			return b.String(), s[i+1:], true
		case r == '\\' && i+1 < len(s):
			plain := map[byte]string{'t': "\t", 'n': "\n", 'r': "\r", '"': `"`, '\'': "'", '\\': `\`, ' ': " "}[s[i+1]]
			if s[i+1] == 'u' && i+6 <= len(s) {
				n, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
				if err != nil {
					return "", s, false
				}
				plain, i = string(rune(n)), i+4
			}
			if plain == "" {
				return "", s, false
			}
			b.WriteString(plain)
			i += 2
		case r != '\n' && r != '\r' && r < 0x20, r >= 0x7f && r <= 0x9f, r >= 0xfdd0 && r <= 0xfdef, r == 0xfffe, r == 0xffff:
			return "", s, false
		default:
			b.WriteRune(r)
			i += size
		}
	}
	return "", s, false
}

func checkJQL(t testing.TB, text string) string {
	t.Helper()
	in := cty.StringVal(text)
	out, err := callFunction(t, "jql_quote", in)
	if err != nil {
		return err.Error()
	}
	got, rest, ok := jqlString(out.AsString())
	if !ok || rest != "" || got != in.AsString() {
		return fmt.Sprintf("%q is quoted as %s, which reads as %q and then %q", text, out.AsString(), got, rest)
	}
	return ""
}

// TestJQLQuoteProperty: whatever is quoted is one string of JQL, and reads as what it was.
func TestJQLQuoteProperty(t *testing.T) {
	for _, text := range []string{"", `" OR project = "X`, `\`, `\"`, `a\u0022 OR`,
		"\x00\x1f\x7f\u009f\ufdd0\ufffe\uffff", "\r\n\t", "'", "😀",
		"\n\u0300", "\x01\u0300\u0327", "\t\u0327\U0001d165\u0301"} {
		if wrong := checkJQL(t, text); wrong != "" {
			t.Error(wrong)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		rune := rapid.OneOf(rapid.SampledFrom([]rune("\"\\'un0 \n\r\t\u0300\u0327")), rapid.Rune())
		if wrong := checkJQL(t, rapid.StringOf(rune).Draw(rt, "text")); wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func FuzzJQLQuote(f *testing.F) {
	f.Add(`a "b" \ c`)
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) { // the language has UTF-8 alone
			return
		}
		if wrong := checkJQL(t, text); wrong != "" {
			t.Error(wrong)
		}
	})
}

// yamlBombs are small texts that stand for very much, or nest very deeply.
func yamlBombs() map[string]string {
	aliases := "a0: &a0 [x, x, x, x, x, x, x, x]\n"
	maps := "a0: &a0 {x: 1}\n"
	for i := 1; i < 40; i++ {
		aliases += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8))
		maps += fmt.Sprintf("a%d: &a%d {l: *a%d, r: *a%d}\n", i, i, i-1, i-1)
	}
	merged := "b: &b {"
	for i := range 5000 {
		merged += fmt.Sprintf("k%d: 1, ", i)
	}
	merged += "}\nc:\n"
	for i := range 5000 {
		merged += fmt.Sprintf("- {<<: *b, n: %d}\n", i)
	}
	return map[string]string{
		"aliases": aliases, "maps": maps, "merged": merged,
		"merged lists": "b: &b {" + strings.Repeat("a: 1, ", 1) + "}\nc: {<<: [" + strings.Repeat("*b, ",
			1<<20) + "]}\n" + strings.Repeat("? ", 1000),
		"brackets": strings.Repeat("[", 1<<20), "braces": strings.Repeat("{a: ", 1<<19),
		"strings":           strings.Repeat(`["]", `, 1<<19),
		"open at each word": strings.Repeat("[", 8000) + strings.Repeat("a,\n", 1<<20), "open": strings.Repeat("[\n", 60000),
		"dashes": strings.Repeat("- ", 1<<19), "closed": strings.Repeat("[", 200) + strings.Repeat("]", 200),
		"digits": "a: " + strings.Repeat("1", 1<<20), "exponent": "1e99999999", "underscores": strings.Repeat("1_", 1<<19),
		"indented": func() string {
			var b strings.Builder
			for i := range 1000 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(),
	}
}

// TestYAMLBombs: they are refused before they are made.
func TestYAMLBombs(t *testing.T) {
	t.Parallel()
	for name, src := range yamlBombs() {
		val, err := callFunction(t, "yamldecode", cty.StringVal(src))
		if err == nil && name == "underscores" { // a text
			continue
		}
		if err == nil && (&meter{ctx: t.Context()}).weigh(val) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestTableBombs: a table of very many cells is refused before it is made.
func TestTableBombs(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"columns": strings.Repeat(",", 1<<21), "rows": "a\n" + strings.Repeat("1\n", 1<<21), "empty": strings.Repeat("\n",
			1<<21),
	} {
		if _, err := callFunction(t, "csvdecode", cty.StringVal(src)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzYAMLDecode(f *testing.F) {
	for _, src := range []string{"a: &x [1, 2]\nb: *x", "a: {<<: {b: 1}}", "- |\n  x\n- !!str 1\n- 2020-01-02",
		"? a\n: b", "--- 1"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) { decoded(t, "yamldecode", src) })
}

func FuzzCSVDecode(f *testing.F) {
	for _, src := range []string{"a,b\n1,2", "a\n\"x\"\"y\"\n", "\ufeffa;b", "a,a"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) { decoded(t, "csvdecode", src) })
}

// decoded: the same text gives the same value, which is within the limits, or an error each time.
func decoded(t testing.TB, name, src string) {
	t.Helper()
	first, err := callFunction(t, name, cty.StringVal(src))
	second, again := callFunction(t, name, cty.StringVal(src))
	if (err == nil) != (again == nil) || err == nil && !first.RawEquals(second) {
		t.Errorf("%q gives %#v (%v), then %#v (%v)", src, first, err, second, again)
	}
}
