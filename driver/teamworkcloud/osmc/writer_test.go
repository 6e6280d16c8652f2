package osmc

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

func TestCreateCategory(t *testing.T) {
	const listed = `[[{"@id":"w1"},{"dcterms:title":"From ACME","kerml:resources":[]}],[{"@id":"w2"},` +
		`{"dcterms:title":"From ACME","kerml:parentID":"w1","kerml:resources":[]}]]`
	for _, c := range []struct {
		name, parent, location, body, list string
		want                               string // the ID, or words of the error
	}{
		{"From ACME", "", "https://h:8111/osmc/workspaces/w9", "", "", "w9"},
		{"From ACME", "w1", "/osmc/workspaces/w9/resources", "", "", "w9"},
		{"From ACME", "", "", `[{"@id":""},{"@id":{"@id":"#it"},"ID":"w9","dcterms:title":"From ACME"}]`, "", "w9"},
		{"From ACME", "", "", `{"@id":"https://h/osmc/workspaces/w9"}`, "", "w9"},
		{"From ACME", "", "", `"w9"`, "", "w9"},
		// as in the specification
		{"From ACME", "", "", `[{"@id":""},{"@id":{"@id":"#it"},"dcterms:title":"From ACME"}]`, listed, "w1"},
		{"From ACME", "w1", "", ``, listed, "w2"},
		{"From ACME", "w1", "", `created`, listed, "w2"},
		{"Other", "", "", ``, listed, "which it is could not be found out: the server has 0 categories of that name there"},
		{"Other", "", "", ``, `{}`, "has no ldp:contains"},
		{"Other", "", "", `<html><title>Welcome</title></html>`, listed, `an HTML page titled "Welcome"`},
	} {
		var sent []map[string]any
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/osmc/login":
				w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
				w.WriteHeader(http.StatusNoContent)
			case r.Method == http.MethodPost:
				if err := json.NewDecoder(r.Body).Decode(&sent); err != nil ||
					r.Header.Get("Content-Type") != "application/ld+json" {
					t.Errorf("sent %v as %s", err, r.Header.Get("Content-Type"))
				}
				if c.location != "" {
					w.Header().Set("Location", c.location)
				}
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, c.body)
			default:
				_, _ = io.WriteString(w, c.list)
			}
		})
		got, err := s.client(nil).Writer().CreateCategory(t.Context(), c.name, c.parent, nil)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) || WasSent(err) != rest.SentYes {
				t.Errorf("%+v: got %v", c, err)
			}
		} else if got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
		if len(sent) != 2 || sent[1][title] != c.name || s.count("POST") != 1 {
			t.Errorf("sent %v", sent)
		}
		if parent, there := sent[1]["kerml:parentID"]; there != (c.parent != "") || there && parent != c.parent {
			t.Errorf("sent %v", sent)
		}
	}
}

func TestGrantCategoryRole(t *testing.T) {
	for _, c := range []struct {
		release Release
		old     bool // the server accepts only text
		want    string
		tries   int
	}{
		{Release{2022, 2, 3}, true, "text/plain anna", 1},
		{Release{2024, 0, 3}, true, "text/plain anna", 1},
		{SyncTLS2024R1, false, `application/json ["anna"]`, 1},
		{KeepsNumbers2026, false, `application/json ["anna"]`, 1},
		{Release{}, false, `application/json ["anna"]`, 1},
		{Release{}, true, "text/plain anna", 2},
	} {
		got := ""
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/osmc/login":
				w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
				w.WriteHeader(http.StatusNoContent)
			case c.old && r.Header.Get("Content-Type") != "text/plain":
				w.WriteHeader(http.StatusUnsupportedMediaType)
			default:
				b, _ := io.ReadAll(r.Body)
				got = r.Header.Get("Content-Type") + " " + string(b)
				w.WriteHeader(http.StatusCreated)
			}
		})
		err := s.client(nil).Writer().GrantCategoryRole(t.Context(), "w1", "r1", "anna", c.release)
		if err != nil || got != c.want || s.count("POST /osmc/workspaces/w1/roles/r1/users") != c.tries {
			t.Errorf("%v: sent %q, %v, %v", c.release, got, s.requests, err)
		}
	}
}

// TestWritesThatFail checks that every failure says how far the request got. Nothing is sent twice that may have been
// carried out.
func TestWritesThatFail(t *testing.T) {
	write := func(answer http.HandlerFunc, do func(Writer) error) (*server, error) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/osmc/login" {
				w.Header().Set("Set-Cookie", sessionCookie+"=0123456789")
				w.WriteHeader(http.StatusNoContent)
				return
			}
			answer(w, r)
		})
		return s, do(s.client(nil).Writer())
	}
	grant := func(w Writer) error { return w.GrantCategoryRole(t.Context(), "w1", "r1", "anna", KeepsNumbers2026) }
	create := func(w Writer) error { _, err := w.CreateCategory(t.Context(), "x", "", nil); return err }
	for _, do := range []func(Writer) error{grant, create} {
		for _, c := range []struct {
			answer http.HandlerFunc
			want   rest.Sent
		}{
			{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, rest.SentMaybe},
			{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, rest.SentYes},
			{func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, rest.SentYes},
		} {
			s, err := write(c.answer, do)
			if err == nil || WasSent(err) != c.want || s.count("POST") != 1 {
				t.Errorf("got %v, sent %v, %v", err, WasSent(err), s.requests)
			}
		}
	}
	for _, do := range []func(Writer) error{
		func(w Writer) error { return w.GrantCategoryRole(t.Context(), "w1", "r1", "a,b", MultiHop2022R2) },
		func(w Writer) error { return w.GrantCategoryRole(t.Context(), "w1", "r1", "", KeepsNumbers2026) },
		func(w Writer) error { _, err := w.CreateCategory(t.Context(), " ", "", nil); return err },
		func(w Writer) error { return w.GrantCategoryRole(t.Context(), "..", "r1", "anna", KeepsNumbers2026) },
	} {
		s, err := write(nil, do)
		if err == nil || WasSent(err) != rest.SentNo || s.count("POST") != 0 {
			t.Errorf("got %v, sent %v, %v", err, WasSent(err), s.requests)
		}
	}
	// The category was created, whatever happened to the question which one it is.
	_, err := write(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}, create)
	if err == nil || WasSent(err) != rest.SentYes || IsGone(err) || !strings.Contains(err.Error(),
		`category "x" was created`) {
		t.Errorf("got %v, sent %v", err, WasSent(err))
	}
}
