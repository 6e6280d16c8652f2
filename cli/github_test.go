package cli_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// gitHub is as much of GitHub as jobs use: comments and reviews of pull requests, who may write, and artifacts.
type gitHub struct {
	mu        sync.Mutex
	comments  []*gitHubComment
	reviews   []map[string]any
	may       map[string]string // permissions
	merged    map[string]int    // pull requests, by the commit that they were merged as
	artifacts []gitHubArtifact
	writes    int
	wrong     []string // requests that are not as they should be
}

type gitHubComment struct {
	ID   int               `json:"id"`
	Pull int               `json:"-"`
	Body string            `json:"body"`
	User map[string]string `json:"user"`
}

type gitHubArtifact struct {
	name string
	zip  []byte
}

const (
	gitHubToken = "ghs_of-the-job"
	gitHubName  = "acme/plants"
)

func (g *gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Method != http.MethodGet {
		g.writes++
	}
	if r.Method == http.MethodConnect { // a proxy that quotes its password
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, encoded, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
			said, _ := base64.StdEncoding.DecodeString(encoded)
			fmt.Fprintf(conn, "HTTP/1.1 407 you said %s, %s\r\n\r\n", said, encoded)
			_ = conn.Close()
		}
		return
	}
	if r.URL.Path == "/blob" { // another host, which must not get the token
		if r.Header.Get("Authorization") != "" {
			g.wrong = append(g.wrong, "the token was sent to another host")
		}
		id, _ := strconv.Atoi(r.URL.Query().Get("id"))
		_, _ = w.Write(g.artifacts[id].zip)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+gitHubToken {
		sent := r.Header.Get("Authorization") // quoted, as a careless server does
		w.WriteHeader(http.StatusUnauthorized)
		answer(w, map[string]string{"message": "Bad credentials: " + sent + hex.EncodeToString([]byte(sent))})
		return
	}
	g.mux().ServeHTTP(w, r)
}

func (g *gitHub) mux() *http.ServeMux {
	m := http.NewServeMux()
	repo := "/repos/" + gitHubName
	m.HandleFunc("GET "+repo+"/issues/{n}/comments", func(w http.ResponseWriter, r *http.Request) {
		var out []any
		for _, c := range g.comments {
			if strconv.Itoa(c.Pull) == r.PathValue("n") {
				out = append(out, c)
			}
		}
		page(w, r, out)
	})
	m.HandleFunc("POST "+repo+"/issues/{n}/comments", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		c := &gitHubComment{ID: len(g.comments) + 1, Pull: n, Body: body(r), User: login("github-actions[bot]")}
		g.comments = append(g.comments, c)
		w.WriteHeader(http.StatusCreated)
		answer(w, c)
	})
	m.HandleFunc("PATCH "+repo+"/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		g.comments[id-1].Body = body(r)
		answer(w, g.comments[id-1])
	})
	m.HandleFunc("GET "+repo+"/pulls/{n}/reviews", func(w http.ResponseWriter, r *http.Request) {
		var out []any
		for _, v := range g.reviews {
			out = append(out, v)
		}
		page(w, r, out)
	})
	m.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ Variables struct{ ID string } }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		g.writes-- // it only asks
		n, _ := strconv.Atoi(sent.Variables.ID)
		v := g.reviews[n]
		out := map[string]any{"author": v["user"], "editor": v["editor"], "lastEditedAt": nil, "includesCreatedEdit": false,
			"body": v["body"], "userContentEdits": nil}
		if v["editor"] != nil {
			out["lastEditedAt"], out["includesCreatedEdit"] = "2027-01-02T03:04:05Z", true
			edits := []any{map[string]any{"editor": v["editor"]}, map[string]any{"editor": v["user"]}} // and how it was made
			out["userContentEdits"] = map[string]any{"totalCount": len(edits), "nodes": edits}
		}
		answer(w, map[string]any{"data": map[string]any{"node": out}})
	})
	m.HandleFunc("GET "+repo+"/collaborators/{login}/permission", func(w http.ResponseWriter, r *http.Request) {
		may, known := g.may[r.PathValue("login")]
		if !known {
			http.Error(w, `{"message": "Not Found"}`, http.StatusNotFound)
			return
		}
		answer(w, map[string]string{"permission": may})
	})
	m.HandleFunc("GET "+repo+"/commits/{sha}/pulls", func(w http.ResponseWriter, r *http.Request) {
		var out []any
		if n := g.merged[r.PathValue("sha")]; n > 0 {
			out = append(out, map[string]any{"number": n, "merged_at": "2027-01-02T03:04:05Z",
				"merge_commit_sha": r.PathValue("sha")})
		}
		page(w, r, out)
	})
	m.HandleFunc("GET "+repo+"/actions/artifacts", func(w http.ResponseWriter, r *http.Request) {
		out := []any{}
		for i, a := range g.artifacts {
			if a.name == r.URL.Query().Get("name") {
				out = append(out, map[string]any{"id": i, "name": a.name, "expired": false})
			}
		}
		if r.URL.Query().Get("page") != "1" {
			out = nil
		}
		answer(w, map[string]any{"artifacts": out})
	})
	m.HandleFunc("GET "+repo+"/actions/artifacts/{id}/zip", func(w http.ResponseWriter, r *http.Request) {
		to := fmt.Sprintf("http://localhost:%s/blob?id=%s", portOf(r.Host), r.PathValue("id"))
		http.Redirect(w, r, to, http.StatusFound)
	})
	return m
}

