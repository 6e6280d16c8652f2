package schema

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// TestMaskedParts: what a secret is put together from, what has a telling name, and private keys are in no source that
// is shown or sent, in both syntaxes.
func TestMaskedParts(t *testing.T) {
	const native = `
locals {
  first  = "canary-one"
  second = "canary-two"
  third  = { a = "canary-three" }
  listed = {
    password = "canary-four"
    "api_key" = ["canary-five"]
  }
  jwt_token = "canary-six"
  both      = "${local.first}${local.second}"
  text      = <<-EOT
    -----BEGIN OPENSSH PRIVATE KEY-----
    canary-seven
    -----END OPENSSH PRIVATE KEY-----
    shown-one
  EOT
  other     = "shown-two"
  word      = sensitive("${local.eighth}x")
  eighth    = "canary-eight"
}

variable "ninth" {
  default = "canary-nine"
}

server "barn" "a" {
  for_each = { x = { part = "canary-ten" } }
  url      = "https://shown-three.example"
  password = "${local.both}${local.third.a}${var.ninth}${each.value.part}"
}
`
	const inJSON = `{"locals": {"first": "canary-one", "second": ["canary-two"], "listed": {"password": "canary-four"},
  "jwt_token": {"a": "canary-six"}, "text": "-----BEGIN PRIVATE KEY-----\ncanary-seven\n-----END PRIVATE KEY-----\n",
  "other": "shown-two"},
  "server": {"barn": {"a": {"url": "https://shown-three.example", "password": "${local.first}${local.second[0]}"}}}}`
	for name, src := range map[string]string{"main.sync.hcl": native, "main.sync.hcl.json": inJSON} {
		checkMasked(t, "both", map[string]string{name: src})
	}
}

// checkMasked looks for what is hidden in sources: what contains canary has to be, what contains shown must not.
func checkMasked(t *testing.T, what string, files map[string]string) {
	t.Helper()
	cfg, _ := world{files: files}.load(t)
	for name, src := range files {
		text := string(cfg.Files()["conf/"+name].Bytes)
		if strings.Contains(text, "canary") || len(text) != len(src) {
			t.Errorf("%s: %s: a secret is shown:\n%s", what, name, text)
		}
		for _, want := range regexp.MustCompile(`shown-[a-z]+`).FindAllString(src, -1) {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s: %s is hidden:\n%s", what, name, want, text)
			}
		}
	}
}

// TestMaskedPartsOfMany: what is asked for is found by however many names, each in a piece of its own, and a file of
// values has no pieces: all in it may go into secrets.
func TestMaskedPartsOfMany(t *testing.T) {
	var parts, secrets strings.Builder
	for i := range mostSearched + 4 {
		fmt.Fprintf(&parts, "locals {\n  p%d = \"canary-%d\"\n  # %s\n}\n", i, i, strings.Repeat("x", pieceSize))
		fmt.Fprintf(&secrets, "  b%d = { password = local.p%d }\n", i, i)
	}
	checkMasked(t, "many", map[string]string{
		"a.sync.hcl": parts.String() + "locals {\n  q = \"shown-q\"\n}\n",
		"b.sync.hcl": "locals {\n" + secrets.String() + "}\n",
	})
	checkMasked(t, "values", map[string]string{
		"a.sync.hcl":          "variable \"p\" {}\nlocals {\n  a = { password = \"${var.p}x\" }\n}\n",
		"x.auto.syncvars.hcl": "p = \"canary-p\"\n",
	})
}

