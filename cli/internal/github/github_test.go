package github

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// served returns a repository at a server that answers with answer.
func served(t *testing.T, answer http.HandlerFunc) *Repository {
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return &Repository{API: s.URL, Name: "acme/plants", Token: "secret-token"}
}

type object = map[string]any

func write(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

// TestPages checks that a comment is found on any page. An endless list is an error, and nothing is written then.
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

// TestMergedAs checks that a pull request that was merged by rebase is found by its last commit, and that an open one
// does not count.
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

// TestErrors checks that errors do not contain the token. An answer that is not JSON is an error, and so is a redirect
// of a request that writes.
func TestErrors(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"status":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"message": "no"}`, http.StatusForbidden) },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"redirect": func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "http://plain.example/", http.StatusFound)
		},
		"a part": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			write(w, []any{})
		},
		"a range": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-1/5")
			write(w, []any{})
		},
		"many values": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("[" + strings.Repeat("{},", 3_000_000) + "{}]"))
		},
		"data of many values": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"data": [` + strings.Repeat("{},", 3_000_000) + "{}]}"))
		},
	} {
		r := served(t, answer)
		_, _, err := r.Approved(t.Context(), 1)
		if err == nil || errors.Is(err, ErrNotApproved) || strings.Contains(err.Error(), r.Token) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.graph(t.Context(), "", nil); err == nil {
			t.Errorf("%s: it is taken", name)
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

// TestAddressesOfFiles checks that no error contains the address of a file, which is the key to it.
func TestAddressesOfFiles(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, to := range []string{closed.URL + "/file?sig=key-to-it", "http://plain.example/file?sig=key-to-it"} {
		r := served(t, func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, to, http.StatusFound) })
		_, err := r.call(t.Context(), http.MethodGet, "/file", nil)
		if err == nil || strings.Contains(err.Error(), "key-to-it") {
			t.Error(err)
		}
	}
}

// TestTokenStays checks that the token is sent only to the interface: not to another port of its machine or to a
// subdomain, where somebody else may listen.
func TestTokenStays(t *testing.T) {
	var got []string
	note := func(name string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			got = append(got, name+" "+q.Header.Get("Authorization"))
			then(w, q)
		}
	}
	other := served(t, note("other", func(w http.ResponseWriter, _ *http.Request) { write(w, []any{}) }))
	r := served(t, note("own", func(w http.ResponseWriter, q *http.Request) {
		to := other.API + "/x"
		if !strings.HasSuffix(q.URL.Path, "/again") {
			to = "/again"
		}
		http.Redirect(w, q, to, http.StatusFound)
	}))
	if _, err := r.MergedAs(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"own Bearer " + r.Token, "own Bearer " + r.Token, "other "}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	first := httptest.NewRequest(http.MethodGet, "https://api.example/x", nil)
	for to, kept := range map[string]bool{"https://api.example/y": true, "https://a.api.example/y": false,
		"https://api.example:8443/y": false, "https://example/y": false} {
		next := httptest.NewRequest(http.MethodGet, to, nil)
		next.Header.Set("Authorization", "x")
		if err := redirect(next, []*http.Request{first}); err != nil || (next.Header.Get("Authorization") != "") != kept {
			t.Errorf("%s: %v, %v", to, next.Header, err)
		}
	}
}

