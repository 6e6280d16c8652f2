package osmc

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLinksThatLeadElsewhere checks that links in an answer are only names. They are never followed: their targets get
// neither a request nor credentials.
func TestLinksThatLeadElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("another server was asked")
	}))
	defer elsewhere.Close()
	s := newSessions(t)
	s.after = func(w http.ResponseWriter, _ *http.Request) {
		link := elsewhere.URL + "/osmc/resources/a"
		_, _ = fmt.Fprintf(w, `{"@base":%[1]q,"@id":%[1]q,"self":%[1]q,"nextPage":%[1]q,"kerml:resources":[{"@id":%[1]q}],`+
			`"ldp:contains":[{"@id":%[1]q,"@base":%[1]q}]}`, link)
	}
	c := s.client(nil)
	ids, err := c.Reader().CategoryResources(t.Context(), "c", false)
	if err != nil || len(ids) != 1 || ids[0] != "a" {
		t.Errorf("%v, %v", ids, err)
	}
	if _, err := c.Reader().Resources(t.Context(), false); err == nil {
		t.Error("a resource without a title passes for one")
	}
}

// TestCookiesThatAreNotKept checks that cookies are stored only for their own server, within limits.
func TestCookiesThatAreNotKept(t *testing.T) {
	for line, kept := range map[string]bool{
		"a=1":                            true,
		"a=1; Domain=twc.example":        true,
		"a=1; domain=.example":           true,
		"a=1; Domain=TWC.example":        true,
		"a=1; Domain=":                   true,
		"a=1; Domain=evil.example":       false,
		"a=1; Domain=x.twc.example":      false,
		"a=1; Path=/; Domain=c.example":  false,
		"a=" + strings.Repeat("x", 5000): false,
		"a=1\x1b":                        false,
	} {
		if _, _, ok := parseCookie(line, "twc.example"); ok != kept {
			t.Errorf("%.40q: kept: %v", line, ok)
		}
	}
	s := newSessions(t)
	most := 0
	s.after = func(w http.ResponseWriter, r *http.Request) {
		most = max(most, len(r.Cookies()))
		for i := range 100 {
			w.Header().Add("Set-Cookie", fmt.Sprintf("c%d=1", i))
		}
		_, _ = io.WriteString(w, `["anna"]`)
	}
	c := s.client(nil)
	for range 3 {
		if _, err := c.Reader().LoggedIn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if most != mostCookies {
		t.Errorf("%d cookies were sent", most)
	}
}
