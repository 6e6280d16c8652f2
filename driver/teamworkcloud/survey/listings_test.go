package survey

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/planner"
)

// TestListed checks that a resource is still listed if it was moved to another category after the server was listed,
// where its user may not see it any more. Details of a cached resource are not read again.
func TestListed(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	answers := map[string]string{
		"/osmc/workspaces":              `{"ldp:contains": ["w1", "w2"]}`,
		"/osmc/workspaces/w1/resources": `["p1", "p2"]`,
		"/osmc/workspaces/w2/resources": `[]`,
		"/osmc/resources":               `{"ldp:contains": ["p1", "p2"]}`,
	}
	for _, id := range []string{"p1", "p2"} {
		answers["/osmc/resources/"+id] = `{"@base": "https://h/osmc/workspaces/w1/resources/` + id + `", "@type": ` +
			`"kerml:Resource", "dcterms:title": "` + id + `", "removed": false}`
	}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		if answers[r.URL.Path] == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	defer h.Close()
	client, err := osmc.New(osmc.Options{Rest: rest.Options{BaseURL: h.URL, MaxRetries: -1}, Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	at, listings := connect.Declared(server("a")), NewListings(time.Now)
	look := func(look func(*View)) {
		t.Helper()
		o := Observer{Scope: Recent, Ask: func(ctx context.Context, n planner.Need) (any, error) {
			return listings.Observe(ctx, client.Reader(), at, n)
		}}
		if err := Gather(t.Context(), o, look); err != nil {
			t.Fatal(err)
		}
	}
	var inv *Inventory
	look(func(v *View) { inv = v.Inventory(at) })
	if !inv.Lists("p1") || !inv.Lists("p2") {
		t.Fatalf("%+v", inv.Resources)
	}
	mu.Lock()
	before := asked["/osmc/resources/p2"]
	answers["/osmc/workspaces/w1/resources"], answers["/osmc/workspaces/w2/resources"] = `["p2"]`, `["p1"]`
	answers["/osmc/resources"] = `{"ldp:contains": ["p2"]}`
	delete(answers, "/osmc/resources/p1")
	mu.Unlock()
	look(func(v *View) { inv = v.Listed(at) })
	if inv.Resource("p1") != nil || !inv.Lists("p1") || !inv.Lists("p2") {
		t.Errorf("%+v, %+v", inv.Categories, inv.Resources)
	}
	mu.Lock()
	if n := asked["/osmc/resources/p2"]; n != before {
		t.Errorf("p2 was asked for %d times, and %d before", n, before)
	}
	answers["/osmc/workspaces/w2/resources"] = `[]`
	mu.Unlock()
	if look(func(v *View) { inv = v.Listed(at) }); inv.Lists("p1") {
		t.Errorf("%+v, %+v", inv.Categories, inv.Resources)
	}
}
