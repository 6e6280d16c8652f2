package settings

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// webapp is similar to the vendor's file: sections, explanations, keys commented out with and without a blank.
const webapp = `#
# General
#

install.root=.

# Where the server is.
twc.ip=127.0.0.1
twc.client.port=3579

! Set to true to enable TLS. Otherwise, set to false or comment the property to disable it
#twc.client.tls=true

# Specify the type, for example, JKS.
# twc.client.keystore.type = JKS

# Specify the path.
#twc.client.keystore.path=<full.path>
#twc.client.keystore.password=<password>

  # twc.admin.note=first, \
  #    second
mail.host = gate.example.com
mail.password=ENC(q83v/Zz+EjRWeJA=)
mail.subject=\u00dcbersicht \
             der Woche
`

// set is a key and the value to give it.
type set struct{ key, value string }

func apply(t testing.TB, p *Properties, sets ...set) {
	t.Helper()
	for _, s := range sets {
		if err := p.Set(s.key, s.value); err != nil {
			t.Fatalf("%s: %v", s.key, err)
		}
	}
}

func properties(t testing.TB, src string) *Properties {
	t.Helper()
	p, err := ParseProperties([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPropertiesKeepEverythingElse(t *testing.T) {
	p := properties(t, webapp)
	apply(t, p, set{"twc.client.tls", "true"}, set{"twc.client.keystore.type", "PKCS12"},
		set{"twc.client.keystore.path", `C:\Certs\key store.p12`}, set{"twc.client.keystore.password", " pä=#ss "},
		set{"twc.client.port", "10002"}, set{"twc.admin.note", "x"}, set{"twc.new", "1"})
	want := webapp
	for _, change := range [][2]string{
		{"=3579\n", "=10002\n"},
		{"#twc.client.tls=true\n", "#twc.client.tls=true\ntwc.client.tls=true\n"},
		{"type = JKS\n", "type = JKS\ntwc.client.keystore.type = PKCS12\n"},
		{"<full.path>\n", "<full.path>\ntwc.client.keystore.path=C:\\\\Certs\\\\key store.p12\n"},
		{"<password>\n", "<password>\ntwc.client.keystore.password=\\ p\\u00E4=#ss \n"},
		{"  #    second\n", "  #    second\n  twc.admin.note=x\n"},
	} {
		want = strings.Replace(want, change[0], change[1], 1)
	}
	want += "twc.new=1\n"
	if diff := cmp.Diff(want, string(p.Bytes())); diff != "" {
		t.Fatal(diff)
	}
}

func TestPropertiesEdits(t *testing.T) {
	readers := propertiesReaders()
	for name, c := range map[string]struct {
		src  string
		sets []set
		want string
	}{
		"separator kept":           {"k : a\nl\tb\n", []set{{"k", "x"}, {"l", "y"}}, "k : x\nl\ty\n"},
		"blank as separator":       {"k a\n", []set{{"k", "=x"}}, "k \\=x\n"},
		"no separator":             {"k\nl\n", []set{{"k", "x"}}, "k=x\nl\n"},
		"empty value":              {"k=a\n", []set{{"k", ""}}, "k=\n"},
		"from empty":               {"k =\nl=1\n", []set{{"k", "x"}}, "k =x\nl=1\n"},
		"indentation":              {"\t k = a\n", []set{{"k", "x"}}, "\t k = x\n"},
		"the last one wins":        {"k=a\nk=b\nl=c\n", []set{{"k", "x"}}, "k=a\nk=x\nl=c\n"},
		"already so":               {"k=\\u0061\\\n  b\n", []set{{"k", "ab"}}, "k=\\u0061\\\n  b\n"},
		"key with escapes":         {"a\\ b\\:c=1\n", []set{{"a b:c", "2"}}, "a\\ b\\:c=2\n"},
		"value on the next line":   {"k = \\\n    a\\\n b\nl=1\n", []set{{"k", "x"}}, "k = \\\n    x\nl=1\n"},
		"several lines become one": {"k=a,\\\n  b,\\\n  c\nl=1\n", []set{{"k", "x"}}, "k=x\nl=1\n"},
		"blanks at the end go":     {"k=a  \n", []set{{"k", "x"}}, "k=x\n"},
		"blanks at the end come":   {"k=a\n", []set{{"k", "x  "}}, "k=x  \n"},
		"CRLF": {"k=a\r\n\r\n#l=1\r\n", []set{{"k", "x"}, {"l", "2"}, {"m", "3"}},
			"k=x\r\n\r\n#l=1\r\nl=2\r\nm=3\r\n"},
		"CR": {"k=a\r#l=1\r", []set{{"k", "x"}, {"l", "2"}, {"m", "3"}}, "k=x\r#l=1\rl=2\rm=3\r"},
		"mixed": {"#l=1\r\nk=a\n#m=1\r", []set{{"l", "2"}, {"m", "3"}, {"n", "4"}},
			"#l=1\r\nl=2\r\nk=a\n#m=1\rm=3\rn=4\r"},
		"no final newline":            {"k=a", []set{{"l", "2"}}, "k=a\nl=2"},
		"no final newline, comment":   {"k=a\r\n#l=1", []set{{"l", "2"}}, "k=a\r\n#l=1\r\nl=2"},
		"empty file":                  {"", []set{{"k", "1"}}, "k=1\n"},
		"byte order mark":             {"\ufeffk=a\n", []set{{"k", "1"}}, "\ufeffk=a\nk=1\n"},
		"byte order mark, comment":    {"\ufeff#k=a\nl=1\n", []set{{"k", "1"}}, "\ufeff#k=a\nk=1\nl=1\n"},
		"byte order mark alone":       {"\ufeff", []set{{"k", "1"}}, "\ufeff\nk=1"},
		"ends in a backslash":         {"l=1\nk=a\\", []set{{"m", "2"}}, "l=1\nm=2\nk=a\\"},
		"ends in a backslash and end": {"l=1\r\nk=a\\\r\n", []set{{"m", "2"}, {"k", "b"}}, "l=1\r\nm=2\r\nk=b\r\n"},
		"Latin-1": {"# caf\xe9\nk=\xe9\n", []set{{"k", "ü€😀"}},
			"# caf\xe9\nk=\\u00FC\\u20AC\\uD83D\\uDE00\n"},
		"control characters": {"k=\n", []set{{"k", "\ta\nb\rc\fd\x00\x7f"}}, "k=\\ta\\nb\\rc\\fd\\u0000\\u007F\n"},
		"prose is not a setting": {"# k is good\n# k: what it is for\n#k = a\n# k: more\n", []set{{"k", "1"}},
			"# k is good\n# k: what it is for\n#k = a\nk = 1\n# k: more\n"},
		"prose may be one":      {"# k: a\n", []set{{"k", "1"}}, "# k: a\nk=1\n"},
		"backslash, blank line": {"k=a\\\n\nl=1\n", []set{{"l", "2"}}, "k=a\\\n\nl=2\n"},
		"key with a mark":       {"", []set{{"#k!", "1"}}, "\\#k!=1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := properties(t, c.src)
			want := valuesOf(p)
			for _, s := range c.sets {
				apply(t, p, s)
				want[s.key] = s.value
			}
			if diff := cmp.Diff(c.want, string(p.Bytes())); diff != "" {
				t.Fatal(diff)
			}
			for name, read := range readers {
				if got, ok := read(t, []byte(c.want)); !ok || !maps.Equal(got, want) {
					t.Errorf("%s reads %q, %v; want %q", name, got, ok, want)
				}
			}
			before := p.Bytes()
			if apply(t, p, c.sets...); !bytes.Equal(before, p.Bytes()) {
				t.Error("applied again it changes the file")
			}
		})
	}
}

func TestPropertiesGet(t *testing.T) {
	p := properties(t, "a=1\r\n\r\n# c\rb = x \\\n   y  \na:2\n\\u00e9=\\uD83D\\uDE00\xe9\n")
	for key, want := range map[string]struct {
		value string
		line  int
	}{"a": {"2", 6}, "b": {"x y  ", 4}, "é": {"😀é", 7}} {
		if value, line, ok := p.Get(key); !ok || value != want.value || line != want.line {
			t.Errorf("%s is %q in line %d, %v", key, value, line, ok)
		}
	}
	if value, line, ok := p.Get("c"); ok || value != "" || line != 0 {
		t.Errorf("c is %q in line %d, %v", value, line, ok)
	}
}

func TestPropertiesRefused(t *testing.T) {
	for src, want := range map[string]string{
		"a=1\r\nsecret=C:\\users\\x\n": "line 2, column 10: ",
		"a=1\n\\u12=1\n":               "line 2, column 1: ",
		"k = \\\n   s\\u12g4":          "line 2, column 5: ",
		"\xff\xfea\x00=\x001\x00":      "line 1, column 1: the file is saved as UTF-16",
	} {
		_, err := ParseProperties([]byte(src))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "users") {
			t.Errorf("%q: %v", src, err)
		}
	}
	p := properties(t, "a=1\n")
	for _, s := range []set{{"", "x"}, {"k", "\xff"}, {"\xff", "k"}} {
		if p.Set(s.key, s.value) == nil || string(p.Bytes()) != "a=1\n" {
			t.Errorf("%q=%q is taken", s.key, s.value)
		}
	}
}

// text draws a text from pieces with a meaning in the format.
func text(pieces ...string) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 25),
		func(s []string) string { return strings.Join(s, "") })
}

