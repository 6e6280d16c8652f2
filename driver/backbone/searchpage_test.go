package backbone

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

// TestIncompleteSearch checks that an answer that does not advance, or does not say that it is complete, is an error.
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

// TestEndlessSearch checks that a server that always names another page is not followed forever, and that a page
// cannot lead to another server.
func TestEndlessSearch(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("another server was asked")
	}))
	defer elsewhere.Close()
	for deployment, page := range map[string]string{
		cloud: `{"issues":[],"nextPageToken":"%[1]d","self":"%[2]s","nextPage":"%[2]s"}`,
		dataCenter: `{"startAt":%[1]d,"total":1000000,"self":"%[2]s","nextPage":"%[2]s",` +
			`"issues":[{"key":"B-1","self":"%[2]s"}]}`,
	} {
		n := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, page, n, elsewhere.URL)
			n++
		}))
		client, err := rest.New(rest.Options{BaseURL: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{server: &serverBlock{Deployment: deployment}, rest: client, verb: &atomic.Value{}}
		err = r.search(t.Context(), []string{"A-1"}, map[string]issueSeen{})
		if err == nil || n != mostPages+1 {
			t.Errorf("%s: %v after %d pages", deployment, err, n)
		}
		s.Close()
	}
}

// TestKeysAreNoSearch checks that a key that another server has exported is only used as a key in a search.
func TestKeysAreNoSearch(t *testing.T) {
	t.Parallel()
	var searched, asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if jql := r.URL.Query().Get("jql"); jql != "" {
			searched = append(searched, jql)
			_, _ = w.Write([]byte(`{"startAt":0,"total":1,"issues":[{"key":"A-1","fields":{"summary":"a"}}]}`))
			return
		}
		asked = append(asked, r.URL.EscapedPath())
		_, _ = w.Write([]byte(`{"key":"HR-1"}`)) // another one's
	}))
	defer s.Close()
	client, err := rest.New(rest.Options{BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{server: &serverBlock{Deployment: dataCenter}, rest: client, verb: &atomic.Value{}}
	odd := []string{"A-1) OR project in (HR", "A-1,HR-2", `A-1" OR "x`, "A-1\\n", "x", "A-1/comment?x=", " A-2"}
	found, err := r.issues(t.Context(), append([]string{"A-1", "AB_2-34"}, odd...))
	if err != nil || len(found) != 1 || found["A-1"].summary == nil ||
		!slices.Equal(searched, []string{"key in (A-1,AB_2-34)"}) {
		t.Errorf("%v, %v, searched for %q", found, err, searched)
	}
	for _, path := range asked {
		if rest := strings.TrimPrefix(path, "/rest/api/2/issue/"); rest == path || strings.Contains(rest, "/") {
			t.Errorf("asked for %s", path)
		}
	}
}
