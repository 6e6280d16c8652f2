package schema

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const canary = "canary-s3cr3t"

// secretSources are the ways for a secret to enter; each is an expression.
var secretSources = []string{
	`var.secret`, `var.secrets.deep`, `env("THE_TOKEN")`, `file("key.pem")`, `sensitive(var.plain)`,
	`server.depot.holder.password`, `local.secret`, `env("UNSET_PASSWORD", var.secret)`,
}

// secretUses are the ways to use one, good and bad; %s is the expression.
var secretUses = []string{
	`%s`, `"x-${%s}-y"`, `[%s]`, `{ a = %s }`, `{ (%s) = "b" }`, `{ (%s) = ["b"] }`, `[for c in [%s] : upper(c)]`,
	`{ for c in [%s] : c => c }`,
	`{ for c in [%[1]s, %[1]s] : c => c }`, `tonumber(%s)`, `tobool(%s)`, `%s ? 1 : 2`, `%s == "x" ? "a" : ["b"]`, `-%s`,
	`%s + 1`, `!%s`, `[1, 2][%s]`,
	`{ a = 1 }[%s]`, `{ a = 1 }[%s].b`, `%s.nothing`, `%s[0]`, `[%s][7]`, `jsondecode(%s)`, `base64decode(%s)`,
	`regex(%s, "x")`, `regex("x+", %s)`,
	`formatdate("YYYY", %s)`, `formatdate(%s, "2024-01-01T00:00:00Z")`, `file(%s)`, `env(%s)`, `parseint(%s, 10)`,
	`lookup({ a = 1 }, %s)`,
	`lookup({ (%s) = 1 }, "b")`, `zipmap([%s], [1])`, `zipmap([%s], [1, 2])`, `merge({ a = %s }, %s)`,
	`keys({ (%s) = 1 })`, `values({ a = %s })`, `contains([%s], "x")`, `split(%s, "a,b")`,
	`split(",", %s)`, `join(",", [%s])`, `join(%s, ["a", "b"])`, `format("%%d", %s)`, `format(%s, 1)`,
	`format("%%q", %s)`, `coalesce(null, %s)`, `try(%s.nothing, %s)`, `can(%s.nothing)`,
	`jsonencode({ a = %s })`, `sha256(%s)`, `base64encode(%s)`, `length(%s)`, `range(%s)`, `toset([%s])`,
	`tomap({ a = %s })`, `sort([%s, "b"])`,
	`distinct([%s, %s])`, `setunion([%s], ["b"])`, `flatten([[%s]])`, `concat([%s], %s)`, `substr(%s, 0, 3)`,
	`replace("abc", %s, "x")`, `replace("abc", "/(/", %s)`, `trimspace(%s)`, `timeadd(%s, "1h")`,
	`element([%s], "x")`, `slice([%s], 0, 9)`, `min(%s, 1)`, `csvdecode(%s)`, `%s...`, `[%s]...`, `upper(%s, 1)`,
	`nothing(%s)`, `[for x in %s : x]`, `{ for k, v in { (%s) = 1 } : k => v }`,
	`[%s][*].a`, `"${%s}"`, `"%%{ if %s }a%%{ endif }"`, `"%%{ for x in %s }a%%{ endfor }"`, `var.plain[%s]`, `local.map[%s]`, `server.depot.holder[%s]`, `<<EOT
a ${%s}
EOT
`,
}

// secretPlaces are where the expression stands; %s is the expression.
var secretPlaces = []string{
	"locals {\n x = %s\n}\n",
	"locals {\n x = %s\n y = local.x\n z = local.x.nothing\n w = tonumber(local.x)\n}\n",
	"server \"depot\" \"t\" {\n url = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n password = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n port = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n flavour = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n tags = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n labels = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n anything = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n nothing = %s\n}\n",
	"server \"depot\" \"t\" {\n url = \"u\"\n host {\n  ssh = %s\n }\n}\n",
	"sync \"depot\" \"t\" {\n transport = %s\n first {\n server = server.depot.holder\n project = \"p\"\n }\n}\n",
	"sync \"depot\" \"t\" {\n transport = \"road\"\n modes = %s\n first {\n server = %[1]s\n project = %[1]s\n }\n}\n",
	"sync \"depot\" \"t\" {\n transport = \"road\"\n depends_on = [%s]\n first {\n server = server.depot.holder\n " +
		"project = \"p\"\n }\n}\n",
	"sync \"depot\" \"t\" {\n transport = \"road\"\n first {\n server = server.depot.holder\n project = \"p\"\n }\n " +
		"field \"a\" {\n mapping = %s\n }\n field \"b\" {\n mapping = \"c\"\n }\n stop {\n place = %[1]s\n }\n}\n",
	"syncctl {\n parallelism = %s\n}\n",
	"syncctl {\n required_version = %s\n operator {\n command = %[1]s\n }\n}\n",
	"variable \"v\" {\n default = 1\n validation {\n condition = %s\n error_message = \"m\"\n }\n}\n",
	"variable \"v\" {\n default = 1\n validation {\n condition = var.v > 2\n error_message = %s\n }\n}\n",
	"variable \"v\" {\n default = %s\n}\n",
	"variable \"v\" {\n sensitive = %s\n nullable = %[1]s\n description = %[1]s\n}\n",
}

