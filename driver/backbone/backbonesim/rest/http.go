// Package rest serves the REST interface of Backbone, and the few calls of Jira that its clients need.
package rest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// maxBody is the maximum size of a request: enough for the pairs of several million issues.
const maxBody = 1 << 30

// Handler serves one simulated Jira with its Backbone, under its context path. The caller adds TLS.
func Handler(w *state.World, name string) http.Handler {
	s := w.Named[name]
	if s == nil {
		return http.NotFoundHandler()
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
		if err != nil {
			http.Error(rw, "the request's body could not be read", http.StatusRequestEntityTooLarge)
			return
		}
		w.Mu.Lock()
		out := serve(w, s, &request{Request: r, body: body})
		w.Mu.Unlock()
		out.write(rw)
	})
}

type request struct {
	*http.Request
	body []byte
	user *state.User
}

// reply is an answer. It is encoded while Mu is held.
type reply struct {
	status int
	header map[string]string
	body   []byte
}

func (r reply) write(rw http.ResponseWriter) {
	for name, value := range r.header {
		rw.Header().Set(name, value)
	}
	rw.WriteHeader(r.status)
	_, _ = rw.Write(r.body) // the client may be gone
}

func jsonReply(status int, body any) reply {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // only documents of this package are encoded
	}
	return reply{status: status, header: map[string]string{"Content-Type": "application/json;charset=UTF-8"}, body: data}
}

func textReply(status int, text string) reply {
	return reply{status: status, header: map[string]string{"Content-Type": "text/plain;charset=UTF-8"},
		body: []byte(text)}
}

func okReply() reply { return reply{status: http.StatusOK} }

func notAllowed(methods ...string) reply {
	out := textReply(http.StatusMethodNotAllowed, "method not allowed")
	out.header["Allow"] = strings.Join(methods, ", ")
	return out
}

func serve(w *state.World, s *state.Server, r *request) reply {
	path, ok := strings.CutPrefix(r.URL.Path, s.ContextPath+"/")
	if !ok {
		return textReply(http.StatusNotFound, "not found")
	}
	if rest, ok := strings.CutPrefix(path, "plugins/servlet/backbone-issue-sync/api/1/"); ok && s.Backbone != "" {
		return serveBackbone(w, s, r, strings.Split(strings.TrimSuffix(rest, "/"), "/"))
	}
	// A Jira Cloud site serves no servlets of apps: https://developer.atlassian.com/cloud/jira/platform/ has no such
	// path.
	if rest, ok := strings.CutPrefix(path, "rest/api/"); ok {
		return serveJira(s, r, strings.Split(strings.TrimSuffix(rest, "/"), "/"))
	}
	return textReply(http.StatusNotFound, "not found")
}

// authenticate returns the user of a request, or nil. On Data Center that is Basic with name and password
// (HC/5.5/cloud/introduction) or a personal access token as Bearer (ASSUMED for Backbone's servlet; Atlassian
// documents it for Jira's own REST). On a cloud site it is Basic with email and API token
// (developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis).
func authenticate(s *state.Server, r *http.Request) *state.User {
	name, secret, basic := r.BasicAuth()
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var isOf func(*state.User) bool
	switch {
	case basic && secret != "" && s.Cloud:
		isOf = func(u *state.User) bool { return secret == u.Token && strings.EqualFold(name, u.Email) }
	case basic && secret != "":
		isOf = func(u *state.User) bool { return secret == u.Password && name == u.Name }
	case bearer && token != "" && !s.Cloud:
		isOf = func(u *state.User) bool { return token == u.Token }
	default:
		return nil
	}
	if at := slices.IndexFunc(s.Users(), isOf); at >= 0 {
		return s.Users()[at]
	}
	return nil
}

func unauthorized() reply {
	out := jsonReply(http.StatusUnauthorized, map[string]any{
		"message": "Client must be authenticated to access this resource.", "status-code": 401,
	})
	out.header["WWW-Authenticate"] = `OAuth realm="jira"`
	return out
}

// refusal returns an error of Backbone. ASSUMED: its body, which no page shows. Without assumed members it is plain
// text.
func refusal(w *state.World, status int, text string) reply {
	if !w.Assumed {
		return textReply(status, text)
	}
	return jsonReply(status, map[string]string{"message": text})
}

func (r *request) writes() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// passesXSRF reports whether a request passes Jira's XSRF check: "On 'XSRF check failed' add header
// X-Atlassian-Token: nocheck" (HC/5.5/cloud/introduction). Jira itself also accepts the newer spelling no-check.
func (r *request) passesXSRF() bool {
	return slices.Contains([]string{"nocheck", "no-check"}, r.Header.Get("X-Atlassian-Token"))
}

// hasJSON reports whether the body is declared as JSON. ASSUMED to be required, as by the JAX-RS resources of Jira.
func (r *request) hasJSON() bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(kind) == "application/json"
}

// mayConfigure reports whether a user may use a synchronization: a system administrator of Jira always, a project
// administrator in their own projects (HC/5.5/cloud/introduction,
// H/5.8/server/restrict-backbone-usage-to-certain-user-groups).
func mayConfigure(s *state.Server, u *state.User, in *state.Integration) bool {
	if u.Permission == state.SystemAdmin {
		return true
	}
	for _, c := range in.Connectors {
		if c.Jira == s && administers(u, c.Project) {
			return true
		}
	}
	return false
}

func administers(u *state.User, projectKey string) bool {
	return u.Permission == state.SystemAdmin ||
		u.Permission == state.ProjectAdmin && (len(u.Projects) == 0 || slices.Contains(u.Projects, projectKey))
}