var propertiesText = text("a", "b", "key", "=", ":", " ", "\t", "\f", "\\", "\\", "\n", "\n", "\n", "\r",
	"\r\n", "#", "!", "#key=", "# a = ",
	"\\u0041", "\\u00e9", "\\uD83D", "\\u12", "\xe9", "ü", "\ufeff", "ENC(x=)", "\x00", "a=1\n", "key=2\r\n")

var propertiesKeys = rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "key"}), rapid.StringN(1, 5, -1))

func TestPropertiesEditAnything(t *testing.T) {
	readers := propertiesReaders()
	rapid.Check(t, func(rt *rapid.T) {
		src := []byte(propertiesText.Draw(rt, "file"))
		key := propertiesKeys.Draw(rt, "key")
		value := rapid.OneOf(rapid.StringN(0, 6, -1), text("a", " ", "=", ":", "\\", "#", "\n", "é")).Draw(rt, "value")
		p, err := ParseProperties(src)
		for name, read := range readers {
			values, ok := read(t, src)
			if ok != (err == nil) || ok && !maps.Equal(values, valuesOf(p)) {
				rt.Fatalf("%s reads %q, this package %v", name, values, err)
			}
		}
		if err != nil {
			return
		}
		editProperties(rt, src, p, key, value)
		for name, read := range readers {
			if values, ok := read(t, p.Bytes()); !ok || !maps.Equal(values, valuesOf(p)) {
				rt.Fatalf("edited, %s reads %q, this package %q", name, values, valuesOf(p))
			}
		}
	})
}

