package connect_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// server returns the declaration of a server at an address, with a host block if local.
func server(url string, local bool) *schema.Resource {
	v := map[string]cty.Value{
		"url": cty.StringVal(url), "user": cty.StringVal("u"), "password": cty.StringVal("p"),
		"request_timeout": cty.StringVal("2s"),
	}
	if local {
		v["host"] = cty.ObjectVal(map[string]cty.Value{"local": cty.True})
	}
	return &schema.Resource{
		Addr: schema.Addr{Kind: schema.Server, Type: "teamwork_cloud", Name: "a"}, Value: cty.ObjectVal(v),
	}
}

// TestAnswers checks that any answer counts, but not that of a gateway without a server behind it, or silence.
func TestAnswers(t *testing.T) {
	for status, want := range map[int]bool{
		http.StatusOK: true, http.StatusNotFound: true, http.StatusForbidden: true, http.StatusInternalServerError: true,
		http.StatusBadGateway: false, http.StatusServiceUnavailable: false, http.StatusGatewayTimeout: false,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		got, err := connect.NewSessions(driver.Env{}).Answers(t.Context(), server(s.URL, false))
		s.Close()
		if got != want || err != nil {
			t.Errorf("%d: %v, %v; want %v", status, got, err, want)
		}
		if got, err := connect.NewSessions(driver.Env{}).Answers(t.Context(), server(s.URL, false)); got || err != nil {
			t.Errorf("a closed port: %v, %v", got, err)
		}
	}
}

// TestHost checks that a server without a host block has no machine, and that a machine is connected to once.
func TestHost(t *testing.T) {
	s := connect.NewSessions(driver.Env{})
	for _, r := range []*schema.Resource{nil, server("https://a.example", false)} {
		if h, err := s.Host(r); h != nil || err != nil {
			t.Errorf("%v has the machine %v, %v", r, h, err)
		}
	}
	r := server("https://a.example", true)
	one, err := s.Host(r)
	if err != nil || one == nil {
		t.Fatalf("%v, %v", one, err)
	}
	if two, err := s.Host(r); two != one || err != nil {
		t.Errorf("it is reached twice: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHostOfAnotherSite checks that this machine is not used as that of another site's server.
func TestHostOfAnotherSite(t *testing.T) {
	r := server("https://a.example", true)
	r.Site, r.Elsewhere = "b", true
	s := connect.NewSessions(driver.Env{})
	if h, err := s.Host(r); h != nil || !errors.Is(err, declare.ErrElsewhere) {
		t.Errorf("%v, %v", h, err)
	}
}

// TestNotDeclared checks that a server that is no longer declared is an error, without any request.
func TestNotDeclared(t *testing.T) {
	s := connect.NewSessions(driver.Env{})
	if _, err := s.Reader(nil); err == nil {
		t.Error("a server that is not declared is read")
	}
	if _, err := s.Writer(nil); err == nil {
		t.Error("a server that is not declared is written to")
	}
}
