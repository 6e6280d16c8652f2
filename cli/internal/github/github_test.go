package github

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// served is a repository at a server that answers so.
func served(t *testing.T, answer http.HandlerFunc) *Repository {
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return &Repository{API: s.URL, Name: "acme/plants", Token: "secret-token"}
}

func write(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

// TestPages: a comment is found on whatever page it stands; a list without end is an error, and nothing is written.
func TestPages(t *testing.T) {
	total, wrote := 250, ""
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodGet {
			wrote = q.Method + " " + q.URL.Path
			write(w, struct{}{})
			return
		}
		n, _ := strconv.Atoi(q.URL.Query().Get("page"))
		var out []any
		for id := (n-1)*perPage + 1; id <= min(n*perPage, total); id++ {
			body := "x"
			if id == 234 {
				body = "mark, and more"
			}
			out = append(out, map[string]any{"id": id, "body": body, "user": map[string]string{"login": "me"}})
		}
		write(w, out)
	})
	if err := r.PutComment(t.Context(), 7, "me", "mark", "new"); err != nil ||
		wrote != "PATCH /repos/acme/plants/issues/comments/234" {
		t.Errorf("%q, %v", wrote, err)
	}
	total, wrote = 1<<40, ""
	if err := r.PutComment(t.Context(), 7, "somebody else", "mark", "new"); err == nil || wrote != "" {
		t.Errorf("%q, %v", wrote, err)
	}
}

// TestMergedAs: a pull request that was rebased is found by its last commit, and an open one is none.
func TestMergedAs(t *testing.T) {
	merged := "2027-01-02T03:04:05Z"
	for name, c := range map[string]struct {
		pulls []map[string]any
		want  int
	}{
		"none":    {nil, 0},
		"open":    {[]map[string]any{{"number": 1, "merged_at": nil, "merge_commit_sha": "c"}}, 0},
		"rebased": {[]map[string]any{{"number": 2, "merged_at": merged, "merge_commit_sha": "d"}}, 2},
		"two": {[]map[string]any{{"number": 3, "merged_at": merged, "merge_commit_sha": "d"},
			{"number": 4, "merged_at": merged, "merge_commit_sha": "c"}}, 4},
	} {
		r := served(t, func(w http.ResponseWriter, _ *http.Request) { write(w, c.pulls) })
		if got, err := r.MergedAs(t.Context(), "c"); got != c.want || err != nil {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

// TestErrors: what is wrong is said without the token; an answer that is not JSON is an error, and so is one that sends
// what writes elsewhere.
func TestErrors(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"status":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"message": "no"}`, http.StatusForbidden) },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"redirect": func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "http://plain.example/", http.StatusFound)
		},
	} {
		r := served(t, answer)
		_, _, err := r.Approved(t.Context(), 1)
		if err == nil || strings.Contains(err.Error(), r.Token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodGet {
			write(w, []any{})
			return
		}
		http.Redirect(w, q, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if err := r.PutComment(t.Context(), 1, "me", "mark", "x"); err == nil {
		t.Error("a request that writes was redirected")
	}
	for _, bad := range []Repository{
		{API: "http://api.example", Name: "a/b", Token: "t"}, {API: "https://api.example", Name: "a/b/../c", Token: "t"},
		{API: "https://api.example", Name: "a/b"}, {API: "https://u:p@api.example", Name: "a/b", Token: "t"},
		{API: "", Name: "a/b", Token: "t"},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if good := (&Repository{API: "https://api.example/api/v3", Name: "a/b", Token: "t"}); good.Check() != nil {
		t.Error(good.Check())
	}
}