// TestMaskedPartsWays: the ways by which a part goes into a secret, in both syntaxes, alone and into the other one.
func TestMaskedPartsWays(t *testing.T) {
	for what, c := range map[string]struct{ part, secret, inJSON string }{
		"local": {`locals {
  p = "canary-p"
  q = "shown-q"
}`, `local["p"]`, `{"locals": {"p": "canary-p", "q": "shown-q"}}`},
		"variable": {`variable "p" { default = "canary-p" }`, `var["p"]`, `{"variable": {"p": {"default": "canary-p"}}}`},
		"output": {`output "p" { value = "canary-p" }
output "q" { value = "shown-q" }`, `module.m["p"].x`,
			`{"output": {"p": {"value": "canary-p"}, "q": {"value": "shown-q"}}}`},
		"output of a key": {`output "p" { value = "canary-p" }
output "q" { value = "shown-q" }`, `module.m["k"].p`,
			`{"output": {"p": {"value": "canary-p"}, "q": {"value": "shown-q"}}}`},
		"output of all": {`output "p" { value = "canary-p" }`, `module.m[*].p`, `{"output": {"p": {"value": "canary-p"}}}`},
		"outputs": {`output "p" { value = "canary-p" }`, `module.m["k"]["p"]`,
			`{"output": {"p": {"value": "canary-p"}}}`},
		"module": {`module "m" { p = "canary-p" }`, `var.p`, `{"module": {"m": {"p": "canary-p"}}}`},
		"default of an attribute": {`variable "p" {
  type = object({ a = optional(string, "canary-p"), b = optional(map(string), { c = "canary-q" }) })
}`, `var.p.a`, `{"variable": {"p": {"type": "object({ a = optional(string, \"canary-p\") })"}}}`},
		"default of a secret's attribute": {`variable "p" {
  type      = object({ a = optional(string, "canary-p") })
  sensitive = true
}`, "", `{"variable": {"db_password": {"type": "object({ a = optional(string, \"canary-p\") })", "default": {}}}}`},
		"comment": {`locals {
  # password = "canary-p"
  a = 1 // db_token: canary-t
  /* shown-a: shown-b
     "api_key" => ["canary-k"] */
  b = 2 # shown-c
  # user: shown-d, password: "canary-u"
}`, "", `{}`},
		"default of what is not read as a variable": {`variable "p" name {
  default   = "canary-p"
  sensitive = true
}
varable "q" {
  default   = { a = "canary-q" }
  sensitive = true
}
locals {
  variable "r" { default = "canary-r" }
}
variable "s" { default = "shown-s" }
variable "u" {
  default  = "canary-u"
  sensitiv = true
}
variable "v" {
  default   = "canary-v"
  sensitive = "yes"
}`, "", `{"variable": {"p": {"name": {"sensitive": true, "default": "canary-p"}},
  "s": {"default": "shown-s"}, "t": [{"default": "shown-t"}], "u": {"default": "canary-u", "sensitiv": true},
  "v": {"default": "canary-v", "sensitive": null}}, "varable": {"q": {"default": ["canary-q"]}},
  "locals": {"m": {"default": "shown-m"}}}`},
		"sensitive": {`locals {
  w = sensitive("${local.p}canary-x")
  p = "canary-p"
}`, "", `{"locals": {"w": "${sensitive(\"${local.p}canary-x\")}", "p": "canary-p", "q": "shown-q (not sensitive)"}}`},
		"sensitive that is torn": {"", "", `{"locals": {"w": "${sensitive(\"canary-x\""}}`},
		"object in a text":       {"", "", `{"locals": {"w": "${merge({password = \"canary-x\"}, {})}", "q": "shown-q"}}`},
		"each": {`server "barn" "a" {
  for_each = { x = { part = "canary-p" } }
  password = each.value.part
  url      = "shown-q"
}`, "", `{"server": {"barn": {"a": {"for_each": {"x": {"part": "canary-p", "variable": {"token": "canary-t"}}},
  "password": "${each.value.part}-1", "url": "shown-q"}}}}`},
		"key of each": {`server "barn" "a" {
  for_each = { shown-x = "shown-y" }
  password = env("P_${each.key}")
}`, "", `{"server": {"barn": {"a": {"for_each": {"shown-x": "shown-y"}, "password": "${env(each.key)}"}}}}`},
		"dynamic": {`server "barn" "a" {
  dynamic "user" {
    for_each = ["canary-p"]
    content { password = user["value"] }
  }
}`, "", `{"server": {"barn": {"a": {"dynamic": {"user": {"for_each": ["canary-p"],
  "content": {"password": "${user.value}"}}}}}}}`},
		"dynamic with the name of another root": {`server "barn" "a" {
  dynamic "user" {
    iterator = server
    for_each = ["canary-p"]
    content { password = server.value }
  }
  dynamic "module" {
    for_each = ["canary-q"]
    content { password = module["value"] }
  }
}`, "", `{"server": {"barn": {"a": {"dynamic": {"local": {"for_each": ["canary-p"],
  "content": {"password": "${local.value}"}}}}}}}`},
	} {
		native := map[string]string{"part.sync.hcl": c.part}
		inJSON := map[string]string{"part.sync.hcl.json": c.inJSON}
		if c.secret == "" {
			checkMasked(t, what, native)
			checkMasked(t, what, inJSON)
			continue
		}
		for _, files := range []map[string]string{native, inJSON} {
			files["main.sync.hcl"] = `server "barn" "a" { password = "${` + c.secret + `}x" }`
			checkMasked(t, what, files)
			delete(files, "main.sync.hcl")
			files["main.sync.hcl.json"] = `{"server": {"barn": {"a": {"password": "${` +
				strings.ReplaceAll(c.secret, `"`, `\"`) + `}x"}}}}`
			checkMasked(t, what, files)
		}
	}
}

