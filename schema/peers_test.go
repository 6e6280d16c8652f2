package schema

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// TestPeers: a type's Check sees the other right declarations of its kind and type, by address, evaluated and with
// their references resolved.
func TestPeers(t *testing.T) {
	seen := map[string]string{}
	note := func(r *Resource) hcl.Diagnostics {
		var peers []string
		for p := range r.Peers() {
			peers = append(peers, p.Addr.String()+"="+p.Text("url"))
		}
		seen[r.Addr.String()] = strings.Join(peers, " ")
		if r.Text("url") == "bad" {
			return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Bad", Subject: &r.Range}}
		}
		return nil
	}
	body := Body{Attributes: []Attribute{
		{Name: "url", Type: cty.String, Required: true},
		{Name: "via", Ref: &Ref{Kind: Server, Type: "depot"}},
	}}
	diags := loadWith(t, Catalog{
		{Kind: Server, Name: "depot", Body: body, Check: note},
		{Kind: Server, Name: "barn", Body: body, Check: note},
		{Kind: Sync, Name: "depot", Body: body, Check: note},
	}, "1.0.0", `
server "depot" "c" { url = upper(server.depot.b.url) }
server "depot" "b" { url = "bee" }
server "depot" "a" { url = "bad" }
server "depot" "wrong" {}
server "depot" "after" {
  url = "x"
  via = server.depot.wrong
}
server "barn" "b" { url = "barn" }
sync "depot" "b" { url = "sync" }
`)
	if len(diags) != 2 { // the one that lacks its url, and the bad one
		t.Fatal(diags)
	}
	want := map[string]string{
		"server.depot.a": "server.depot.b=bee server.depot.c=BEE",
		"server.depot.b": "server.depot.a=bad server.depot.c=BEE",
		"server.depot.c": "server.depot.a=bad server.depot.b=bee",
		"server.barn.b":  "",
		"sync.depot.b":   "",
	}
	for addr, peers := range want {
		if got, ok := seen[addr]; !ok || got != peers {
			t.Errorf("%s has the peers %q, want %q", addr, got, peers)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("checked: %q", seen)
	}
}

// Peers are not part of what a configuration is: its digest does not change with the order in which they were declared.
func TestPeersAreNoContent(t *testing.T) {
	a, b := `server "barn" "a" { url = "a" }`+"\n", `server "barn" "b" { url = "b" }`+"\n"
	x, y := good(t, a+b), good(t, b+a)
	peers := slices.Collect(x.Resources[0].Peers())
	if x.Digest() != y.Digest() || len(peers) != 1 || peers[0] == x.Resources[0] {
		t.Errorf("%s and %s", x.Digest(), y.Digest())
	}
}
