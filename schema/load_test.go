package schema

import (
	"strings"
	"testing"
)

func TestLoadSimplePath(t *testing.T) {
	cfg := good(t, twoDepots)
	var order []string
	for _, r := range cfg.Resources {
		order = append(order, r.Addr.String())
	}
	if got, want := strings.Join(order, " "), "server.depot.a server.depot.b sync.depot.goods"; got != want {
		t.Errorf("order: got %s, want %s", got, want)
	}
	r := cfg.Lookup(Addr{Kind: Sync, Type: "depot", Name: "goods"})
	for path, want := range map[string]string{
		"first.server": "server.depot.a", "second.project": "SP", "field.owner.mapping": "by_mail",
		"stop.1.place": "y", "upstream": "", "field.nothing.mapping": "",
	} {
		if got := r.Text(strings.Split(path, ".")...); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	a := r.Ref("first", "server")
	if a == nil || a.Text("password") != "(sensitive value)" || Reveal(a.Get("password")).AsString() != "hunter22" {
		t.Errorf("first.server leads to %v", a)
	}
	if got := r.RangeOf("field", "owner", "mapping").Start.Line; got != 23 {
		t.Errorf("range of a nested argument: line %d", got)
	}
	if got := cfg.Lookup(Addr{Kind: Server, Type: "depot", Name: "b"}).Text("url"); got != "https://a.example/b" {
		t.Errorf("url of b: %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for expr, want := range map[string]string{"443": "443", "0.1": "0.1", "-7": "-7",
		"123456789012345678901234": "123456789012345678901234", "1/0": "+Inf"} {
		cfg := good(t, "server \"depot\" \"a\" {\n  url  = \"u\"\n  port = "+expr+"\n}\n")
		if got := cfg.Resources[0].Text("port"); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
		if cfg.Digest() == "" {
			t.Errorf("%s: no digest", expr)
		}
	}
}
