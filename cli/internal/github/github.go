// Package github talks to GitHub on behalf of a CI job. It writes or replaces the one comment of a pull request, and
// finds the plan that a review approved and the artifact that contains the plan. The requests are documented at
// docs.github.com/rest and /graphql.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/printable"
)

// Limits of what is read: bytes of an answer and of a list, pages of a list, items of a page.
const (
	mostOfAnswer  = 32 << 20
	mostOfList    = 2 * mostOfAnswer
	mostPages     = 100
	perPage       = 100
	mostOfMessage = 300         // characters
	patience      = time.Minute // for one request, and for all pages of a list
	ofReviews     = 5           // times so long for a list of reviews and what is asked about each
)

// errTooMuch is wrapped by the error for an answer or a list that exceeds a limit.
var errTooMuch = errors.New("it exceeds a limit")

// Repository is the repository that the job runs for.
type Repository struct {
	API   string // address of the interface, such as "https://api.github.com"
	Name  string // OWNER/NAME
	Token string // of the job; it is sent only to API

	Transport http.RoundTripper
}

// impatient returns a context that ends when a request or a list has taken too long.
func impatient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, patience)
}

var repositoryName = lazyregexp.New(`^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$`)

// Check returns an error if a field of the repository is missing or wrong.
func (r *Repository) Check() error {
	u, err := url.Parse(r.API)
	switch {
	case !repositoryName.MatchString(r.Name):
		return fmt.Errorf("%q is not the name of a repository, as in owner/name", r.Name)
	case err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil:
		return fmt.Errorf("%q is not the address of an interface, as in https://api.github.com", r.API)
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return fmt.Errorf("%s is not encrypted: the token is only sent to an address with https", r.API)
	case r.Token == "":
		return errors.New("there is no token")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// StatusError is returned for an answer whose status is not 2xx.
type StatusError struct {
	Method, Path string
	Status       int
	Message      string // from the server, printable
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %s", e.Method, e.Path, e.Status, e.Message)
}

// call sends one request, without retries, and returns the body of its answer.
func (r *Repository) call(ctx context.Context, method, path string, send any) ([]byte, error) {
	text, _, err := r.ask(ctx, method, path, send)
	return text, err
}

// ask is call. It also returns the header of the answer.
func (r *Repository) ask(ctx context.Context, method, path string, send any) ([]byte, http.Header, error) {
	ctx, cancel := impatient(ctx)
	defer cancel()
	var body io.Reader
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return nil, nil, fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.API+path, body)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "syncctl")
	client := &http.Client{Transport: r.Transport, CheckRedirect: redirect}
	answer, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // it repeats the address that a redirect leads to, and the key to a file that it has
			err = wrapped.Err
		}
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostOfAnswer+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	case len(text) > mostOfAnswer:
		return nil, nil, fmt.Errorf("%s %s: the answer has more than %d bytes: %w", method, path, mostOfAnswer, errTooMuch)
	case answer.StatusCode == http.StatusPartialContent || answer.Header.Get("Content-Range") != "":
		return nil, nil, fmt.Errorf("%s %s: the answer is only a part of what was asked for", method, path)
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		var said struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(text, &said) // an error from a proxy has no message
		return nil, nil, &StatusError{method, path, answer.StatusCode, wording.Message(said.Message, mostOfMessage)}
	}
	if err := printable.Documents.Check(text); err != nil {
		return nil, nil, fmt.Errorf("%s %s: the answer %w: %w", method, path, err, errTooMuch)
	}
	return text, answer.Header, nil
}

// redirect allows redirects of GET requests to https addresses: artifacts are on another host. That host does not get
// the token. net/http removes the token only for other domains, but a subdomain or another port may also belong to
// somebody else.
func redirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > 3:
		return errors.New("too many redirects")
	case req.Method != http.MethodGet:
		return errors.New("a request that writes is not redirected")
	case req.URL.Scheme != "https" && !(req.URL.Scheme == "http" && isLoopback(req.URL.Hostname())):
		return fmt.Errorf("redirected to %s, which is not encrypted", req.URL.Host)
	}
	if first := via[0].URL; req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		req.Header.Del("Authorization")
	}
	return nil
}

// read reads one document.
func read[T any](ctx context.Context, r *Repository, path string) (T, error) {
	var out T
	text, err := r.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, fmt.Errorf("GET %s: reading the answer: %w", path, err)
	}
	return out, nil
}

// graph sends a query to the GraphQL interface and returns the data of its answer.
func (r *Repository) graph(ctx context.Context, query string, variables map[string]string) (json.RawMessage, error) {
	beside := *r
	beside.API = strings.TrimSuffix(r.API, "/v3") // GitHub Enterprise Server has /api/v3 and /api/graphql
	text, err := beside.call(ctx, http.MethodPost, "/graphql", map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil:
		return nil, fmt.Errorf("POST /graphql: reading the answer: %w", err)
	case len(answer.Errors) > 0:
		return nil, fmt.Errorf("POST /graphql: %s", wording.Message(answer.Errors[0].Message, mostOfMessage))
	}
	return answer.Data, nil
}

// list reads all pages of a list. A list that exceeds a limit is an error: the unread part may be what matters.
func list[T any](ctx context.Context, r *Repository, path string) ([]T, error) {
	var all []T
	err := pages(ctx, r, path, "", func(some []T) (int, error) {
		all = append(all, some...)
		return len(some), nil
	})
	return all, err
}

// errEnough ends pages.
var errEnough = errors.New("the rest is not needed")

// pages reads a list page by page. each returns how many items a page has. query is "" or begins with "&".
func pages[P any](ctx context.Context, r *Repository, path, query string, each func(page P) (int, error)) error {
	ctx, cancel := impatient(ctx)
	defer cancel()
	size := 0
	for n := 1; n <= mostPages; n++ {
		at := fmt.Sprintf("%s?per_page=%d&page=%d%s", path, perPage, n, query)
		text, header, err := r.ask(ctx, http.MethodGet, at, nil)
		if err != nil {
			return err
		}
		if size += len(text); size > mostOfList {
			return fmt.Errorf("GET %s: the list has more than %d bytes: %w", path, mostOfList, errTooMuch)
		}
		var page P
		if err := json.Unmarshal(text, &page); err != nil {
			return fmt.Errorf("GET %s: reading the answer: %w", path, err)
		}
		switch items, err := each(page); {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		case items < perPage && !slices.ContainsFunc(header.Values("Link"), nextPage.MatchString):
			return nil
		}
	}
	return fmt.Errorf("GET %s: the list has more than %d pages: %w", path, mostPages, errTooMuch)
}

// nextPage is found in the header Link of every page but the last one. A page may have fewer items than asked for.
var nextPage = lazyregexp.New(`(?i);\s*rel="?next\b`)

// path returns the path of an address below the repository.
func (r *Repository) path(parts ...string) string {
	out := "/repos/" + r.Name
	for _, p := range parts {
		out += "/" + url.PathEscape(p)
	}
	return out
}
