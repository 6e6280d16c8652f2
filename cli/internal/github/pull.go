package github

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/lazyregexp"
)

type user struct {
	Login string `json:"login"`
	Type  string `json:"type"` // "User" for a person
}

// PutComment replaces the author's comment that begins with mark, or adds a new comment to the pull request. It never
// replaces somebody else's comment, even if that begins with mark: its writer could change it later.
func (r *Repository) PutComment(ctx context.Context, pull int, author, mark, text string) error {
	type comment struct {
		ID   int64  `json:"id"`
		Body string `json:"body"`
		User user   `json:"user"`
	}
	number := strconv.Itoa(pull)
	all, err := list[comment](ctx, r, r.path("issues", number, "comments"))
	if err != nil {
		return fmt.Errorf("reading the comments of pull request %d: %w", pull, err)
	}
	send := map[string]string{"body": text}
	for _, c := range all {
		if c.User.Login == author && strings.HasPrefix(c.Body, mark) {
			_, err := r.call(ctx, http.MethodPatch, r.path("issues", "comments", strconv.FormatInt(c.ID, 10)), send)
			return err
		}
	}
	_, err = r.call(ctx, http.MethodPost, r.path("issues", number, "comments"), send)
	return err
}

// MergedAs returns the number of the pull request that brought a commit to the default branch, or 0 if there is none.
func (r *Repository) MergedAs(ctx context.Context, commit string) (int, error) {
	type pull struct {
		Number int     `json:"number"`
		Merged *string `json:"merged_at"`
		Commit string  `json:"merge_commit_sha"`
	}
	all, err := list[pull](ctx, r, r.path("commits", commit, "pulls"))
	if err != nil {
		return 0, fmt.Errorf("finding the pull request of commit %s: %w", commit, err)
	}
	for _, p := range all {
		if p.Merged != nil && p.Commit == commit {
			return p.Number, nil
		}
	}
	for _, p := range all { // merged by rebase: merge_commit_sha names only the last of its commits
		if p.Merged != nil {
			return p.Number, nil
		}
	}
	return 0, nil
}

// ErrNotApproved means that no review approves a plan.
var ErrNotApproved = errors.New("no review that approves it names the hash of a plan, by somebody who may write to " +
	"the repository")

var hashes = lazyregexp.New(`\bsha256:[0-9a-f]{64}\b`)

// logins are names of persons; an error shows them.
var logins = lazyregexp.New(`^[A-Za-z0-9_-]+$`)

type review struct {
	Node  string `json:"node_id"`
	State string `json:"state"`
	Body  string `json:"body"`
	User  user   `json:"user"` // empty if the account was deleted
}

// Approved returns the hash of the plan that is approved, and who approved it. It takes the newest review that
// approves and names a hash. A review counts only if it is its author's latest, apart from comments, if the author may
// write to the repository and is a person, and if nobody else has edited it. A review that names several hashes
// is an error, and so is a search that takes too long: everybody may write reviews of a public repository.
func (r *Repository) Approved(ctx context.Context, pull int) (hash, by string, err error) {
	const most = ofReviews * patience
	within, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	hash, by, err = r.approved(within, pull)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("it took more than %s to read the reviews of pull request %d: dismiss those that are not wanted",
			most, pull)
	}
	return hash, by, err
}

func (r *Repository) approved(ctx context.Context, pull int) (hash, by string, err error) {
	all, err := list[review](ctx, r, r.path("pulls", strconv.Itoa(pull), "reviews"))
	if err != nil {
		return "", "", fmt.Errorf("reading the reviews of pull request %d: %w", pull, err)
	}
	last := map[string]int{} // index of each author's latest review; a mere comment does not revoke an approval
	for i := range all {
		if all[i].State != "COMMENTED" && all[i].State != "PENDING" {
			last[all[i].User.Login] = i
		}
	}
	none := ErrNotApproved
	for i := len(all) - 1; i >= 0; i-- {
		v := &all[i]
		named := unique(hashes.FindAllString(v.Body, -1))
		person := v.User.Type == "User" && logins.MatchString(v.User.Login)
		if v.State != "APPROVED" || !person || last[v.User.Login] != i || len(named) == 0 {
			continue
		}
		may, err := r.mayWrite(ctx, v.User.Login)
		if err != nil {
			return "", "", err
		}
		if !may {
			continue
		}
		edited, err := r.editedByAnother(ctx, v)
		switch {
		case err != nil:
			return "", "", err
		case edited != "":
			none = fmt.Errorf("%w; the review of %s does not count: %s", none, v.User.Login, edited)
		case len(named) > 1:
			return "", "", fmt.Errorf("the review of %s approves, and names several hashes: %s", v.User.Login,
				strings.Join(named, ", "))
		default:
			return named[0], v.User.Login, nil
		}
	}
	return "", "", none
}

// whoEdited asks who has edited a review. Everybody who may write to the repository may edit everybody's reviews, and
// the REST interface does not show it.
const whoEdited = `query($id: ID!) { node(id: $id) { ... on PullRequestReview {
	author { login } editor { login } lastEditedAt includesCreatedEdit body
	userContentEdits(first: 100) { totalCount nodes { editor { login } } } } } }`

