package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver/rest"
)

// TestSessionThatNobodyUses checks that no error shows the ID of a session that a server has opened unasked, as Jira
// does for each request, wherever the server repeats it.
func TestSessionThatNobodyUses(t *testing.T) {
	const id = "0123456789ABCDEF0123456789ABCDEF"
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere;jsessionid="+id, http.StatusFound)
		},
		"error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"message": "session %s may not do this"}`, id)
		},
		"page": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "<html><title>%s</title>", strings.ToLower(id))
		},
	} {
		var logged strings.Builder
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Set-Cookie", "JSESSIONID="+id+"; Path=/; HttpOnly")
			w.Header().Add("Set-Cookie", "language=elsewhere; Path=/") // too short to be an ID
			answer(w, r)
		})
		c := connect(t, s, func(o *rest.Options) {
			o.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &logged})
		})
		_, err := c.Do(t.Context(), rest.Request{Method: http.MethodPost, Path: "x"})
		shown := strings.ToUpper(fmt.Sprint(err, logged.String()))
		if err == nil || strings.Contains(shown, id[:12]) {
			t.Errorf("%s: %s", name, shown)
		}
		if name == "redirect" && !strings.Contains(err.Error(), "/elsewhere;jsessionid=") {
			t.Errorf("more is hidden than the ID: %v", err)
		}
	}
}

// TestSessionOfARedirect checks the same of a cookie that came with a redirect that was followed.
func TestSessionOfARedirect(t *testing.T) {
	const id = "0123456789ABCDEF0123456789ABCDEF"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jira/moved" {
			w.Header().Set("Set-Cookie", "JSESSIONID="+id)
			http.Redirect(w, r, "/jira/moved", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "session "+id)
	})
	_, err := connect(t, s, nil).Do(t.Context(), rest.Request{Path: "x"})
	if !rest.IsStatus(err, http.StatusForbidden) || strings.Contains(err.Error(), id) {
		t.Error(err)
	}
}

// TestSessionBesideOtherCookies checks that the ID that was set last is known, whatever was set before it and beside
// it.
func TestSessionBesideOtherCookies(t *testing.T) {
	const id = "0123456789ABCDEF0123456789ABCDEF"
	answers := 0
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answers++
		w.Header().Add("Set-Cookie", "JSESSIONID="+id)
		for i := range 9 {
			w.Header().Add("Set-Cookie", fmt.Sprintf("other=%012d", answers*9+i))
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "session "+id)
	})
	c := connect(t, s, nil)
	for range 9 {
		if err := c.Get(t.Context(), rest.Request{Path: "x"}, nil); err == nil || strings.Contains(err.Error(), id) {
			t.Error(answers, err)
		}
	}
}
