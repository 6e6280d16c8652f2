package settings

import (
	"maps"
	"strings"
	"testing"
)

func TestReadProperties(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":                             {},
		"# a=1\n! b=2\n   #c=3\n":      {},
		"a=1\nb: 2\nc 3\nd\n\te = 5  ": {"a": "1", "b": "2", "c": "3", "d": "", "e": "5  "},
		"a=1\r\na=2\rb=3":              {"a": "2", "b": "3"},
		"a=1 \\\n   2\nb=3\\\\\nc=4":   {"a": "1 2", "b": `3\`, "c": "4"},
		`a\=b\ c=d=e`:                  {"a=b c": "d=e"},
		"a=\\t\\n\\u0041\\q":           {"a": "\t\nAq"},
		"a=x\\":                        {"a": "x"},
		"a = = b":                      {"a": "= b"},
		"#a=1\\\nb=2":                  {"b": "2"},
	} {
		got, err := Properties([]byte(text))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"a=\\u12", "b=1\na=\\uzzzz"} {
		if _, err := Properties([]byte(text)); err == nil || !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadHOCON(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":                                {},
		"# c\n// d\n":                     {},
		"a = 1\nb : two\nc.d = \"x y\"":   {"a": "1", "b": "two", "c.d": "x y"},
		"a { b = 1, c { d = 2 } }":        {"a.b": "1", "a.c.d": "2"},
		"{ a = 1 }":                       {"a": "1"},
		"a { b = 1 }\na { c = 2 }":        {"a.b": "1", "a.c": "2"},
		"a { b = 1 }\na.b = 3":            {"a.b": "3"},
		"a.b = 1\na = 2":                  {"a": "2"},
		"a = 2\na.b = 1":                  {"a.b": "1"},
		"a = 5 s # why\nb=10 minutes,":    {"a": "5 s", "b": "10 minutes"},
		"a = [1, {b = 2}, [3]]\nc = 4":    {"c": "4", "a": ""},
		"a = [${?X}][${?Y}]\nb=\"${?X}\"": {"a": "", "b": "${?X}"},
		"a = ${?X}b":                      {"a": "b"},
		"a = \"\"\"x \"y\" # z\"\"\"":     {"a": `x "y" # z`},
		"net\n{\n\tport = 1\n}\n":         {"net.port": "1"},
		"a {}\nb = on":                    {"b": "on"},
		"\"a\" = -1\r\n":                  {"a": "-1"},
	} {
		got, err := HOCON([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		maps.DeleteFunc(got, func(k, v string) bool { _, asked := want[k]; return v == "" && !asked })
		maps.DeleteFunc(want, func(k, v string) bool { return v == "" && got[k] == "" })
		maps.DeleteFunc(got, func(_, v string) bool { return v == "" })
		if !maps.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, text := range []string{
		"a {", "a = {", "a", "a =", "a = [1", "a = \"x", "a = \"\"\"x", "= 1", "a = 1 }", "a = b=c", "a..b = 1",
		"a = ${x", "}", "a = ?", "a = \"\\x\"",
		strings.Repeat("a {", 300), "a = " + strings.Repeat("[", 300),
	} {
		if got, err := HOCON([]byte(text)); err == nil {
			t.Errorf("%.20q: %q", text, got)
		}
	}
}

// syncTLS is the setting that is appended to files.
const syncTLS = "esi.server.sync.tls-enabled"

func FuzzSettingsFiles(f *testing.F) {
	for _, s := range []string{"", "a=1\\\n 2", "a { b = [1, ${?X}] }", "\"\"\"", "a=\\u00e4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if values, err := HOCON([]byte(text)); err == nil {
			for path := range values {
				if _, err := checkPath(path); err != nil && !strings.Contains(text, `"`) {
					t.Fatalf("%q: %v", text, err)
				}
			}
			// An appended line counts in any file without braces around it.
			if !strings.HasPrefix(strings.TrimSpace(text), "{") {
				again, err := HOCON([]byte(text + "\n" + syncTLS + " = true\n"))
				if err == nil && again[syncTLS] != "true" {
					t.Fatalf("%q: %q", text, again)
				}
			}
		}
		_, _ = Properties([]byte(text))
	})
}
