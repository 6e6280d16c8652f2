package schema

import "testing"

// TestTerraformExamples: what Terraform documents of its functions is what these give, value by value, in both syntaxes.
func TestTerraformExamples(t *testing.T) {
	t.Parallel()
	table := map[string]string{
		// numbers
		`abs(23)`: `23`, `abs(0)`: `0`, `ceil(5)`: `5`, `floor(5)`: `5`, `log(50, 10) > 1.69`: `true`, `log(1, 10)`: `0`,
		`min(12, 54, 3)`: `3`, `min([12, 54, 3]...)`: `3`, `max("12", 5)`: `12`, `parseint("100", 10)`: `100`,
		`parseint("-FF", 16)`: `-255`, `parseint("1011111011101111", 2)`: `48879`, `parseint("aA", 62)`: `656`,
		`pow(4, 0)`: `1`, `pow(2, 0.5) > 1.41`: `true`, `signum(0)`: `0`, `signum(344)`: `1`, `sum([1, 2, 3]) / 3`: `2`,
		`sum(toset([1, 2, 2]))`: `3`, `sum(["1", "2"])`: `3`,
		// texts
		`chomp("hello\n")`: `"hello"`, `chomp("hello\r\n")`: `"hello"`, `chomp("hello\n\n")`: `"hello"`,
		`endswith("hello world", "world")`: `true`, `endswith("hello world", "hello")`: `false`, `endswith("a", "")`: `true`,
		`startswith("hello world", "world")`: `false`, `strcontains("hello world", "wod")`: `false`,
		`format("Hello, %s!", "Ander")`: `"Hello, Ander!"`, `format("There are %d lights", 4)`: `"There are 4 lights"`,
		`format("%v", true)`: `"true"`, `format("%#v", "a")`: `"\"a\""`, `format("%q", "a")`: `"\"a\""`,
		`format("%t", true)`: `"true"`, `format("%b", 5)`: `"101"`, `format("%o", 8)`: `"10"`, `format("%x", 255)`: `"ff"`,
		`format("%X", 255)`: `"FF"`, `format("%e", 1000)`: `"1.000000e+03"`, `format("%f", 1.5)`: `"1.500000"`,
		`format("%6.2f|", 3.14159)`: `"  3.14|"`, `format("%-6s|", "ab")`: `"ab    |"`, `format("%06d", 42)`: `"000042"`,
		`format("%+d", 42)`: `"+42"`, `format("%[2]s %[1]s", "a", "b")`: `"b a"`, `format("%%")`: `"%"`,
		`format("%v", null)`: `"null"`, `format("%v", [1, "a"])`: `"[1,\"a\"]"`,
		`formatlist("Hello, %s!", ["Valentina", "Ander"])`:  `tolist(["Hello, Valentina!", "Hello, Ander!"])`,
		`formatlist("%s, %s!", "Salutations", ["a", "b"])`:  `tolist(["Salutations, a!", "Salutations, b!"])`,
		`"  items: ${indent(2, "[\n  foo,\n  bar,\n]\n")}"`: `"  items: [\n    foo,\n    bar,\n  ]\n  "`,
		`join("-", ["foo", "bar", "baz"])`:                  `"foo-bar-baz"`, `join(", ", ["foo"])`: `"foo"`, `join("", [])`: `""`,
		`lower("HELLO")`: `"hello"`, `lower("АЛЛО!")`: `"алло!"`, `upper("алло!")`: `"АЛЛО!"`,
		`regex("(\\d\\d\\d\\d)-(\\d\\d)-(\\d\\d)", "2019-02-01")`: `["2019", "02", "01"]`,
		`regex("(?P<year>\\d+)-(?P<month>\\d\\d)", "2019-02")`:    `{ year = "2019", month = "02" }`,
		`regexall("(\\d)([a-z])", "1a2b")`:                        `tolist([["1", "a"], ["2", "b"]])`,
		`regexall("[a-z]+", "123456789")`:                         `slice(tolist(["x"]), 0, 0)`,
		`length(regexall("[a-z]+", "1234abcd5678efgh9")) > 0`:     `true`,
		`replace("1 + 2 + 3", "/(\\d)/", "<$1>")`:                 `"<1> + <2> + <3>"`, `replace("a/b", "/", ".")`: `"a.b"`,
		`split(",", "foo")`: `tolist(["foo"])`, `split(",", "")`: `tolist([""])`, `strrev("a ☃")`: `"☃ a"`,
		`substr("🤔🤷", 0, 1)`: `"🤔"`, `substr("hello world", 6, 10)`: `"world"`, `substr("hello", 1, -1)`: `"ello"`,
		`title("hello")`: `"Hello"`, `trim("foobar", "far")`: `"oob"`, `trim("   hello! world.!  ", "! ")`: `"hello! world."`,
		`trimprefix("helloworld", "hello")`: `"world"`, `trimprefix("helloworld", "cat")`: `"helloworld"`,
		`trimprefix("--hello", "-")`: `"-hello"`, `trimsuffix("helloworld", "world")`: `"hello"`,
		`trimspace("  hello\n\n")`: `"hello"`,
		// collections
		`alltrue([])`: `true`, `alltrue([null])`: `false`, `anytrue(["true"])`: `true`, `anytrue([null])`: `false`,
		`chunklist(["a", "b", "c", "d", "e"], 2)`: `tolist([tolist(["a", "b"]), tolist(["c", "d"]), tolist(["e"])])`,
		`chunklist(["a", "b"], 1)`:                `tolist([tolist(["a"]), tolist(["b"])])`, `coalesce("a", "b")`: `"a"`,
		`coalesce("", "b")`: `"b"`, `coalesce(["", "b"]...)`: `"b"`, `coalesce(1, "hello")`: `"1"`,
		`coalesce(true, "hello")`: `"true"`, `coalesce(null, 0)`: `0`,
		`coalescelist(["a", "b"], ["c", "d"])`: `["a", "b"]`, `coalescelist([[], ["c", "d"]]...)`: `["c", "d"]`,
		`compact(["a", "", "b", null, "c"])`: `tolist(["a", "b", "c"])`, `concat(["a"], [1])`: `["a", 1]`,
		`contains(["a", "b", "c"], "d")`: `false`, `contains(toset([1]), 1)`: `true`,
		`distinct(["a", "b", "a", "c", "d", "b"])`: `tolist(["a", "b", "c", "d"])`, `element(["a", "b", "c"], 1)`: `"b"`,
		`element(["a", "b", "c"], 3)`: `"a"`, `element(["a", "b", "c"], length(["a", "b", "c"]) - 1)`: `"c"`,
		`element(["a", "b", "c"], -1)`: `"c"`, `flatten([[["a", "b"], []], ["c"]])`: `["a", "b", "c"]`,
		`flatten(toset(["a"]))`: `["a"]`, `index(["a", "b", "c"], "b")`: `1`, `index(tolist([1, 2]), 2)`: `1`,
		`keys({ a = 1, c = 2, d = 3 })`: `["a", "c", "d"]`, `keys(tomap({ b = 1 }))`: `tolist(["b"])`, `length([])`: `0`,
		`length("hello")`: `5`, `length("")`: `0`, `length({ a = "b" })`: `1`, `length(toset(["a", "a"]))`: `1`,
		`length("👩‍👩‍👧‍👦")`: `1`, `lookup({ a = "ay", b = "bee" }, "a", "what?")`: `"ay"`,
		`lookup(tomap({ a = 1 }), "b", null)`: `null`, `lookup({ a = 1 }, "b", null)`: `null`,
		`lookup(tomap({ a = 1 }), "b", "3")`: `3`, `lookup({ a = [1] }, "a", [])`: `[1]`,
		`matchkeys([1, 2, 3], ["a", "b", "a"], ["a"])`: `tolist([1, 3])`, `matchkeys(["x"], ["a"], ["b"])`: `slice(tolist(["x"]), 0, 0)`,
		`merge({ a = "b", c = "d" }, { e = "f", c = "z" })`:          `{ a = "b", c = "z", e = "f" }`,
		`merge({ a = "b" }, { a = [1, 2], c = "z" }, { d = 3 })`:     `{ a = [1, 2], c = "z", d = 3 }`,
		`merge({ for k in ["x"] : k => 1 }, null)`:                   `{ x = 1 }`,
		`merge([{ a = "b", c = "d" }, {}, { e = "f", c = "z" }]...)`: `{ a = "b", c = "z", e = "f" }`,
		`one(toset(["a"]))`: `"a"`, `one([null])`: `null`, `range(0)`: `slice(tolist([1]), 0, 0)`,
		`range(1, 4)`: `tolist([1, 2, 3])`, `range(1, 4, 0.5)`: `tolist([1, 1.5, 2, 2.5, 3, 3.5])`,
		`range(4, 1)`: `tolist([4, 3, 2])`, `range(10, 5, -2)`: `tolist([10, 8, 6])`, `reverse(tolist([1, 2]))`: `tolist([2, 1])`,
		`reverse(toset(["b", "a"]))`: `tolist(["b", "a"])`, `setintersection(["a", "b"], ["b", "c"], ["b", "d"])`: `toset(["b"])`,
		`setproduct(["a", "b"], ["c"])`: `tolist([["a", "c"], ["b", "c"]])`, `setproduct(["staging"], ["a"], [2])`: `tolist([["staging", "a", 2]])`,
		`setproduct(toset(["b", "a"]), toset(["c"]))`:                                        `toset([["a", "c"], ["b", "c"]])`,
		`setsubtract(["a", "b", "c"], ["a", "c"])`:                                           `toset(["b"])`,
		`setunion(setsubtract(["a", "b"], ["b", "c"]), setsubtract(["b", "c"], ["a", "b"]))`: `toset(["a", "c"])`,
		`slice(["a", "b", "c", "d"], 1, 3)`:                                                  `["b", "c"]`, `sort(["e", "d", "a", "x"])`: `tolist(["a", "d", "e", "x"])`,
		`sort(["10", "9", "B", "a"])`:                   `tolist(["10", "9", "B", "a"])`,
		`transpose({ a = ["1", "2"], b = ["2", "3"] })`: `tomap({ "1" = tolist(["a"]), "2" = tolist(["a", "b"]), "3" = tolist(["b"]) })`,
		`values({ a = 3, c = 2, d = 1 })`:               `[3, 2, 1]`, `values(tomap({ b = 1, a = 2 }))`: `tolist([2, 1])`,
		`zipmap(tolist(["a", "b"]), tolist([1, 2]))`: `tomap({ a = 1, b = 2 })`,
		// types
		`tobool(true)`: `true`, `tobool("false")`: `false`, `tobool(null)`: `null`, `tolist(["a", "b", "c"])`: `tolist(["a", "b", "c"])`,
		`tolist(["a", "b", 3])`: `tolist(["a", "b", "3"])`, `tomap({ a = 1, b = 2 })`: `tomap({ a = 1, b = 2 })`,
		`tomap({ a = "foo", b = true })`: `tomap({ a = "foo", b = "true" })`, `tonumber(1)`: `1`, `tonumber("1")`: `1`,
		`tonumber(null)`: `null`, `toset(["a", "b", 3])`: `toset(["a", "b", "3"])`, `toset(["c", "b", "b"])`: `toset(["b", "c"])`,
		`tostring("hello")`: `"hello"`, `tostring(1)`: `"1"`, `tostring(null)`: `null`, `can(tobool("no"))`: `false`, `can(tonumber("no"))`: `false`,
		// encodings
		`base64decode("SGVsbG8gV29ybGQ=")`: `"Hello World"`, `base64encode("")`: `""`,
		`csvdecode("a,b,c\n1,2,3\n4,5,6")`:       `tolist([{ a = "1", b = "2", c = "3" }, { a = "4", b = "5", c = "6" }])`,
		`csvdecode("a\n\"x, \"\"y\"\"\n z\"\n")`: `tolist([{ a = "x, \"y\"\n z" }])`, `length(csvdecode("a,b\n"))`: `0`,
		`jsondecode("true")`: `true`, `jsondecode("[1, \"a\", null]")`: `[1, "a", null]`, `jsonencode(["a", 1, null, true])`: `"[\"a\",1,null,true]"`,
		`jsonencode("<&>")`: `"\"\\u003c\\u0026\\u003e\""`, `urlencode("☃")`: `"%E2%98%83"`, `urlencode("terraform=1")`: `"terraform%3D1"`,
		`textencodebase64("Hello World", "UTF-16LE")`:                      `"SABlAGwAbABvACAAVwBvAHIAbABkAA=="`,
		`textdecodebase64("SABlAGwAbABvACAAVwBvAHIAbABkAA==", "UTF-16LE")`: `"Hello World"`,
		`textencodebase64("ä", "ISO-8859-1")`:                              `"5A=="`, `textdecodebase64("5A==", "windows-1252")`: `"ä"`,
		`yamldecode("true")`: `true`, `yamldecode("{a: &foo [1, 2, 3], b: *foo}")`: `{ a = [1, 2, 3], b = [1, 2, 3] }`,
		`yamldecode("{a: !!str 1, b: \"2\", c: 0x1f, d: 1000, e: ~, f: 1.5}")`: `{ a = "1", b = "2", c = 31, d = 1000, e = null, f = 1.5 }`,
		`yamldecode("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n")`:             `{ a = { p = 1, q = 2 }, b = { p = 1, q = 3 } }`,
		`yamldecode("2020-01-02")`:                                             `"2020-01-02T00:00:00Z"`, `yamldecode("a: |\n  x\n  y\n").a`: `"x\ny\n"`,
		`yamlencode({ a = "b", c = "d" })`:                                `"\"a\": \"b\"\n\"c\": \"d\"\n"`,
		`yamlencode({ foo = [1, 2, 3], bar = "baz" })`:                    `"\"bar\": \"baz\"\n\"foo\":\n- 1\n- 2\n- 3\n"`,
		`yamldecode(yamlencode({ a = [{ b = null }, true], c = "yes" }))`: `{ a = [{ b = null }, true], c = "yes" }`,
		// hashes
		`md5("")`: `"d41d8cd98f00b204e9800998ecf8427e"`, `uuidv5("url", "https://www.terraform.io/")`: `"9db6f67c-dd95-5ea0-aa5b-e70e5c5f7cf5"`,
		`uuidv5("oid", "1.3.6.1.4")`:                                         `"af9d40a5-7a36-5c07-b23a-851cd99fbfa5"`,
		`uuidv5("x500", "CN=Example,C=GB")`:                                  `"84e09961-4aa4-57f8-95b7-03edb1073253"`,
		`uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.terraform.io")`: `"a5008fae-b28c-5ba5-96cd-82b4c53552d6"`,
		// dates
		`formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")`:              `"02 Jan 2018 23:12 UTC"`,
		`formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")`:       `"Tuesday, 02-Jan-18 23:12:01 UTC"`,
		`formatdate("EEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01-08:00")`: `"Tue, 02 Jan 2018 23:12:01 -0800"`,
		`formatdate("MMM DD, YYYY", "2018-01-02T23:12:01Z")`:                       `"Jan 02, 2018"`,
		`formatdate("HH:mmaa", "2018-01-02T23:12:01Z")`:                            `"11:12pm"`,
		`formatdate("h'h'mm", "2018-01-02T03:12:01Z")`:                             `"3h12"`, `timeadd("2017-11-22T00:00:00Z", "-10m")`: `"2017-11-21T23:50:00Z"`,
		`timecmp("2017-11-22T00:00:00Z", "2017-11-22T00:00:00Z")`:      `0`,
		`timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00Z")`:      `-1`,
		`timecmp("2017-11-22T01:00:00Z", "2017-11-22T00:00:00Z")`:      `1`,
		`timecmp("2017-11-22T01:00:00Z", "2017-11-22T00:00:00-01:00")`: `0`,
		// networks
		`cidrhost("10.12.112.0/20", 268)`: `"10.12.113.12"`, `cidrhost("10.0.0.0/8", -1)`: `"10.255.255.255"`,
		`cidrsubnet("10.1.2.0/24", 4, 15)`: `"10.1.2.240/28"`, `cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`: `"fd00:fd12:3456:7800:a200::/72"`,
		`cidrsubnet("10.0.0.0/8", 0, 0)`: `"10.0.0.0/8"`, `cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)[3]`: `"10.1.48.0/20"`,
		`cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32)`:           `tolist(["fd00:fd12:3456:7800::/72", "fd00:fd12:3456:7800:100::/72", "fd00:fd12:3456:7800:200::/72", "fd00:fd12:3456:7800:300::/88"])`,
		`[for c in cidrsubnets("10.0.0.0/8", 8, 8) : cidrsubnets(c, 4, 4)]`: `[tolist(["10.0.0.0/20", "10.0.16.0/20"]), tolist(["10.1.0.0/20", "10.1.16.0/20"])]`,
		// paths
		`basename("foo/bar/baz.txt")`: `"baz.txt"`, `basename("")`: `"."`, `dirname("foo/bar/baz.txt")`: `"foo/bar"`, `dirname("x")`: `"."`,
		// errors and secrets
		`try({ a = 1 }.b, "none")`: `"none"`, `can({ a = 1 }.b)`: `false`, `try(tonumber("a"), tonumber("2"))`: `2`,
		`issensitive(nonsensitive(sensitive("a")))`: `false`, `issensitive([sensitive("a")])`: `false`, `length([sensitive("a")])`: `1`,
		`issensitive(length(sensitive(["a"])))`: `true`, `issensitive(upper(sensitive("a")))`: `true`,
	}
	var exprs []string
	for code, want := range table {
		exprs = append(exprs, code, want)
	}
	for _, json := range []bool{false, true} {
		got := values(t, world{}, json, exprs)
		for i := 0; i < len(got); i += 2 {
			if !got[i].RawEquals(got[i+1]) {
				t.Errorf("%s (JSON %v) is %#v, want %#v", exprs[i], json, got[i], got[i+1])
			}
		}
	}
}