func portOf(host string) string {
	_, port, _ := bytes.Cut([]byte(host), []byte(":"))
	return string(port)
}

func login(name string) map[string]string {
	kind := "User"
	if strings.HasSuffix(name, "[bot]") {
		kind = "Bot"
	}
	return map[string]string{"login": name, "type": kind}
}

func answer(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

// page answers with one page of a list.
func page(w http.ResponseWriter, r *http.Request, all []any) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	from := min(len(all), (n-1)*per)
	answer(w, all[from:min(len(all), from+per)])
}

func body(r *http.Request) string {
	var sent struct {
		Body string `json:"body"`
	}
	text, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(text, &sent)
	return sent.Body
}

// upload keeps a folder, or a file, as an artifact.
func (g *gitHub) upload(name, path string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	err := filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		w, err := z.Create(filepath.Base(at))
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.artifacts = append(g.artifacts, gitHubArtifact{name, b.Bytes()})
	return nil
}

// gitHubOf is the GitHub of a script, which is begun when it is first asked for.
func gitHubOf(ts *testscript.TestScript) *gitHub {
	at := ts.Value(gitHubKey{}).(**gitHub)
	if *at != nil {
		return *at
	}
	g := &gitHub{may: map[string]string{}, merged: map[string]int{}}
	s := httptest.NewServer(g)
	ts.Defer(func() {
		s.Close()
		for _, w := range g.wrong {
			ts.Fatalf("%s", w)
		}
	})
	ts.Setenv("GITHUB_API_URL", s.URL)
	ts.Setenv("PROXY_OF_JOB", strings.Replace(s.URL, "://", "://ada:proxy-word-7@", 1))
	ts.Setenv("GITHUB_REPOSITORY", gitHubName)
	*at = g
	return g
}

type gitHubKey struct{}

// cmdGitHub is the command github of scripts:
//
//	github event pull_request NUMBER REPOSITORY   the next job is for a pull request, with hostile names
//	github event push COMMIT [NUMBER]             the next job is for a commit that has come with a pull request
//	github review LOGIN PERMISSION STATE FILE     somebody reviews; FILE is the text; PERMISSION unknown: an answer 404
//	github edit LOGIN FILE                        somebody edits the last review
//	github artifact FILE                          somebody uploads FILE as a plan, newer than the first and named as it
//	github comment LOGIN NUMBER TEXT              somebody comments
//	github comments                               prints all comments
//	github writes N                               so many requests have written something
func cmdGitHub(ts *testscript.TestScript, _ bool, args []string) {
	g := gitHubOf(ts)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch args[0] {
	case "event":
		event := map[string]any{}
		ts.Setenv("GITHUB_EVENT_NAME", args[1])
		if args[1] == "pull_request" {
			const hostile = "x`touch pwned`$(touch pwned)';touch pwned;\"\n::set-output name=x::y"
			n, err := strconv.Atoi(args[2])
			ts.Check(err)
			event["pull_request"] = map[string]any{"number": n, "title": hostile, "body": hostile, "head": map[string]any{
				"ref": hostile, "repo": map[string]any{"full_name": args[3]}}}
			ts.Setenv("GITHUB_HEAD_REF", hostile)
			ts.Setenv("GITHUB_SHA", "0000")
		} else {
			ts.Setenv("GITHUB_HEAD_REF", "")
			ts.Setenv("GITHUB_SHA", args[2])
			if len(args) > 3 {
				n, err := strconv.Atoi(args[3])
				ts.Check(err)
				g.merged[args[2]] = n
			}
		}
		text, err := json.Marshal(event)
		ts.Check(err)
		file := filepath.Join(ts.Getenv("WORK"), ".event.json")
		ts.Check(os.WriteFile(file, text, 0o600))
		ts.Setenv("GITHUB_EVENT_PATH", file)
	case "review":
		if args[2] != "unknown" {
			g.may[args[1]] = args[2]
		}
		g.reviews = append(g.reviews, map[string]any{"user": login(args[1]), "state": args[3], "body": ts.ReadFile(args[4]),
			"node_id": strconv.Itoa(len(g.reviews))})
	case "edit":
		v := g.reviews[len(g.reviews)-1]
		v["editor"], v["body"] = login(args[1]), ts.ReadFile(args[2])
	case "artifact":
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("plan.syncplan.json")
		ts.Check(err)
		_, err = io.WriteString(w, ts.ReadFile(args[1]))
		ts.Check(errors.Join(err, z.Close()))
		g.artifacts = slices.Insert(g.artifacts, 0, gitHubArtifact{g.artifacts[0].name, b.Bytes()})
	case "comment":
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		g.comments = append(g.comments, &gitHubComment{ID: len(g.comments) + 1, Pull: n, Body: args[3], User: login(args[1])})
	case "comments":
		for _, c := range g.comments {
			fmt.Fprintf(ts.Stdout(), "== %s on %d\n%s\n", c.User["login"], c.Pull, c.Body)
		}
	case "writes":
		if n := strconv.Itoa(g.writes); n != args[1] {
			ts.Fatalf("%s requests have written something", n)
		}
	default:
		ts.Fatalf("github %s?", args[0])
	}
}
