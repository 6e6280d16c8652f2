package settings

import (
	"errors"
	"strings"
	"testing"
)

// application is similar to the vendor's file: mixed tabs and blanks, nested and dotted names, a brace on the next
// line, several substitutions in a row, comments with all kinds of characters.
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

func TestHOCONFind(t *testing.T) {
	h := hocon(t, application)
	for path, want := range map[string]Found{
		"akka.remote.heartbeat-interval":       {Literal, "5 s", 6},
		"akka.remote.artery.canonical.port":    {Literal, "2552", 7},
		"akka.actor.enabled":                   {Literal, "off", 43},
		"esi.serializer.max-buffersize":        {Literal, "-1", 21},
		"esi.server.session.reconnect.timeout": {Literal, "3600000", 24},
		"esi.server.actor.delay-ms":            {Literal, "2100000", 25},
		"esi.persistence.write-batch-size":     {Literal, "1", 31},
		"esi.metrics.enabled":                  {Literal, "true", 33},
		"esi.driver.timeout":                   {Literal, "10 minutes", 38},
		"esi.driver.greeting":                  {Literal, "say \"hi\"\non two lines", 40},
		"esi.example":                          {Literal, "ENC(Deh5EdmaDGWgU0N+2MEtyaJfm1f9QuRcEg==)", 28},
		"esi":                                  {Object, "", 40},
		"esi.driver.contact-points":            {Array, "", 37},
		"esi.ldap.classes":                     {Array, "", 35},
		"esi.net.connectors":                   {Array, "", 14},
		"esi.net.connectors.port":              {Absent, "", 14},
		"esi.server.sync":                      {},
		"esi.query.suffix":                     {},
	} {
		if got := h.Find(path); got != want {
			t.Errorf("%s: %+v; want %+v", path, got, want)
		}
	}
}

