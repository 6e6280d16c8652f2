package settings

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// application is made like the vendor's file: tabs and blanks mixed, nested and dotted names, a brace on the next line,
// substitutions in a row, comments that hold all kinds of marks.
const application = `akka {

	remote {
		# e.g. ["akka://x@10.1.1.123:2552"], "${seed.ip}
		transports = ["akka.remote.artery.canonical"]
    	heartbeat-interval = 5 s
		artery.canonical { port = 2552 }
	}
}

esi {
	net
	{
		connectors = [
			{
				host = "0.0.0.0"
				port = 3579
			}
		]
	}
	serializer.max-buffersize =  -1
	server {
		session.timeout = 1800000
		session.reconnect.timeout=3600000
		actor.delay-ms = 2100000 // milliseconds
	}
	# decrypt_key_file = "<root_path>/keys/x"
	example = "ENC(Deh5EdmaDGWgU0N+2MEtyaJfm1f9QuRcEg==)"
}

esi.persistence.write-batch-size=1
esi.metrics{
	enabled = true
}
esi.ldap.classes = [posixAccount,person,account]
esi.driver {
	contact-points = [${?SEED0}][${?SEED1}]
	timeout = 10 minutes
	policy.class = DefaultPolicy
	greeting = """say "hi"
on two lines"""
}
akka { actor { enabled = off } }

# esi.query.suffix = "CHANGE_ME"
`