// counted counts how often an expression is looked at.
type counted struct {
	hcl.Expression
	looks *int
}

func (c counted) Range() hcl.Range {
	*c.looks++
	return c.Expression.Range()
}

// TestMaskedPartsOnce: what goes into many secrets is followed once, not once for each of them.
func TestMaskedPartsOnce(t *testing.T) {
	part, diags := hclsyntax.ParseExpression([]byte(`"p"`), "part", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	looks := 0
	m := newMasker()
	m.named["local.p"] = []hcl.Expression{counted{part, &looks}}
	for i := range 100 {
		secret, diags := hclsyntax.ParseExpression([]byte("local.p"), "secret", hcl.Pos{Line: 1, Column: 1, Byte: i})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		m.hide(secret)
	}
	if looks == 0 || looks > 10 {
		t.Errorf("the part was looked at %d times", looks)
	}
}

// TestMaskedPartsEvaluateNothing: what is hidden is found without evaluating what a person wrote, which nothing limits
// there. Loops that would fill the memory are told from what is known without them.
func TestMaskedPartsEvaluateNothing(t *testing.T) {
	evaluated := 0
	part := noticed{&hclsyntax.LiteralValueExpr{Val: cty.True}, &evaluated}
	loop := &hclsyntax.ForExpr{ValVar: "a", CollExpr: part, ValExpr: part}
	named := func(name string) *hclsyntax.Body {
		key := &hclsyntax.LiteralValueExpr{Val: cty.StringVal(name)}
		return &hclsyntax.Body{Attributes: hclsyntax.Attributes{
			name: {Name: name, Expr: loop},
			"object": {Name: "object", Expr: &hclsyntax.ObjectConsExpr{Items: []hclsyntax.ObjectConsItem{
				{KeyExpr: &hclsyntax.ObjectConsKeyExpr{Wrapped: loop, ForceNonLiteral: true}, ValueExpr: key},
				{KeyExpr: &hclsyntax.ObjectConsKeyExpr{Wrapped: key}, ValueExpr: loop},
			}}},
		}}
	}
	m := newMasker()
	if found := m.names("x", named("password")); len(found) != 2 || evaluated > 0 {
		t.Errorf("%d found, %d times evaluated", len(found), evaluated)
	}
	checkMasked(t, "keys", map[string]string{"main.sync.hcl": `
locals {
  a = { ("pass${"word"}") = "canary-one", "${local.b}_token" = "canary-two", (local.b) = "shown-one" }
  b = "shown-two"
  c = { (("password")) = "canary-three", (true ? "password" : "c") = "canary-four" }
  password = ("canary-five")
  again    = ["canary-five"]
}
`})
}

// noticed counts how often it is evaluated.
type noticed struct {
	hclsyntax.Expression

	times *int
}

func (n noticed) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	*n.times++
	return cty.EmptyTupleVal, nil
}

