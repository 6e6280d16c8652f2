package schema

import (
	"fmt"
	"testing"
)

// TestSources: where secrets come from is known of each declaration, whatever was made of them on the way.
func TestSources(t *testing.T) {
	const s, u, e = "var.s", "var.u", `env("A_TOKEN")`
	for expr, want := range map[string][]string{
		`"plain"`: nil, `var.plain`: nil, `env("A_NAME")`: nil, `sensitive("x")`: nil, `nonsensitive(var.s)`: nil,
		`file("k.pem")`: nil, `issensitive(var.s)`: nil,
		`var.s`: {s}, `env("A_TOKEN")`: {e}, `"${var.s}${var.u}"`: {s, u}, `"${var.u}${env("A_TOKEN")}"`: {e, u},
		`{ a = var.s, b = var.u }`: {s, u}, `{ a = var.s, b = var.u }.a`: {s}, `[var.s, var.u][1]`: {u},
		`[for x in [var.s, var.u] : upper(x)][0]`: {s}, `{ for x in ["k"] : x => var.u }`: {u},
		`var.s == "x" ? var.u : "no"`: {s, u}, `var.s == "x"`: {s}, `length(var.s)`: {s}, `toset([var.s, var.u])`: {s, u},
		`contains(["a", var.u], "a")`: {u}, `jsondecode(jsonencode({ a = var.s }))`: {s}, `local.both[var.s]`: {s},
		`local.both.s`: {s}, `local.both`: {s, u}, `keys(local.both)`: nil, `values(local.both)[0]`: {s},
		`try(var.s.none, var.u)`: {s, u}, `can(regex(var.s, "x")) ? 1 : 2`: {s}, `try(try(var.s.none, var.u), "x")`: {s, u},
		`[try(var.s.none, "x"), try(var.u.none, "x")][1]`: {u}, `coalesce(null, var.u)`: {u},
		`templatefile("t.tmpl", { s = var.s })`: {s}, `module.m.out`: {s}, `module.m.hidden`: {u}, `module.m.own`: nil,
		`server.depot.other.anything`: {s}, `substr(md5(var.s), 0, 1) == "a" ? local.both.u : ""`: {s, u},
	} {
		w := world{
			files: map[string]string{
				"a.sync.hcl": `variable "plain" {}
variable "s" { sensitive = true }
variable "u" {
  sensitive = true
  default   = "uuuu"
}
locals { both = { s = var.s, u = var.u, ssss = 1 } }
module "m" {
  source = "./m"
  in     = var.s
  other  = var.u
}
server "depot" "other" {
  url      = "u"
  anything = var.s
}
server "depot" "t" {
  url      = "u"
  anything = ` + expr + "\n}\n",
				"m/m.sync.hcl": `variable "in" {}
variable "other" {}
variable "made" {
  sensitive = true
  default   = "mmmm"
}
output "out" { value = var.in }
output "hidden" {
  sensitive = true
  value     = "x${var.other}"
}
output "own" {
  sensitive = true
  value     = var.made
}
`,
				"t.tmpl": "<${s}>", "k.pem": "-----BEGIN RSA PRIVATE KEY-----",
			},
			vars: []VarSource{{Assign: "s=ssss"}, {Assign: "plain=p"}}, env: map[string]string{"A_TOKEN": "tttt", "A_NAME": "n"},
		}
		cfg, diags := w.load(t)
		if diags.HasErrors() {
			t.Errorf("%s: %s", expr, textOf(t, cfg, diags))
			continue
		}
		r := cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: "t"})
		if got := fmt.Sprint(r.Sources()); got != fmt.Sprint(want) {
			t.Errorf("%s: comes from %s, want %v", expr, got, want)
		}
	}
}

// TestSourcesOfWhatIsReferredTo: the secrets of a declaration are those of what it refers to, too, however far away.
func TestSourcesOfWhatIsReferredTo(t *testing.T) {
	w := world{files: map[string]string{"a.sync.hcl": `variable "s" { sensitive = true }
server "depot" "a" { url = var.s }
server "depot" "open" { url = "u" }
sync "depot" "c" {
  transport = "road"
  first {
    server  = server.depot.a
    project = "c"
  }
}
sync "depot" "b" {
  transport = "road"
  upstream  = sync.depot.c
  first {
    server  = server.depot.open
    project = "b"
  }
}
`}, vars: []VarSource{{Assign: "s=ssss"}}}
	cfg, diags := w.load(t)
	if diags.HasErrors() {
		t.Fatal(textOf(t, cfg, diags))
	}
	r := cfg.Lookup(Addr{Kind: Sync, Type: "depot", Name: "b"})
	if got := fmt.Sprint(r.Sources()); got != "[var.s]" {
		t.Errorf("comes from %s", got)
	}
}