// editedByAnother returns why the text of a review may not be its author's, or "" if nobody else has edited it. If the
// answer is incomplete, the text counts as not the author's.
func (r *Repository) editedByAnother(ctx context.Context, v *review) (string, error) {
	const unknown = "it is not known who has written it"
	answer, err := r.graph(ctx, whoEdited, map[string]string{"id": v.Node})
	if err != nil {
		return "", fmt.Errorf("asking who has edited the review of %s: %w", v.User.Login, err)
	}
	var (
		data struct {
			Node map[string]json.RawMessage `json:"node"`
		}
		author, editor *user
		last           *string
		created        *bool
		body           string
		edits          struct {
			Total int                      `json:"totalCount"`
			Nodes []struct{ Editor *user } `json:"nodes"`
		}
	)
	err = json.Unmarshal(answer, &data)
	for name, to := range map[string]any{"author": &author, "editor": &editor, "lastEditedAt": &last,
		"includesCreatedEdit": &created, "body": &body, "userContentEdits": &edits} {
		// A missing field is an error: its empty text is not valid JSON.
		err = errors.Join(err, json.Unmarshal(data.Node[name], to))
	}
	if err != nil || author == nil || author.Login != v.User.Login || created == nil || edits.Total != len(edits.Nodes) ||
		!slices.Equal(hashes.FindAllString(body, -1), hashes.FindAllString(v.Body, -1)) {
		return unknown, nil
	}
	if editor == nil && last == nil && !*created && edits.Total == 0 {
		return "", nil // never edited
	}
	editors := []*user{editor}
	for _, e := range edits.Nodes {
		editors = append(editors, e.Editor)
	}
	for _, e := range editors {
		switch {
		case e == nil: // the account was deleted
			return unknown, nil
		case e.Login != author.Login:
			return wording.Message(e.Login, mostOfMessage) + " has edited it", nil
		}
	}
	if edits.Total == 0 { // it was edited, and its history is not shown
		return unknown, nil
	}
	return "", nil
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			out = append(out, s)
		}
		seen[s] = true
	}
	return out
}

func (r *Repository) mayWrite(ctx context.Context, login string) (bool, error) {
	answer, err := read[struct {
		Permission string `json:"permission"`
	}](ctx, r, r.path("collaborators", login, "permission"))
	var status *StatusError
	if errors.As(err, &status) && status.Status == http.StatusNotFound {
		return false, nil // such as a program, or a deleted account
	}
	if err != nil {
		return false, fmt.Errorf("asking what %s may do: %w", login, err)
	}
	return answer.Permission == "admin" || answer.Permission == "write", nil
}

// Artifact returns the content of file in the newest artifact with that name, from any run, that right accepts. text
// is nil if there is none, or if it has expired. Everybody may upload artifacts of any name, so the ones that right
// rejects are skipped, as are those that exceed a limit: skipped says why, also if the search was ended because it took
// too long, or found too many. Artifacts of forks are not even read.
func (r *Repository) Artifact(ctx context.Context, name, file string, right func(text []byte) error) (text []byte,
	skipped []error, err error) {
	type artifact struct {
		ID      int64  `json:"id"`
		Name    string `json:"name"`
		Expired bool   `json:"expired"`
		Size    int64  `json:"size_in_bytes"`
		Run     struct {
			Repository int64 `json:"repository_id"`
			Head       int64 `json:"head_repository_id"`
		} `json:"workflow_run"`
	}
	parent := ctx
	ctx, cancel := impatient(parent)
	defer cancel()
	err = pages(ctx, r, r.path("actions", "artifacts"), "&name="+url.QueryEscape(name), func(found struct {
		Artifacts []artifact `json:"artifacts"`
	}) (int, error) {
		for _, a := range found.Artifacts {
			if a.Expired || a.Name != name || a.Run.Head != a.Run.Repository {
				continue
			}
			var content []byte
			archive, err := r.archive(ctx, a.ID, a.Size)
			if err != nil && !errors.Is(err, errTooMuch) { // not skipped: it may be the right one
				return 0, err
			}
			if err == nil {
				content, err = unzip(archive, file)
			}
			if err == nil {
				err = right(content)
			}
			if err == nil {
				text = content
				return 0, errEnough
			}
			skipped = append(skipped, fmt.Errorf("artifact %d of the name %s: %w", a.ID, name, err))
		}
		return len(found.Artifacts), nil
	})
	switch {
	case err != nil && parent.Err() == nil && ctx.Err() != nil: // there are too many: somebody hides the right one
		return nil, append(skipped, fmt.Errorf("the search for the artifact %s took too long", name)), nil
	case errors.Is(err, errTooMuch):
		return nil, append(skipped, fmt.Errorf("the search for the artifact %s has ended: %w", name, err)), nil
	case err != nil:
		return nil, nil, fmt.Errorf("reading the artifact %s: %w", name, err)
	}
	return text, skipped, nil
}

// archive reads an artifact of the size that the list says.
func (r *Repository) archive(ctx context.Context, id, size int64) ([]byte, error) {
	if size > mostOfAnswer {
		return nil, fmt.Errorf("it has %d bytes: %w", size, errTooMuch)
	}
	return r.call(ctx, http.MethodGet, r.path("actions", "artifacts", strconv.FormatInt(id, 10), "zip"), nil)
}

// unzip returns the content of one file of an archive.
func unzip(text []byte, name string) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return nil, fmt.Errorf("reading the artifact: %w", err)
	}
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("reading %s of the artifact: %w", name, err)
		}
		out, err := io.ReadAll(io.LimitReader(in, mostOfAnswer+1))
		switch err = errors.Join(err, in.Close()); {
		case err != nil:
			return nil, fmt.Errorf("reading %s of the artifact: %w", name, err)
		case len(out) > mostOfAnswer:
			return nil, fmt.Errorf("%s of the artifact has more than %d bytes", name, mostOfAnswer)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the artifact has no %s", name)
}
