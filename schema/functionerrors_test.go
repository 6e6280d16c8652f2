package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/schema/functions"
)

// TestDistinctOfMany: what distinct costs grows with the number of elements, and not with its square.
func TestDistinctOfMany(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "{\"n\": %d, \"s\": \"%d\"},", i%4000, i%4000)
	}
	w := world{files: map[string]string{"many.json": "[" + strings.TrimSuffix(b.String(), ",") + "]",
		"main.sync.hcl": "output \"n\" {\n  value = length(distinct(jsondecode(file(\"many.json\"))))\n}\n"}}
	cfg, diags := w.load(t)
	if diags.HasErrors() || len(cfg.Outputs) != 1 || Text(cfg.Outputs[0].Value) != "4000" {
		t.Fatal(diags, cfg.Outputs)
	}
}

// TestFunctionErrors: what a function cannot do is one error that says so, in both syntaxes.
func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	table := map[string]string{
		`uppr("x")`: `Did you mean "upper"?`, `jsn("x")`: `no function named "jsn"`, `provider::x::y(1)`: "no namespace",
		`sum([])`: "the sum of no numbers", `sum("a")`: "a list, set or tuple of numbers", `sum(["a"])`: "must be a number",
		`index(["a"], "b")`: "no element is equal", `index({}, "b")`: "a list or a tuple is required",
		`lookup({ a = 1 }, "b")`: `no element "b"`, `lookup(tomap({ a = 1 }), "b")`: `no element "b"`,
		`lookup([], "b")`: "a map or an object is required", `lookup({}, "a", 1, 2)`: "one default",
		`one(["a", "b"])`: "more than one element", `one("a")`: "a list, set or tuple",
		`coalesce(null, "")`: "null or an empty text",
		`coalesce({}, "a")`:  "of one type", `matchkeys(["a"], [], [])`: "as many keys", `element([], 0)`: "empty list",
		`length(1)`: "a string or a collection", `parseint("9", 8)`: "base 8", `tonumber("x")`: "number",
		`tobool("x")`:          "true",
		`base64decode("/w==")`: "not UTF-8 text", `textencodebase64("a", "nothing")`: "not a character encoding",
		`textencodebase64("☃", "ISO-8859-1")`:  "cannot write",
		`textdecodebase64("AA==", "UTF-16LE")`: "not text in that encoding",
		`csvdecode("a,a\n1,2")`:                "duplicate column", `csvdecode("a,b\n1")`: "wrong number of fields",
		`jsondecode("{")`: "line 1, column 2: the text ends too early",
		`jsondecode("")`:  "empty", `jsondecode("{\"a\":\n ö}")`: "line 2, column 2: a value is",
		`jsondecode("{a}")`: "column 2: a key in double", `jsondecode("{\"a\" 1}")`: "column 6: a colon",
		`jsondecode("{\"a\":1;}")`: "column 7: a comma or }", `jsondecode("[1 2]")`: "column 4: a comma or ]",
		`jsondecode("1 2")`: "column 3: nothing is expected", `jsondecode("\"a\nb\"")`: "an escape",
		`jsondecode("tree")`: "column 3: true, false", `jsondecode("-x")`: "a digit",
		`jsondecode("\"\\q\"")`: "column 3: an escape", `jsondecode("\"\\u00g0\"")`: "hexadecimal",
		`csvdecode("")`: "header", `csvdecode("a\nb\"c")`: "line 2", `yamldecode("a: b: c")`: "line 1",
		`yamldecode("a: [")`: "line 1", `yamldecode("a: *x")`: "undefined anchor", `yamldecode("&x [*x]")`: "inside its own",
		`duration("x")`: "not a duration", `timecmp("x", "2017-11-22T00:00:00Z")`: "RFC 3339",
		`timeadd("x", "1h")`: "RFC3339",
		`uuidv5("x", "y")`:   "or a UUID", `cidrhost("10.0.0.0/8", 1.5)`: "whole number",
		`cidrhost("10.0.0.0/30", 9)`: "accommodate",
		`cidrhost("010.0.0.0/8", 1)`: "not a network", `cidrnetmask("fd00::/8")`: "IPv4",
		`cidrsubnet("10.0.0.0/8", 30, 0)`: "longer",
		`cidrsubnet("10.0.0.0/8", 2, 4)`:  "2^2-1", `cidrsubnets("10.0.0.0/8", 0)`: "longer",
		`cidrsubnets("10.0.0.0/30", 1, 1, 1)`: "no room",
		`pem_fingerprint("x")`:                "no certificate", `pem_fingerprint("${file("ca.pem")}${file("ca.pem")}")`: "more than one",
		`file("../x")`: "outside", `filesha256("../x")`: "outside", `fileexists("../x")`: "outside",
		`templatefile("../x", {})`: "outside", `fileset("..", "*")`: "outside", `fileset("/etc", "*")`: "outside",
		`fileset(".", "../*")`: "without ..", `fileset(".", "/etc/*")`: "without ..", `fileset(".", "[a")`: "bracket",
		`fileset(".", "{a")`: "brace", `fileset(".", "[z-a]")`: "range", `fileset("binary", "*")`: "listing binary",
		`fileexists("folder")`: "not a regular file", `filebase64("gone")`: "reading", `file("binary")`: "not UTF-8",
		`templatefile("binary", {})`: "not UTF-8", `templatefile("uses_x", {})`: `refers to "x" at uses_x:2`,
		`templatefile("uses_x", "a")`: "an object or a map", `templatefile("uses_x", { "a b" = 1 })`: "name of a variable",
		`templatefile("broken", {})`:         "in the template at broken:1",
		`templatefile("uses_x", { x = [] })`: "in the template at uses_x:2",
		`templatefile("itself", {})`:         "cannot read another", `templatefile("timed", {})`: "does not know the time",
	}
	for name, why := range functions.Omitted {
		table[name+"()"] = strings.Fields(why)[len(strings.Fields(why))-1]
	}
	for expr, want := range table {
		for _, write := range []func(testing.TB, []string) (string, string){asNative, asJSON} {
			name, text := write(t, []string{expr})
			w := world{files: map[string]string{
				"binary": "\xff", "folder/x": "", "uses_x": "a\n${x}", "broken": "${", "itself": `${templatefile("itself", {})}`,
				"timed": "${timestamp()}", "ca.pem": certificate(t), name: text}}
			cfg, diags := w.load(t)
			if got := strings.Join(strings.Fields(textOf(t, cfg, diags)), " "); len(diags) != 1 || !strings.Contains(got, want) {
				t.Errorf("%s: want one diagnostic with %q, got %d:\n%s", expr, want, len(diags), got)
			}
		}
	}
}

