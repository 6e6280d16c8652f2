package rest_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver/rest"
)

// TestAnswered checks that the headers of every answer are seen, also of those that http.Client follows by itself.
func TestAnswered(t *testing.T) {
	set := func(cookie string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", cookie)
			then(w, r)
		}
	}
	s := serve(t, set("a=redirect", status(307, "Location", "/jira/there")), set("b=unavailable", status(503)),
		set("c=done", ok), set("d=refused", status(403)))
	var mu sync.Mutex
	var seen []string
	c := connect(t, s, nil)
	watching := session(func(resp *http.Response) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, resp.Request.Header.Get("Cookie")+" "+resp.Header.Get("Set-Cookie"))
	})
	var v any
	if err := c.Get(t.Context(), rest.Request{Session: watching}, &v); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), rest.Request{Method: "POST", Session: watching}); !rest.IsStatus(err, 403) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"mine a=redirect", "mine b=unavailable", "mine c=done", "mine d=refused"},
		seen); diff != "" {
		t.Error(diff)
	}
}

type session func(*http.Response)

func (session) Authorize(r *http.Request)      { r.Header.Set("Cookie", "mine") }
func (s session) Answered(resp *http.Response) { s(resp) }

func TestHide(t *testing.T) {
	var log bytes.Buffer
	s := serve(t, text(400, "text/plain", "session first1 of second2 and given3"))
	c := connect(t, s, func(o *rest.Options) {
		o.Secrets = []string{"given3"}
		o.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &log})
	})
	for _, step := range []struct {
		hide []string
		want string
	}{
		{nil, "session first1 of second2 and REDACTED"},
		{[]string{"first1", ""}, "session REDACTED of second2 and REDACTED"},
		{[]string{"second2"}, "session first1 of REDACTED and REDACTED"},
	} {
		c.Hide(step.hide...)
		log.Reset()
		_, err := c.Do(t.Context(), rest.Request{})
		if err == nil || !strings.HasSuffix(err.Error(), step.want) || !strings.Contains(log.String(), step.want) {
			t.Errorf("got %v, logged %s", err, log.String())
		}
	}
}

func TestGiveUp(t *testing.T) {
	s := serve(t, text(503, "text/html", "<html><title>Status page</title><p>No Licences left</p>"))
	c := connect(t, s, nil)
	_, err := c.Do(t.Context(), rest.Request{GiveUp: func(e *rest.Error) bool {
		return e.Status == 503 &&
			e.Says("licence") && !e.Says("license")
	}})
	if !rest.IsStatus(err, 503) || s.count() != 1 {
		t.Errorf("got %v after %d requests", err, s.count())
	}
	if strings.Contains(err.Error(), "Licence") {
		t.Errorf("a page's markup shows in %v", err)
	}
	_, err = c.Do(t.Context(), rest.Request{GiveUp: func(*rest.Error) bool { return false }})
	if !rest.IsStatus(err, 503) || s.count() < 3 {
		t.Errorf("got %v after %d requests", err, s.count())
	}
}