// editProperties sets a key and checks what every Set promises; p keeps the change.
func editProperties(t fataler, src []byte, p *Properties, key, value string) {
	t.Helper()
	if !bytes.Equal(p.Bytes(), src) {
		t.Fatalf("read, it is another file")
	}
	want := valuesOf(p)
	kept := len(src) // bytes of other settings
	if i := p.winner(key); i >= 0 {
		kept -= p.entries[i].end - p.entries[i].keyEnd
	}
	if err := p.Set(key, value); err != nil {
		t.Fatalf("set %q: %v", key, err)
	}
	edited := p.Bytes()
	want[key] = value
	again, err := ParseProperties(edited)
	if err != nil || !maps.Equal(valuesOf(again), want) || !maps.Equal(valuesOf(p), want) {
		t.Fatalf("edited it reads %q, %v; want %q", valuesOf(p), err, want)
	}
	if n := unchanged(src, edited); n < kept {
		t.Fatalf("%d of %d bytes are kept: %q becomes %q", n, kept, src, edited)
	}
	if err := again.Set(key, value); err != nil || !bytes.Equal(again.Bytes(), edited) {
		t.Fatalf("set again: %v, %q", err, again.Bytes())
	}
}

// unchanged returns how many bytes at the beginning and end of src are also those of edited.
func unchanged(src, edited []byte) int {
	most := min(len(src), len(edited))
	before := 0
	for before < most && src[before] == edited[before] {
		before++
	}
	after := 0
	for after < most-before && src[len(src)-1-after] == edited[len(edited)-1-after] {
		after++
	}
	return before + after
}

func FuzzProperties(f *testing.F) {
	f.Add([]byte(webapp), "twc.client.tls", "true")
	f.Add([]byte("k=a\\\r\n"), "k", "")
	f.Add([]byte("\\\n#k=1\r\\"), "k", "\\")
	f.Add([]byte("\ufeff#k\\u0020=1"), "k ", "=")
	f.Fuzz(func(t *testing.T, src []byte, key, value string) {
		p, err := ParseProperties(src)
		if err != nil || key == "" || !utf8.ValidString(key) || !utf8.ValidString(value) {
			return
		}
		editProperties(t, src, p, key, value)
	})
}