func certificate(t testing.TB) string {
	t.Helper()
	for _, e := range functions.Find("pem_fingerprint").Examples {
		return e.Files["ca.pem"]
	}
	t.Fatal("no certificate")
	return ""
}

// TestTemplateSecrets: what a template is made of keeps its mark, and a template with a private key is a secret.
func TestTemplateSecrets(t *testing.T) {
	t.Parallel()
	files := map[string]string{"plain": "a", "x": "${x}", "list": "%{ for e in x }${e}%{ endfor }", "len": "${length(x)}",
		"key": "-----BEGIN PRIVATE KEY-----", "inner": `${file("key")}`, "binary": "\xff\x00"}
	for expr, want := range map[string]bool{
		`templatefile("plain", {})`: false, `templatefile("plain", { x = sensitive("s") })`: false,
		`templatefile("x", { x = sensitive("s") })`: true, `templatefile("x", sensitive({ x = "s" }))`: true,
		`templatefile("list", { x = [sensitive("s")] })`: true, `templatefile("list", { x = sensitive(["s"]) })`: true,
		`templatefile("len", { x = [sensitive("s")] })`: false, `templatefile("key", {})`: true,
		`templatefile("inner", {})`: true, `filebase64("key")`: true, `filebase64("plain")`: false,
		`filebase64("binary")`: true,
		`filesha256("key")`:    true, `filesha256("plain")`: false, `templatefile(sensitive("plain"), {})`: true,
		`jql_quote(sensitive("a"))`: true, `yamldecode(sensitive("a: b"))`: true,
		`lookup({ a = sensitive("s"), b = "" }, "b")`: false,
		`lookup({ a = sensitive("s") }, "a")`:         true, `lookup({ a = "s" }, sensitive("a"))`: true,
		`lookup({}, "a", sensitive("s"))`: true, `coalesce("", sensitive("s"))`: true, `sum([sensitive(1), 2])`: true,
		`one([sensitive("s")])`: true, `alltrue([sensitive(true)])`: true, `index([sensitive("s")], "s")`: true,
		`transpose({ a = [sensitive("s")] })`: true, `cidrhost(sensitive("10.0.0.0/8"), 1)`: true,
		`pem_fingerprint(sensitive(file("ca.pem")))`: true, `duration(sensitive("1s"))`: true,
	} {
		w := world{files: map[string]string{"ca.pem": certificate(t)}}
		for name, text := range files {
			w.files[name] = text
		}
		if got := IsSensitive(values(t, w, false, []string{expr})[0]); got != want {
			t.Errorf("%s: sensitive %v, want %v", expr, got, want)
		}
	}
}

// TestUnknownArguments: what is not known yet gives what is not known yet, in every function.
func TestUnknownArguments(t *testing.T) {
	t.Parallel()
	for expr, known := range map[string]bool{
		`sum([1, var.u])`: false, `index(["a", var.u], "b")`: false, `index(["a", var.u], "a")`: true, `one([var.u])`: false,
		`lookup({ a = var.u }, "b", 1)`: true, `lookup({ a = 1 }, var.u, 2)`: false, `coalesce(var.u, "a")`: false,
		`coalesce("a", var.u)`: true, `alltrue([false, var.u])`: true, `alltrue([true, var.u])`: false,
		`length(var.u)`:   false,
		`length([var.u])`: true, `transpose({ a = [var.u] })`: false, `matchkeys([1], [var.u], ["a"])`: false,
		`templatefile("x", { x = var.u })`: false, `templatefile(var.u, {})`: false, `issensitive(var.u)`: false,
		`yamldecode(var.u)`: false, `jql_quote(var.u)`: false, `cidrsubnets(var.u, 1)`: false, `duration(var.u)`: false,
		`fileexists(var.u)`: false, `filesha256(var.u)`: false,
	} {
		w := world{unset: true, files: map[string]string{"x": "${x}", "u.sync.hcl": `variable "u" {}`}}
		if got := values(t, w, false, []string{expr})[0].IsWhollyKnown(); got != known {
			t.Errorf("%s: known %v, want %v", expr, got, known)
		}
	}
}