// holder declares the sources.
const holder = `
variable "secret" {
  type      = string
  sensitive = true
}
variable "secrets" {
  type      = map(string)
  sensitive = true
}
variable "plain" { default = "plain" }
variable "typed" {
  type      = object({ pin = number, on = optional(bool) })
  sensitive = true
  default   = null
}
locals {
  secret = "${var.secret}"
  map    = { a = var.secret }
}
server "depot" "holder" {
  url      = "u"
  user     = "clerk"
  password = "` + canary + `"
}
`

func secretWorld(text string) world {
	return world{
		files: map[string]string{
			"holder.sync.hcl": holder, "main.sync.hcl": text, "key.pem": "-----BEGIN PRIVATE KEY-----\n" + canary +
				"\n-----END PRIVATE KEY-----\n",
			"a.auto.syncvars.hcl": "secret = \"" + canary + "\"\nsecrets = { deep = \"" + canary + "\" }\n",
		},
		env: map[string]string{"THE_TOKEN": canary},
	}
}

// leaks looks for the canary in whatever a Load hands on.
func leaks(t testing.TB, w world) string {
	cfg, diags := w.load(t)
	var out bytes.Buffer
	for _, err := range []error{
		WriteText(&out, diags, cfg.Files(), TextOptions{Width: 60}),
		WriteText(&out, diags, cfg.Files(), TextOptions{Color: true}),
		WriteJSON(&out, diags, cfg.Files()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	out.WriteString(canonicalText(cfg))
	for _, d := range diags {
		out.WriteString(d.Error())
	}
	for _, r := range cfg.Resources {
		fmt.Fprintln(&out, r.Addr, r.Text("url"), r.Text("port"), r.Text("anything"))
	}
	for _, name := range []string{"main.sync.hcl", "holder.sync.hcl", "a.auto.syncvars.hcl"} {
		if f := cfg.Files()["conf/"+name]; f != nil {
			out.Write(f.Bytes)
		}
	}
	for _, form := range []string{canary, strings.ToUpper(canary), base64.StdEncoding.EncodeToString([]byte(canary))} {
		if i := strings.Index(out.String(), form); i >= 0 {
			return out.String()[max(0, i-600):min(out.Len(), i+200)]
		}
	}
	return ""
}

// TestCanary puts every source, used in every way, into every place; with -short an eighth of them.
func TestCanary(t *testing.T) {
	t.Parallel()
	// Without the mark the canary is found: the test can fail.
	if leaks(t, world{files: map[string]string{"main.sync.hcl": `server "depot" "t" { url = "` + canary + `" }`}}) == "" {
		t.Fatal("the canary is not found where it is not secret")
	}
	tried := 0
	for _, source := range secretSources {
		for _, use := range secretUses {
			for _, place := range secretPlaces {
				if tried++; testing.Short() && tried%8 != 0 {
					continue
				}
				text := fmt.Sprintf(place, fill(use, source))
				if found := leaks(t, secretWorld(text)); found != "" {
					t.Errorf("source %s in\n%s\nis shown:\n%s", source, text, found)
					return
				}
			}
		}
	}
}

// fill puts the source everywhere a use has room for it.
func fill(use, source string) string {
	use = strings.ReplaceAll(use, "%[1]s", "\x00")
	use = strings.ReplaceAll(use, "%s", "\x00")
	use = strings.ReplaceAll(use, "%%", "%")
	return strings.ReplaceAll(use, "\x00", source)
}

// TestCanaryProperty nests uses in each other and places several in one file.
func TestCanaryProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		expr := rapid.SampledFrom(secretSources).Draw(rt, "source")
		for range rapid.IntRange(1, 3).Draw(rt, "depth") {
			expr = fill(rapid.SampledFrom(secretUses[:len(secretUses)-1]).Draw(rt, "use"), expr)
		}
		text := fmt.Sprintf(rapid.SampledFrom(secretPlaces).Draw(rt, "place"), expr)
		if found := leaks(t, secretWorld(text)); found != "" {
			rt.Fatalf("shown in\n%s\n%s", text, found)
		}
	})
}

