package planner_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/planner"
)

// TestGone: what is no longer declared is said, unless the files say that it is meant or where it is now.
func TestGone(t *testing.T) {
	acted := map[string]string{"sync.depot.apart": "run-1", "sync.depot.gone": "run-2", "server.depot.gone": "run-3",
		"sync.depot.renamed": "run-4", "sync.depot.meant": "run-5", "sync.depot.over": "run-6"}
	in := input(load(t, moving+`
moved {
  from = sync.depot.renamed
  to   = sync.depot.base
}
removed { from = sync.depot.meant }
`), movingDepot())
	in.Acted, in.Retired = acted, map[string]string{"sync.depot.over": "run-6"}
	var got []string
	for _, f := range made(t, in).Findings {
		if f.Rule == planner.RuleGone {
			got = append(got, f.Addr+" "+string(f.Severity))
		}
	}
	want := "server.depot.gone " + string(planner.Note) + "; sync.depot.gone " + string(planner.Warn)
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

// TestMovedConfirmations: what a person has confirmed goes along with its declaration.
func TestMovedConfirmations(t *testing.T) {
	d := movingDepot()
	in := input(load(t, moving+"\nmoved {\n  from = sync.depot.was\n  to   = sync.depot.apart\n}\n"), d)
	in.Confirmed = map[string]planner.Confirmation{"sync.depot.was/do": {Run: "r", Seq: 3}}
	made(t, in)
	if got := d.seen["sync.depot.apart"].Confirmed["do"]; got.Run != "r" {
		t.Errorf("confirmed: %v", d.seen["sync.depot.apart"].Confirmed)
	}
}
