package backbone

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

// TestIncompleteSearch: an answer that does not advance, or does not say that it is complete, is an error.
func TestIncompleteSearch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deployment string
		pages      []string // the last one is repeated
		want       string   // in the error; "": none
	}{
		"one page":               {cloud, []string{`{"issues":[{"key":"A-1"}],"isLast":true}`}, ""},
		"the same token":         {cloud, []string{`{"issues":[{"key":"A-1"}],"nextPageToken":"x"}`}, "does not advance"},
		"no token, not the last": {cloud, []string{`{"issues":[],"isLast":false}`}, "names no next one"},
		"no word on the end":     {cloud, []string{`{"issues":[]}`}, "names no next one"},
		"startAt ignored": {dataCenter, []string{`{"startAt":0,"total":2,"issues":[{"key":"A-1"}]}`},
			"begins with issue 0"},
		"an empty page": {dataCenter, []string{`{"startAt":0,"total":2,"issues":[{"key":"A-1"}]}`,
			`{"startAt":1,"total":2,"issues":[]}`}, "does not advance"},
		"no total": {dataCenter, []string{`{"startAt":0,"issues":[{"key":"A-1"}]}`}, "how many issues"},
		"two pages": {dataCenter, []string{`{"startAt":0,"total":2,"issues":[{"key":"A-1"}]}`,
			`{"startAt":1,"total":2,"issues":[{"key":"A-2"}]}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(c.pages[min(n, len(c.pages)-1)]))
				n++
			}))
			defer s.Close()
			client, err := rest.New(rest.Options{BaseURL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			r := &reader{server: &serverBlock{Deployment: c.deployment}, rest: client, verb: &atomic.Value{}}
			err = r.search(t.Context(), []string{"A-1", "A-2"}, map[string]issueSeen{})
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