func TestHOCONMerging(t *testing.T) {
	read := lightbendReader()
	for _, c := range []struct {
		src, path string // "" if the file is refused
		want      Found
	}{
		{"a.b = 1, a { b = 2 }", "a/b", Found{Literal, "2", 1}},
		{"a.b = 1\na = 5\na.c = 2", "a/b", Found{Absent, "", 2}},
		{"a = 5\na = {}", "a", Found{Object, "", 2}},
		{"a.b = 1\na = null", "a/b", Found{Absent, "", 2}},
		{"a = x\na = null", "a", Found{Null, "", 2}},
		{`a = "null"`, "a", Found{Literal, "null", 1}},
		{"a = null and void", "a", Found{Literal, "null and void", 1}},
		{"a.b = 1\na = ${?x}", "a/b", Found{Unknown, "", 2}},
		{"a = ${?x}\na.b = 1", "a/b", Found{Literal, "1", 2}},
		{"a = ${?x} { b = 1 }", "a/b", Found{Literal, "1", 1}},
		{"a = { b = 1 } ${?x}", "a/b", Found{Unknown, "", 1}},
		{"a = { b = 1 }\n{ b = 2 }", "", Found{}},
		{"a = { b = 1 } { c = 2 }", "a/b", Found{Literal, "1", 1}},
		{"a { b = 1\ninclude \"x\" }", "a/b", Found{Unknown, "", 2}},
		{"include required(file(\"x\"))\na.b = 1", "a/b", Found{Literal, "1", 2}},
		{"a = 1\na += 2", "a", Found{Unknown, "", 2}},
		{"a = [{ b = 1 }]", "a/b", Found{Absent, "", 1}},
		{"a = b ${?x}", "a", Found{Unknown, "", 1}},
		{"a = b \"c\" d", "a", Found{Literal, "b c d", 1}},
		{"3.14 = pi", "3/14", Found{Literal, "pi", 1}},
		{"a b.c = 1", "a b/c", Found{Literal, "1", 1}},
		{"\"a.b\" = 1", "a/b", Found{}},
		{"\"a.b\" = 1", "a.b", Found{Literal, "1", 1}},
		{"a = 1e+5 x", "a", Found{Literal, "1e+5 x", 1}},
		{"a = truex null", "a", Found{Literal, "truex null", 1}},
		{"a = { b = 1 } word", "", Found{}}, // the library ignores the word
		{"a = { 0 = 1 } [2]", "", Found{}},  // the library takes the object for an array
		{"a.\"\".b = 1", "a//b", Found{Literal, "1", 1}},
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
			got = h.find(strings.Split(c.path, "/"))
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
		"a = 1\n  b = c = secret":         "line 2, column 9: '=' or ':' after a value",
		"a {\n b = 1":                     "line 1, column 3: '{' is not closed",
		"a = [1,\n 2":                     "line 1, column 5: '[' is not closed",
		"a = 1 }":                         "line 1, column 7: '}' closes nothing",
		"é = \"x\ny\"":                    "line 1, column 5: the text in quotes does not end on its line",
		"a = \"x":                         "line 1, column 5: the text in quotes does not end",
		"a = \"\"\"x":                     `line 1, column 5: the text in """ does not end`,
		"a = \"C:\\users\"":               "line 1, column 5: the text in quotes has",
		"a = \"C:\\secret\"":              "line 1, column 5: the text in quotes has",
		"a = \"\\":                        "line 1, column 5: the text in quotes does not end",
		"a = \"\t\"":                      "line 1, column 5: the text in quotes has a control character",
		"a = ${b":                         "line 1, column 5: '${' is not closed",
		"a = ${}":                         "line 1, column 5: '${...}' names nothing",
		"a = ${b ${c}}":                   "line 1, column 9: '${...}' is not allowed in a path",
		"a = ${b\n}":                      "line 1, column 8: the end of the line is not allowed in a path",
		"a = $b":                          "line 1, column 5: '$' is allowed in quotes only",
		"a = 1+1":                         "line 1, column 6: '+' is allowed in quotes only",
		"a = secret@x":                    "line 1, column 11: '@' is allowed in quotes only",
		"a\nb":                            "line 2, column 1: text after a name",
		"a = 1, , b = 2":                  "line 1, column 8: ',' instead of a name",
		"a = , b = 2":                     "line 1, column 5: ',' instead of a value",
		"a = [1,,2]":                      "line 1, column 8: ',' instead of a value",
		"a = [1 [2]]":                     "line 1, column 8: objects, arrays and texts cannot be joined",
		"a = [1 2 : 3]":                   "line 1, column 10: '=' or ':' after a value",
		"a = {} \"b\"":                    "line 1, column 8: objects, arrays and texts cannot be joined",
		"a = {b=1} [2]":                   "line 1, column 11: objects, arrays and texts cannot be joined",
		"a..b = 1":                        "line 1, column 1: a path does not begin with a dot or have two in a row",
		"a. = 1":                          "line 1, column 1: a path does not end in a dot",
		"include secret":                  "line 1, column 1: include is not followed",
		"include file(\"x\"":              "line 1, column 1: include is not closed",
		"[1]":                             "line 1, column 1: the file is an array",
		"{a=1}\nb=2":                      "line 2, column 1: text after the '}'",
		"a += { b += 1 }":                 "line 1, column 10: '+=' is not allowed in an array",
		"a = [{ b += 1 }]":                "line 1, column 10: '+=' is not allowed in an array",
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

func TestHOCONAppend(t *testing.T) {
	read := lightbendReader()
	for src, want := range map[string]string{
		"":                                   "p.q = true\n",
		application:                          application + "p.q = true\n",
		"a = 1":                              "a = 1\np.q = true\n",
		"a = 1\r\nb = 2":                     "a = 1\r\nb = 2\r\np.q = true\r\n",
		"a = 1\r\n":                          "a = 1\r\np.q = true\r\n",
		"a = 1\r":                            "a = 1\r\np.q = true\n",
		"a = 1,":                             "a = 1,\np.q = true\n",
		"a = 1 # p.q = true":                 "a = 1 # p.q = true\np.q = true\n",
		"\ufeff":                             "\ufeff\np.q = true\n",
		"\ufeffa = 1\n":                      "\ufeffa = 1\np.q = true\n",
		"a = 1\n\t":                          "a = 1\np.q = true\n\t",
		"p { q = false }\np.r = 1\n":         "p { q = false }\np.r = 1\np.q = true\n",
		"p.q = true\np { q = false }\n":      "p.q = true\np { q = false }\np.q = true\n",
		"p.q = \"true\"\nb = 1\n":            "p.q = \"true\"\nb = 1\n",
		"p = ${?x}\n":                        "p = ${?x}\np.q = true\n",
		"p.q = true\ninclude \"x\"\n":        "p.q = true\ninclude \"x\"\np.q = true\n",
		"p.q = null\n":                       "p.q = null\np.q = true\n",
		"{}":                                 "{\np.q = true\n}",
		"{ a = 1 }\n":                        "{ a = 1 \np.q = true\n}\n",
		"{ a = 1, } # }":                     "{ a = 1, \np.q = true\n} # }",
		"# {\n{\n\ta = 1\n}\n":               "# {\n{\n\ta = 1\np.q = true\n}\n",
		"{\r\n   \"a\" : 1,\r\n  # c\r\n }":  "{\r\n   \"a\" : 1,\r\n  # c\r\np.q = true\r\n }",
		"{ a = { b = 1 }\n  include \"x\" }": "{ a = { b = 1 }\n  include \"x\" \np.q = true\n}",
		"{ a = 1\n , }":                      "{ a = 1\n , \np.q = true\n}",
	} {
		h := hocon(t, src)
		if err := h.Append("p.q", "true"); err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		if got := string(h.Bytes()); got != want {
			t.Errorf("%q becomes %q, want %q", src, got, want)
		}
		if found := h.Find("p.q"); found.Standing != Literal || found.Value != "true" {
			t.Errorf("%q: p.q is %+v", want, found)
		}
		if read != nil {
			if values, refused := read(t, []byte(want), []string{"p", "q"}); refused != "" || values[0] != "=true" {
				t.Errorf("%q: Lightbend's library reads %q, %s", want, values, refused)
			}
		}
	}
}

func TestHOCONAppendRefused(t *testing.T) {
	for _, c := range []struct{ src, path, value, want string }{
		{"p = 1\n", "p.q", "2", "append p.q: line 1 gives p a value"},
		{"\np = []\n", "p.q.r", "2", "append p.q.r: line 2 gives p a value"},
		{"p.q.r = 1", "p.q", "2", "append p.q: line 1 has settings below it"},
		{"", "p..q", "2", "append p..q: "},
		{"", "", "2", "append : "},
		{"", "include", "2", "append include: "},
		{"", "p", "\xff", "append p: "},
		{"", "p", "", "append p: "},
		{"", "p", "1, q = 2", "append p: "},
		{"", "p", "null", "append p: "},
		{"", "p", "1 # 2", "append p: "},
	} {
		h := hocon(t, c.src)
		err := h.Append(c.path, c.value)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || string(h.Bytes()) != c.src {
			t.Errorf("%s = %s in %q: %v, %q", c.path, c.value, c.src, err, h.Bytes())
		}
	}
}

func TestTruthAndEncrypted(t *testing.T) {
	for value, want := range map[string][2]bool{"true": {true, true}, "on": {true, true}, "no": {false, true},
		"True": {}, "": {}} {
		if truth, ok := Truth(value); [2]bool{truth, ok} != want {
			t.Errorf("%q is %v, %v", value, truth, ok)
		}
	}
	if !IsEncrypted(" ENC(x+/=) ") || IsEncrypted("ENC(x") || IsEncrypted("nomagic") {
		t.Error("ENC(...) is not told apart")
	}
}