// TestApproved checks that a review counts only if it is known that only its author has written it. A review without
// an author, or of somebody whom the repository does not know, is ignored.
func TestApproved(t *testing.T) {
	hash := "sha256:" + strings.Repeat("a", 64)
	ada, mallory := object{"login": "ada", "type": "User"}, object{"login": "mallory", "type": "User"}
	edits := func(all ...any) any {
		out := []any{}
		for _, e := range all {
			out = append(out, map[string]any{"editor": e})
		}
		return map[string]any{"totalCount": len(all), "nodes": out}
	}
	const then = "2027-01-02T03:04:05Z"
	for name, c := range map[string]struct {
		change map[string]any // nil: the member is not there
		counts bool
	}{
		"as it was written": {nil, true},
		"edited by its author": {map[string]any{"editor": ada, "lastEditedAt": then, "includesCreatedEdit": true,
			"userContentEdits": edits(ada)}, true},
		"edited by its author, and who knows": {map[string]any{"editor": ada, "lastEditedAt": then}, false},
		"every edit is Ada's": {
			map[string]any{"editor": ada, "lastEditedAt": then, "userContentEdits": edits(ada, ada)}, true,
		},
		"edited by another": {map[string]any{"editor": mallory, "lastEditedAt": then}, false},
		"by another, then Ada": {
			map[string]any{"editor": ada, "userContentEdits": edits(ada, mallory, ada)}, false,
		},
		"by one who is gone":  {map[string]any{"lastEditedAt": then}, false},
		"edited, nobody says": {map[string]any{"includesCreatedEdit": true}, false},
		"an edit of nobody":   {map[string]any{"editor": ada, "userContentEdits": edits(ada, nil)}, false},
		"edits that are hidden": {
			map[string]any{"editor": ada, "userContentEdits": object{"totalCount": 2}}, false,
		},
		"another text":    {map[string]any{"body": "sha256:" + strings.Repeat("b", 64)}, false},
		"another author":  {map[string]any{"author": mallory}, false},
		"no author":       {map[string]any{"author": json.RawMessage("null")}, false},
		"author missing":  {map[string]any{"author": nil}, false},
		"editor missing":  {map[string]any{"editor": nil}, false},
		"time missing":    {map[string]any{"lastEditedAt": nil}, false},
		"created missing": {map[string]any{"includesCreatedEdit": nil}, false},
		"edits missing":   {map[string]any{"userContentEdits": nil}, false},
	} {
		null := json.RawMessage("null")
		node := object{"author": ada, "editor": null, "lastEditedAt": null, "includesCreatedEdit": false, "body": hash,
			"userContentEdits": null}
		for member, v := range c.change {
			node[member] = v
			if v == nil {
				delete(node, member)
			}
		}
		r := served(t, func(w http.ResponseWriter, q *http.Request) {
			switch q.URL.Path {
			case "/api/graphql":
				write(w, object{"data": object{"node": node}})
			case "/api/v3/repos/acme/plants/pulls/7/reviews":
				of := func(user any) object {
					return object{"node_id": "R_1", "state": "APPROVED", "body": hash, "user": user}
				}
				write(w, []any{of(ada), of(object{"login": "some[bot]", "type": "Bot"}), of(nil)})
			case "/api/v3/repos/acme/plants/collaborators/ada/permission":
				write(w, object{"permission": "write"})
			default:
				http.NotFound(w, q)
			}
		})
		r.API += "/api/v3"
		got, _, err := r.Approved(t.Context(), 7)
		if c.counts && (got != hash || err != nil) || !c.counts && !errors.Is(err, ErrNotApproved) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestNamesOfLines: a login with a line break writes no line of its own, whether a reviewer's or an editor's.
func TestNamesOfLines(t *testing.T) {
	hash, bad := "sha256:"+strings.Repeat("a", 64), object{"login": "x\n::add-path::y", "type": "User"}
	ada := object{"login": "ada", "type": "User"}
	for name, c := range map[string]struct{ author, editor object }{"author": {bad, ada}, "editor": {ada, bad}} {
		r := served(t, func(w http.ResponseWriter, q *http.Request) {
			switch {
			case strings.HasSuffix(q.URL.Path, "/graphql"):
				write(w, object{"data": object{"node": object{"author": c.author, "editor": c.editor, "lastEditedAt": "2027",
					"includesCreatedEdit": true, "body": hash, "userContentEdits": object{"totalCount": 0, "nodes": []any{}}}}})
			case strings.HasSuffix(q.URL.Path, "/reviews"):
				write(w, []any{object{"node_id": "R_1", "state": "APPROVED", "body": hash, "user": c.author}})
			default:
				write(w, object{"permission": "write"})
			}
		})
		if _, _, err := r.Approved(t.Context(), 7); !errors.Is(err, ErrNotApproved) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q", name, err)
		}
	}
}

// TestArtifact checks that wrong artifacts are skipped, and the right one is found on any page. Artifacts of forks and
// expired ones are not read.
func TestArtifact(t *testing.T) {
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		id, isZip := strings.CutSuffix(strings.TrimPrefix(q.URL.Path, "/repos/acme/plants/actions/artifacts/"), "/zip")
		if isZip {
			switch id {
			case "50":
				_, _ = w.Write([]byte("rubbish"))
				return
			case "51":
				_, _ = w.Write(make([]byte, mostOfAnswer+1))
				return
			case "52":
				_, _ = w.Write([]byte(strings.Repeat("[", 1000)))
				return
			case "53":
				t.Error("an artifact that is too large, as the list says, is read")
			}
			z := zip.NewWriter(w)
			f, err := z.Create("plan")
			if err == nil {
				_, err = f.Write([]byte(id))
			}
			if err = errors.Join(err, z.Close()); err != nil {
				t.Error(err)
			}
			return
		}
		all := []any{object{"id": 0, "name": "n", "expired": true}, object{"id": 1, "name": "n",
			"workflow_run": object{"repository_id": 5, "head_repository_id": 6}}}
		for n := len(all); n < 104; n++ {
			all = append(all, object{"id": n, "name": "n", "size_in_bytes": 1})
		}
		all[53] = object{"id": 53, "name": "n", "size_in_bytes": mostOfAnswer + 1}
		page, _ := strconv.Atoi(q.URL.Query().Get("page"))
		write(w, object{"artifacts": all[(page-1)*perPage : min(len(all), page*perPage)]})
	})
	right := func(text []byte) error {
		if n, err := strconv.Atoi(string(text)); err != nil || n < 102 {
			return errors.New("another one")
		}
		return nil
	}
	text, skipped, err := r.Artifact(t.Context(), "n", "plan", right)
	if string(text) != "102" || len(skipped) != 100 || err != nil {
		t.Errorf("%q, %d, %v", text, len(skipped), err)
	}
	text, skipped, err = r.Artifact(t.Context(), "n", "plan", func([]byte) error { return errors.New("wrong") })
	if text != nil || len(skipped) != 102 || err != nil {
		t.Errorf("%q, %d, %v", text, len(skipped), err)
	}
}