// FuzzMayTell: where names and addresses tell of no secret, reading the tokens finds none either.
func FuzzMayTell(f *testing.F) {
	for _, text := range []string{
		"a = 1 # password=x\n", "/* token: x */", "a = \"--secret=x ${b} \\npassword=x\"\n",
		"a = \"https://a:b@c.example\"\n",
		"a = <<E\nx${y}password: z\n\\\"key\\\":1\nE\n", "a = \"$password=x$${token}=1 %key=y\"\n", "a = \"é-key=x\"\r\n",
		"a = \"plain=x\" # y: z\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if found := inTexts(piece{path: "x", text: []byte(text)}); len(found) > 0 && !mayTell([]byte(text)) {
			t.Errorf("%q: %v", text, found)
		}
	})
}

// TestMayTell: most texts need not be read again.
func TestMayTell(t *testing.T) {
	for text, want := range map[string]bool{
		"mapping = \"user_passthrough_by_email\" # https://a.example\n": false, "x = \"a:key=b\"": true,
		"x = \"https://:b@c\"": true,
	} {
		if mayTell([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// FuzzMayHold: a piece in which there may be nothing to mask makes no difference.
func FuzzMayHold(f *testing.F) {
	const plain = "sync \"x\" \"y\" {\n  a = { Bug = \"Bug\" }\n  b {\n    c = each.value\n  }\n}\n"
	for _, seed := range []string{
		"locals {\n  p = \"x\"\n}\n%sa {\n  password = local.p\n}\n",
		"variable \"p\" {\n  default = \"x\"\n}\n%sa {\n  b = { api_key = var.p }\n}\n",
		"variable \"p\" {\n  type = optional(string, \"x\")\n}\n%sa {\n  b = { \"connection string\" = var.p }\n}\n",
		"output \"p\" {\n  value = \"x\"\n}\n%sa {\n  b = sensitive(module.m.p)\n}\n",
		"module \"m\" {\n  p = \"x\"\n}\n%sa {\n  token = [var.p]\n}\n",
		"a {\n  for_each = [\"x\"]\n}\n%sa {\n  password = each.value\n}\n",
		"a {\n  default = \"x\"\n}\n%sa {\n  b = { \"to${\"\"}ken\" = 1 }\n}\n",
		"a {\n  b = { (f(\"to\", \"ken\")) = 2 }\n}\n%sa {\n  b = { \"p\\u0061ss\" = 3 }\n}\n",
		"a {\n  b = { true ? \"to\" : \"ken\" = 1 }\n}\n%sa {\n  b = { \"api\u00a0key\" = 2, \"pass$word\" = 4 }\n}\n",
		"a {\n  b = { \"to\" + \"ken\" = 1 }\n}\n%sa {\n  c = 1\n}\n",
		"a {\n  pa\u017fs = 2\n}\n%sa {\n  b = { \"to%%{ if true }ken%%{ endif }\" = 3, \"dsn-url\" = 4 }\n}\n",
		"a {\n  b = \"https://u:canary@c.example\"\n}\n%sa {\n  b = 1 # https://u:canary@c.example\n}\n",
		"a {\n  pass = 2\n  type = \"x\"\n}\n%sa {\n  b = { \"to%%%%{ken\" = 3 }\n}\n",
	} {
		f.Add(fmt.Sprintf(seed, plain))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &pieces{path: "x", texts: piecesOf([]byte(text), 20)}
		if p.file() == nil {
			return
		}
		masked := func(s source) string {
			s.text, s.parses = []byte(text), true
			return string(maskFiles(map[string]source{"x": s}, nil, nil, nil)["x"].Bytes)
		}
		if is, want := masked(source{pieces: p}), masked(source{}); is != want {
			t.Errorf("%q is masked as\n%s\nand not as\n%s", text, is, want)
		}
	})
}

// TestMayHold: most pieces need not be parsed again.
func TestMayHold(t *testing.T) {
	const block = "sync \"x\" \"y\" {\n  project = \"P1\"\n  f \"%s\" {\n    m = \"user_passthrough_by_email\"\n  }\n}\n"
	for label, want := range map[string]holds{"summary": nothing, "key": secrets, "for_each": inputs, "default": secrets,
		"é": secrets, "${a}": secrets} {
		if got := (plainTexts{}).mayHold([]byte(strings.Replace(block, "%s", label, 1))); got != want {
			t.Errorf("%s: %v", label, got)
		}
	}
}