func hocon(t testing.TB, src string) *HOCON {
	t.Helper()
	h, err := ParseHOCON([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHOCONLookup(t *testing.T) {
	h := hocon(t, application)
	for path, want := range map[string]struct {
		value string
		line  int
	}{
		"akka.remote.heartbeat-interval":       {"5 s", 6},
		"akka.remote.artery.canonical.port":    {"2552", 7},
		"akka.actor.enabled":                   {"off", 43},
		"esi.serializer.max-buffersize":        {"-1", 21},
		"esi.server.session.reconnect.timeout": {"3600000", 24},
		"esi.server.actor.delay-ms":            {"2100000", 25},
		`esi."persistence".write-batch-size`:   {"1", 31},
		"esi.metrics.enabled":                  {"true", 33},
		"esi.driver.timeout":                   {"10 minutes", 38},
		"esi.driver.greeting":                  {"say \"hi\"\non two lines", 40},
		"esi.example":                          {"ENC(Deh5EdmaDGWgU0N+2MEtyaJfm1f9QuRcEg==)", 28},
	} {
		if value, line, ok := h.Lookup(path); !ok || value != want.value || line != want.line {
			t.Errorf("%s is %q in line %d, %v", path, value, line, ok)
		}
	}
	for path, want := range map[string]Found{
		"esi":                       {Standing: Object, Line: 36},
		"esi.driver.contact-points": {Standing: Array, Line: 37},
		"esi.net.connectors":        {Standing: Array, Line: 14},
		"esi.net.connectors.port":   {Standing: Absent, Line: 14},
		"esi.server.sync":           {},
		"esi.query.suffix":          {},
	} {
		if got, err := h.Find(path); err != nil || path != "esi" && got != want || got.Standing != want.Standing {
			t.Errorf("%s: %+v, %v; want %+v", path, got, err, want)
		}
		if _, line, ok := h.Lookup(path); ok || line != 0 {
			t.Errorf("%s is there", path)
		}
	}
	for _, path := range []string{"", " ", "a..b", "a.", ".a", "a=b", "${a}", "a\nb", "a # b", `"a`, "\xff"} {
		if _, err := h.Find(path); err == nil {
			t.Errorf("the path %q is taken", path)
		}
	}
}

func TestHOCONMerging(t *testing.T) {
	read := lightbendReader()
	for _, c := range []struct {
		src, path string
		want      Found
	}{
		{"a.b = 1, a { b = 2 }", "a.b", Found{Literal, "2", 1}},
		{"a.b = 1\na = 5\na.c = 2", "a.b", Found{Absent, "", 2}},
		{"a = 5\na = {}", "a", Found{Object, "", 2}},
		{"a.b = 1\na = null", "a.b", Found{Absent, "", 2}},
		{"a = x\na = null", "a", Found{Null, "", 2}},
		{`a = "null"`, "a", Found{Literal, "null", 1}},
		{"a = null and void", "a", Found{Literal, "null and void", 1}},
		{"a.b = 1\na = ${?x}", "a.b", Found{Unknown, "", 2}},
		{"a = ${?x}\na.b = 1", "a.b", Found{Literal, "1", 2}},
		{"a = ${?x} { b = 1 }", "a.b", Found{Literal, "1", 1}},
		{"a = { b = 1 } ${?x}", "a.b", Found{Unknown, "", 1}},
		{"a = { b = 1 }\n{ b = 2 }", "", Found{}},
		{"a = { b = 1 } { c = 2 }", "a.b", Found{Literal, "1", 1}},
		{"a { b = 1\ninclude \"x\" }", "a.b", Found{Unknown, "", 2}},
		{"include required(file(\"x\"))\na.b = 1", "a.b", Found{Literal, "1", 2}},
		{"a = 1\na += 2", "a", Found{Unknown, "", 2}},
		{"a = [{ b = 1 }]", "a.b", Found{Absent, "", 1}},
		{"a = b ${?x}", "a", Found{Unknown, "", 1}},
		{"a = b \"c\" d", "a", Found{Literal, "b c d", 1}},
		{"3.14 = pi", `"3"."14"`, Found{Literal, "pi", 1}},
		{"a b.c = 1", `"a b".c`, Found{Literal, "1", 1}},
		{"\"a.b\" = 1", "a.b", Found{}},
		{"a.\"\".b = 1", "a.\"\".b", Found{Literal, "1", 1}},
		{"a = \"\"\"\"x\"\"\"\"", "a", Found{Literal, "\"x\"", 1}},
		{"a = \"\\u00e9\\uD83D\\uDE00\\n\"", "a", Found{Literal, "é😀\n", 1}},
		{"\ufeffa = 1\u00a0\r\n", "a", Found{Literal, "1", 1}},
		{"a =\n\n# here\n1", "a", Found{Literal, "1", 4}},
		{"{a:1,\"b\":[true,{c:2}],}", "a", Found{Literal, "1", 1}},
		{"include = 1", "", Found{}},
		{"a = http://x", "", Found{}},
		{"a = 1 }", "", Found{}},
	} {
		h, err := ParseHOCON([]byte(c.src))
		var got Found
		if err == nil {
			got, _ = h.Find(c.path)
		}
		if got != c.want || (err != nil) != (c.path == "") {
			t.Errorf("%s in %q: %+v, %v; want %+v", c.path, c.src, got, err, c.want)
		}
		if read != nil {
			agree(t, read, []byte(c.src), h, err)
		}
	}
}

func TestHOCONRefused(t *testing.T) {
	for src, want := range map[string]string{
		"a = 1\n  b = c = secret":         "line 2, column 9: '=' or ':' stands behind a value",
		"a {\n b = 1":                     "line 1, column 3: '{' is not closed",
		"a = [1,\n 2":                     "line 1, column 5: '[' is not closed",
		"a = 1 }":                         "line 1, column 7: '}' closes nothing",
		"é = \"x\ny\"":                    "line 1, column 5: the text in quotes does not end on its line",
		"a = \"x":                         "line 1, column 5: the text in quotes does not end",
		"a = \"\"\"x":                     `line 1, column 5: the text in """ does not end`,
		"a = \"C:\\users\"":               `line 1, column 8: \u is not followed`,
		"a = \"C:\\secret\"":              "line 1, column 8: the backslash",
		"a = \"\\":                        "line 1, column 6: the file ends in a backslash",
		"a = \"\t\"":                      "line 1, column 6: a control character",
		"a = ${b":                         "line 1, column 5: '${' is not closed",
		"a = ${}":                         "line 1, column 5: '${...}' names nothing",
		"a = ${b ${c}}":                   "line 1, column 9: '${...}' may not stand in a path",
		"a = ${b\n}":                      "line 1, column 8: the end of the line may not stand in a path",
		"a = $b":                          "line 1, column 5: '$' may stand in quotes only",
		"a = 1+1":                         "line 1, column 6: '+' may stand in quotes only",
		"a = secret@x":                    "line 1, column 11: '@' may stand in quotes only",
		"a\nb":                            "line 2, column 1: text stands behind a name",
		"a = 1, , b = 2":                  "line 1, column 8: ',' stands where a name should",
		"a = , b = 2":                     "line 1, column 5: ',' stands where a value should",
		"a = [1,,2]":                      "line 1, column 8: ',' stands where a value should",
		"a = [1 [2]]":                     "line 1, column 8: an object or an array cannot be joined to a text",
		"a = [1 2 : 3]":                   "line 1, column 10: '=' or ':' stands behind a value",
		"a = {} \"b\"":                    "line 1, column 8: a text cannot be joined",
		"a = {b=1} [2]":                   "line 1, column 11: an object and an array cannot be joined",
		"a..b = 1":                        "line 1, column 1: a path may not begin with a dot or have two in a row",
		"a. = 1":                          "line 1, column 1: a path may not end in a dot",
		"include secret":                  "line 1, column 1: include is not followed",
		"include file(\"x\"":              "line 1, column 1: include is not closed",
		"[1]":                             "line 1, column 1: the file is an array",
		"{a=1}\nb=2":                      "line 2, column 1: text stands behind the '}'",
		"a += { b += 1 }":                 "line 1, column 10: '+=' may not stand in an array",
		"a = [{ b += 1 }]":                "line 1, column 10: '+=' may not stand in an array",
		"\xfe\xff\x00a":                   "line 1, column 1: the file is saved as UTF-16",
		strings.Repeat("a{", 501):         "line 1, column 1000: braces and brackets are nested too deep",
		strings.Repeat("a.", 501) + "b=1": "line 1, column 1: names are nested too deep",
	} {
		_, err := ParseHOCON([]byte(src))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v; want %s", src, err, want)
		}
	}
}

const tls = "esi.server.sync.tls-enabled"

func TestHOCONKeepsEverythingElse(t *testing.T) {
	h := hocon(t, application)
	for _, step := range []struct{ path, value, old, new string }{
		{tls, "true", "", "esi.server.sync.tls-enabled = true\n"},
		{"esi.server.session.reconnect.timeout", "10", "timeout=3600000", "timeout=10"},
		{"esi.server.actor.delay-ms", "7", "2100000 //", "7 //"},
		{"esi.driver.timeout", "5 seconds", "10 minutes", "5 seconds"},
		{"esi.driver.policy.class", "has: marks", "DefaultPolicy", `"has: marks"`},
		{"esi.example", `a"b\`, `"ENC(Deh5EdmaDGWgU0N+2MEtyaJfm1f9QuRcEg==)"`, `"a\"b\\"`},
		{"esi.driver.greeting", "hello", "\"\"\"say \"hi\"\non two lines\"\"\"", `"hello"`},
		{"akka.actor.enabled", "true", "off", "true"},
		{`x."y.z".include`, "007", "", "x.\"y.z\".include = \"007\"\n"},
		{"include", "1", "", "\"include\" = 1\n"},
		{"esi.driver.contact-points", "a", "", "esi.driver.contact-points = \"a\"\n"},
	} {
		before := string(h.Bytes())
		want := before + step.new
		if step.old != "" {
			want = strings.Replace(before, step.old, step.new, 1)
		}
		former, _, _ := h.Lookup(step.path)
		if err := h.Set(step.path, step.value); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(h.Bytes())); diff != "" {
			t.Fatal(diff)
		}
		var err error
		if undone := hocon(t, want); step.old == "" {
			err = undone.Unset(step.path)
			if diff := cmp.Diff(before, string(undone.Bytes())); diff != "" || err != nil {
				t.Error("undone:", diff, err)
			}
			continue
		}
		if err = h.Set(step.path, former); err != nil || string(h.Bytes()) != before {
			t.Errorf("undone: %v, %s", err, h.Bytes())
		}
		if err = h.Set(step.path, step.value); err != nil || string(h.Bytes()) != want {
			t.Errorf("done again: %v, %s", err, h.Bytes())
		}
	}
}

func TestHOCONAppend(t *testing.T) {
	read := lightbendReader()
	for src, want := range map[string]string{
		"":                                   "p.q = true\n",
		"a = 1":                              "a = 1\np.q = true",
		"a = 1\r\nb = 2":                     "a = 1\r\nb = 2\r\np.q = true",
		"a = 1\r\n":                          "a = 1\r\np.q = true\r\n",
		"a = 1\r":                            "a = 1\r\r\np.q = true",
		"a = 1,":                             "a = 1,\np.q = true",
		"a = 1 # p.q = true":                 "a = 1 # p.q = true\np.q = true",
		"\ufeff":                             "\ufeffp.q = true\n",
		"\ufeffa = 1":                        "\ufeffa = 1\np.q = true",
		"a = 1\n\t":                          "a = 1\n\t\np.q = true",
		"p { q = false }\np.r = 1\n":         "p { q = false }\np.r = 1\np.q = true\n",
		"p.q = true\np { q = false }\n":      "p.q = true\np { q = false }\np.q = true\n",
		"p.q = \"true\"\nb = 1\n":            "p.q = \"true\"\nb = 1\n",
		"p = ${?x}\n":                        "p = ${?x}\np.q = true\n",
		"p.q = true\ninclude \"x\"\n":        "p.q = true\ninclude \"x\"\np.q = true\n",
		"p.q = null\n":                       "p.q = null\np.q = true\n",
		"{}":                                 "{p.q = true}",
		"{ }\n":                              "{ p.q = true }\n",
		"{ a = 1 }":                          "{ a = 1, p.q = true }",
		"{ a = 1, } # }":                     "{ a = 1, p.q = true, } # }",
		"# {\n{\n\ta = 1\n}\n":               "# {\n{\n\ta = 1\n\tp.q = true\n}\n",
		"{\r\n   \"a\" : 1,\r\n  # c\r\n}":   "{\r\n   \"a\" : 1,\r\n  # c\r\n   p.q = true\r\n}",
		"{\n}":                               "{\n  p.q = true\n}",
		"{ # c\n}":                           "{ # c\n  p.q = true\n}",
		"{ a = { b = 1 }\n  include \"x\" }": "{ a = { b = 1 }\n  include \"x\", p.q = true }",
		"{ a = 1\n , }":                      "{ a = 1\n , p.q = true, }",
	} {
		h := hocon(t, src)
		if err := h.Append("p.q", "true"); err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		if got := string(h.Bytes()); got != want {
			t.Errorf("%q becomes %q, want %q", src, got, want)
		}
		if value, _, ok := h.Lookup("p.q"); !ok || value != "true" {
			t.Errorf("%q: p.q is %q, %v", want, value, ok)
		}
		if read != nil {
			if values, refused := read(t, []byte(want), []string{"p", "q"}); refused != "" || values[0] != "=true" {
				t.Errorf("%q: Lightbend's library reads %q, %s", want, values, refused)
			}
		}
		again := hocon(t, want)
		if err := again.Append("p.q", "true"); err != nil || string(again.Bytes()) != want {
			t.Errorf("%q appended again: %v, %q", want, err, again.Bytes())
		}
		if src == want {
			continue
		}
		if err := again.Unset("p.q"); err != nil || string(again.Bytes()) != src {
			t.Errorf("%q undone: %v, %q", want, err, again.Bytes())
		}
	}
}

func TestHOCONUnset(t *testing.T) {
	for src, want := range map[string]string{
		"a = 1\np.q = 2 # c\nb = 3\n":          "a = 1\nb = 3\n",
		"a { b = 1, p.q = 2, c = 3 }\np.q = 1": "a { b = 1, p.q = 2, c = 3 }",
		"p { b = 1, q = 2, c = 3 }":            "p { b = 1, c = 3 }",
		"p { q = 2, c = 3 }":                   "p { c = 3 }",
		"p { c = 3, q = 2 }":                   "p { c = 3 }",
		"p { q = 2 }":                          "p { }",
		"p {\n  q = 2, c = 3\n}":               "p {\n  c = 3\n}",
		"p {\n  q = 2 }":                       "p {\n }",
		"p {\n  q = \"\"\"a\nb\"\"\",\n}":      "p {\n}",
		"\ufeffp.q = 1\na = 1\n":               "\ufeffa = 1\n",
		"p.q = 1":                              "",
		"a = 1\n":                              "a = 1\n",
	} {
		h := hocon(t, src)
		if err := h.Unset("p.q"); err != nil || string(h.Bytes()) != want {
			t.Errorf("%q becomes %q, %v; want %q", src, h.Bytes(), err, want)
		}
	}
	for _, src := range []string{"p.q = ${x}", "p.q { r = 1 }", "p.q = []", "p {\n q = 1\n , r = 2 }"} {
		h := hocon(t, src)
		if err := h.Unset("p.q"); err == nil || string(h.Bytes()) != src {
			t.Errorf("%q becomes %q, %v", src, h.Bytes(), err)
		}
	}
	if hocon(t, "").Unset("a..b") == nil {
		t.Error("a path that is none is taken")
	}
}

func TestHOCONSetRefused(t *testing.T) {
	for _, c := range []struct{ src, path, value, want string }{
		{"p = 1\n", "p.q", "2", "set p.q: p has a value of its own in line 1"},
		{"\np = []\n", "p.q.r", "2", "set p.q.r: p has a value of its own in line 2"},
		{"p.q.r = 1", "p.q", "2", "set p.q: there are settings below it in line 1"},
		{"", "p..q", "2", "set p..q: the path "},
		{"", "p", "\xff", "set p: the value is not valid UTF-8"},
	} {
		h := hocon(t, c.src)
		err := h.Set(c.path, c.value)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || string(h.Bytes()) != c.src {
			t.Errorf("%q: %v, %q", c.src, err, h.Bytes())
		}
		if h.Append(c.path, c.value) == nil || string(h.Bytes()) != c.src {
			t.Errorf("%q is appended to", c.src)
		}
	}
}

func TestHOCONSpelling(t *testing.T) {
	for _, c := range []struct{ src, value, want string }{
		{`a = "1"`, "2", `a = "2"`},
		{"a = 1", "2", "a = 2"},
		{"a = 1", "null", `a = "null"`},
		{"a = x", "", `a = ""`},
		{"a = x", " y", `a = " y"`},
		{"a = x", "y/", "a = y/"},
		{"a = x// c", "y/", `a = "y/"// c`},
		{"a = x", "http://y", `a = "http://y"`},
		{"a = x", "y\tz", `a = "y\tz"`},
		{"a = x", "é\u00a0\x00\b\f\n\r\"\\", `a = "é` + "\u00a0" + `\u0000\b\f\n\r\"\\"`},
		{"a=x,b=y", "1,5", `a="1,5",b=y`},
		{"a:[x] , a:x", "z", "a:[x] , a:z"},
	} {
		h := hocon(t, c.src)
		if err := h.Set("a", c.value); err != nil || string(h.Bytes()) != c.want {
			t.Errorf("%q becomes %q, %v; want %q", c.src, h.Bytes(), err, c.want)
		}
	}
}

func TestTruthAndEncrypted(t *testing.T) {
	for value, want := range map[string][2]bool{"true": {true, true}, "on": {true, true}, "no": {false, true}, "True": {}, "": {}} {
		if truth, ok := Truth(value); [2]bool{truth, ok} != want {
			t.Errorf("%q is %v, %v", value, truth, ok)
		}
	}
	if !IsEncrypted(" ENC(x+/=) ") || IsEncrypted("ENC(x") || IsEncrypted("nomagic") {
		t.Error("ENC(...) is not told apart")
	}
}