func TestSecretValuesOfVariables(t *testing.T) {
	for _, value := range []string{
		`typed = "` + canary + `"`, `typed = { pin = "` + canary + `" }`, `typed = { pin = 1, on = "` + canary + `" }`,
		`typed = ["` + canary + `"]`,
		`secrets = "` + canary + `"`, `secrets = { a = ["` + canary + `"] }`, `secrets = { "` + canary + `" = [] }`,
		`secret = ["` + canary + `"]`,
		`secret = "` + canary + "\n", `secret = var.` + canary, `secrt = "` + canary + `"`, `secret = {`,
	} {
		w := secretWorld("")
		w.files["b.auto.syncvars.hcl"] = value + "\n"
		if found := leaks(t, w); found != "" {
			t.Errorf("%s is shown:\n%s", value, found)
		}
		name, text, _ := strings.Cut(value, " = ")
		w = secretWorld("")
		w.vars = []VarSource{{Assign: name + "=" + text}}
		if found := leaks(t, w); found != "" {
			t.Errorf("-var %s is shown:\n%s", value, found)
		}
	}
}

func TestMarkSources(t *testing.T) {
	w := world{
		files: map[string]string{
			"main.sync.hcl": `
variable "s" {
  default   = "abcdef"
  sensitive = true
}
server "barn" "a" { url = var.s }
server "barn" "b" { url = env("MY_Api_Key") }
server "barn" "c" { url = env("MY_NAME") }
server "barn" "d" { url = file("k.pem") }
server "barn" "e" { url = file("plain.txt") }
server "barn" "f" { url = sensitive("x") }
server "barn" "g" { url = nonsensitive(var.s) }
server "barn" "h" { url = env("NO_PASSWD", "dflt") }
server "barn" "i" { url = "x${var.s}" }
server "barn" "j" { url = env("YARD_KEY") }
server "barn" "k" { url = env("PROJECT_KEY", "SAM2") }
`, "k.pem": "-----BEGIN RSA PRIVATE KEY-----", "plain.txt": "plain",
		},
		env: map[string]string{"MY_Api_Key": "k1", "MY_NAME": "n1", "YARD_KEY": "-----BEGIN PRIVATE KEY-----"},
	}
	cfg, diags := w.load(t)
	if len(diags) > 0 {
		t.Fatal(textOf(t, cfg, diags))
	}
	for name, want := range map[string]bool{"a": true, "b": true, "c": false, "d": true, "e": false, "f": true,
		"g": false, "h": true, "i": true, "j": true, "k": false} {
		v := cfg.Lookup(Addr{Kind: Server, Type: "barn", Name: name}).Get("url")
		if IsSensitive(v) != want {
			t.Errorf("%s: sensitive %v, want %v", name, IsSensitive(v), want)
		}
		if Reveal(v).AsString() == "" || IsSensitive(Reveal(v)) {
			t.Errorf("%s: reveal gives %#v", name, Reveal(v))
		}
	}
}

func TestRedactor(t *testing.T) {
	cfg := good(t, "server \"depot\" \"a\" {\n  url = \"u\"\n  user = \"clerk\"\n  password = \"pa\\\"s &s+1\"\n}\n"+
		"locals {\n  pem = sensitive(\"-----BEGIN-----\\nMIIabcdef\\nxyz12345\\n-----END-----\")\n  short = "+
		"sensitive(\"abc\")\n}\n")
	r := cfg.Redactor()
	secret := `pa"s &s+1`
	for _, in := range []string{
		secret, `pa\"s &s+1`, `pa\"s \u0026s+1`, "pa%22s+%26s%2B1", base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)), "MIIabcdef",
	} {
		if got := r.String("[" + in + "]"); got != "[(sensitive value)]" {
			t.Errorf("%s: got %s", in, got)
		}
	}
	for _, in := range []string{"abc", "-----BEGIN-----", "clerk"} {
		if got := r.String(in); got != in {
			t.Errorf("%s: got %s", in, got)
		}
	}
}