// TestShortPages checks that a list is read to its end, even if a page has fewer items than asked for: an approval that
// is taken back on a later one does not count.
func TestShortPages(t *testing.T) {
	hash := "sha256:" + strings.Repeat("a", 64)
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		of := func(state string) []any {
			return []any{object{"node_id": "R_1", "state": state, "body": hash, "user": object{"login": "ada", "type": "User"}}}
		}
		switch {
		case !strings.HasSuffix(q.URL.Path, "/reviews"):
			write(w, object{"permission": "write", "data": object{"node": object{"author": object{"login": "ada"},
				"editor": nil, "lastEditedAt": nil, "includesCreatedEdit": false, "body": hash, "userContentEdits": nil}}})
		case q.URL.Query().Get("page") == "1":
			w.Header().Set("Link", `<https://api.example/x?page=9>; rel="last", <https://api.example/x?page=2>; rel="next"`)
			write(w, of("APPROVED"))
		default:
			w.Header().Set("Link", `<https://api.example/x?page=1>; rel="prev"`)
			write(w, of("CHANGES_REQUESTED"))
		}
	})
	if hash, _, err := r.Approved(t.Context(), 7); !errors.Is(err, ErrNotApproved) {
		t.Errorf("%q, %v", hash, err)
	}
}

// TestPrograms checks that only a person approves, whatever a program may do: a job of the pull request is one. Whoever
// is not said to be a person is none.
func TestPrograms(t *testing.T) {
	hash := "sha256:" + strings.Repeat("a", 64)
	for kind, counts := range map[string]bool{"User": true, "Bot": false, "Mannequin": false, "": false} {
		who := object{"login": "ada", "type": kind}
		if kind == "" {
			delete(who, "type")
		}
		r := served(t, func(w http.ResponseWriter, q *http.Request) {
			if strings.HasSuffix(q.URL.Path, "/reviews") {
				write(w, []any{object{"node_id": "R_1", "state": "APPROVED", "body": hash, "user": who}})
				return
			}
			write(w, object{"permission": "write", "data": object{"node": object{"author": who, "editor": nil,
				"lastEditedAt": nil, "includesCreatedEdit": false, "body": hash, "userContentEdits": nil}}})
		})
		if got, _, err := r.Approved(t.Context(), 7); (got == hash) != counts || errors.Is(err, ErrNotApproved) == counts {
			t.Errorf("%q: %q, %v", kind, got, err)
		}
	}
}

