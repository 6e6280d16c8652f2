package github

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

type user struct {
	Login string `json:"login"`
}

// PutComment puts a text on a pull request: in place of the author's comment that begins with mark, or as a new one. A
// comment of somebody else is left alone, whatever it begins with: who has written it can change it.
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

// MergedAs is the pull request that a commit of the default branch has come with; 0: none.
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
	for _, p := range all { // rebased: only its last commit is the one that is named
		if p.Merged != nil {
			return p.Number, nil
		}
	}
	return 0, nil
}

// ErrNotApproved: no review approves a plan.
var ErrNotApproved = errors.New("no review that approves it names the hash of a plan, by somebody who may write to " +
	"the repository")

var hashes = regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`)

// Approved is the hash of the plan that the last review approves which names one. A review counts if it is the last
// word of its author, who may write to the repository. One that names two hashes is an error.
func (r *Repository) Approved(ctx context.Context, pull int) (hash, by string, err error) {
	type review struct {
		State string `json:"state"`
		Body  string `json:"body"`
		User  user   `json:"user"`
	}
	all, err := list[review](ctx, r, r.path("pulls", strconv.Itoa(pull), "reviews"))
	if err != nil {
		return "", "", fmt.Errorf("reading the reviews of pull request %d: %w", pull, err)
	}
	last := map[string]int{} // a comment takes nothing back
	for i := range all {
		if all[i].State != "COMMENTED" && all[i].State != "PENDING" {
			last[all[i].User.Login] = i
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		v := &all[i]
		named := unique(hashes.FindAllString(v.Body, -1))
		if v.State != "APPROVED" || last[v.User.Login] != i || len(named) == 0 {
			continue
		}
		may, err := r.mayWrite(ctx, v.User.Login)
		switch {
		case err != nil:
			return "", "", err
		case !may:
		case len(named) > 1:
			return "", "", fmt.Errorf("the review of %s approves, and names several hashes: %s", v.User.Login,
				strings.Join(named, ", "))
		default:
			return named[0], v.User.Login, nil
		}
	}
	return "", "", ErrNotApproved
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
	if err != nil {
		return false, fmt.Errorf("asking what %s may do: %w", login, err)
	}
	return answer.Permission == "admin" || answer.Permission == "write", nil
}

// Artifact reads a file of the newest artifact of a name, of whatever run; nil: there is none any more.
func (r *Repository) Artifact(ctx context.Context, name, file string) ([]byte, error) {
	found, err := read[struct {
		Artifacts []struct {
			ID      int64  `json:"id"`
			Name    string `json:"name"`
			Expired bool   `json:"expired"`
		} `json:"artifacts"`
	}](ctx, r, r.path("actions", "artifacts")+"?per_page=10&name="+url.QueryEscape(name))
	if err != nil {
		return nil, fmt.Errorf("finding the artifact %s: %w", name, err)
	}
	for _, a := range found.Artifacts {
		if a.Expired || a.Name != name {
			continue
		}
		text, err := r.call(ctx, http.MethodGet, r.path("actions", "artifacts", strconv.FormatInt(a.ID, 10), "zip"), nil)
		if err != nil {
			return nil, fmt.Errorf("reading the artifact %s: %w", name, err)
		}
		return unzip(text, file)
	}
	return nil, nil
}

// unzip is one file of an archive.
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
