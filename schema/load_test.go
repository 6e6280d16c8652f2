package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
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

// TestRangeOfManyBlocks: where something is written is looked up, not searched for, in a declaration with many blocks;
// and what is there twice is where it is first.
func TestRangeOfManyBlocks(t *testing.T) {
	for _, n := range []int{3, 1000} {
		r := &Resource{}
		for i := range n {
			r.writes(fmt.Sprint("field.", i), hcl.Range{Start: hcl.Pos{Line: i + 1}})
		}
		r.RangeOf("field") // it may be asked while a declaration is read
		r.writes("last", hcl.Range{Start: hcl.Pos{Line: n + 1}})
		r.writes("field.0", hcl.Range{Start: hcl.Pos{Line: n + 2}})
		for line, path := range map[int][]string{1: {"field", "0"}, 3: {"field", "2", "x"}, n + 1: {"last"}, 0: {"none"}} {
			if got := r.RangeOf(path...).Start.Line; got != line {
				t.Errorf("%d blocks: %v is in line %d, want %d", n, path, got, line)
			}
		}
		if len(r.written) <= fewWritten {
			continue
		}
		r.written = slices.Clone(r.written)
		clear(r.written[:1000]) // a search would miss it, an index knows the place
		r.written[999].rng.Start.Line = 7
		if got := r.RangeOf("field", "999").Start.Line; got != 7 {
			t.Errorf("%d blocks: it is searched for: line %d", n, got)
		}
	}
}