// TestGreatLists checks that a list, a message and a search have bounds: others may write comments, and store artifacts
// of any name.
func TestGreatLists(t *testing.T) {
	body := strings.Repeat("x", 200_000)
	var asked atomic.Int32
	r := served(t, func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		switch {
		case strings.HasSuffix(q.URL.Path, "/comments"):
			var page []any
			for id := range perPage {
				page = append(page, object{"id": id, "body": body})
			}
			write(w, page)
		default:
			w.WriteHeader(http.StatusForbidden)
			write(w, object{"message": body})
		}
	})
	if err := r.PutComment(t.Context(), 7, "me", "mark", "new"); err == nil || asked.Load() > 5 {
		t.Errorf("%d, %v", asked.Load(), err)
	}
	if _, err := r.MergedAs(t.Context(), "c"); err == nil || len(err.Error()) > 1000 {
		t.Errorf("a message is shown whole: %v", len(err.Error()))
	}
}

// waiting answers requests without a network, so that a bubble of synctest has the time.
type waiting http.HandlerFunc

func (h waiting) RoundTrip(q *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, q)
	if err := q.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// TestManyArtifacts checks that all requests for an artifact together have a time.
func TestManyArtifacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := &Repository{API: "https://api.example", Name: "acme/plants", Transport: waiting(func(w http.ResponseWriter,
			q *http.Request) {
			asked++
			if strings.HasSuffix(q.URL.Path, "/zip") {
				time.Sleep(patience/50 + time.Millisecond) // the last one ends too late
				return
			}
			var page []any
			for id := range perPage {
				page = append(page, object{"id": id, "name": "n"})
			}
			write(w, object{"artifacts": page})
		})}
		text, skipped, err := r.Artifact(t.Context(), "n", "plan", func([]byte) error { return nil })
		if text != nil || len(skipped) != 50 || asked != 51 || err != nil {
			t.Errorf("%d are skipped, %d asked for, %v", len(skipped), asked, err)
		}
	})
}

// TestManyArtifactsOfForks checks that lists without an end hide a plan, and stop nobody.
func TestManyArtifactsOfForks(t *testing.T) {
	r := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<https://api.example/x?page=2>; rel="next"`)
		write(w, object{"artifacts": []any{object{"id": 1, "name": "n",
			"workflow_run": object{"repository_id": 5, "head_repository_id": 6}}}})
	})
	text, skipped, err := r.Artifact(t.Context(), "n", "plan", func([]byte) error { return nil })
	if text != nil || len(skipped) != 1 || err != nil {
		t.Errorf("%q, %v, %v", text, skipped, err)
	}
}

// TestManyReviews checks that all requests about the reviews together have a time.
func TestManyReviews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Repository{API: "https://api.example", Name: "acme/plants", Transport: waiting(func(w http.ResponseWriter,
			q *http.Request) {
			if !strings.HasSuffix(q.URL.Path, "/reviews") {
				time.Sleep(patience/10 + time.Millisecond)
				write(w, object{"permission": "read"})
				return
			}
			var page []any
			for n := range perPage {
				page = append(page, object{"state": "APPROVED", "body": "sha256:" + strings.Repeat("a", 64),
					"user": object{"login": "u" + strconv.Itoa(n), "type": "User"}})
			}
			if q.URL.Query().Get("page") != "1" {
				page = nil
			}
			write(w, page)
		})}
		begun := time.Now()
		_, _, err := r.Approved(t.Context(), 7)
		if err == nil || errors.Is(err, ErrNotApproved) || time.Since(begun) < ofReviews*patience {
			t.Errorf("want an end, got %v", err)
		}
	})
}
