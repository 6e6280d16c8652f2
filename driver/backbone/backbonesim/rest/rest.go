package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// serveBackbone answers .../api/1/PATH. Only system and project administrators may use it
// (HC/5.5/cloud/introduction).
func serveBackbone(w *state.World, s *state.Server, r *request, path []string) reply {
	if r.user = authenticate(s, r.Request); r.user == nil {
		return unauthorized()
	}
	if r.user.Permission == state.NoPermission || r.user.Permission == state.ProjectAdmin && s.RefuseAdmins {
		return refusal(w, http.StatusForbidden, "you are not permitted to use Backbone")
	}
	if s.RequireXSRF && r.writes() && !r.passesXSRF() {
		return textReply(http.StatusForbidden, "XSRF check failed")
	}
	switch {
	case len(path) == 1 && path[0] == "health":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, healthDocument(w))
	case len(path) == 1 && path[0] == "integrations":
		return serveIntegrations(w, s, r)
	case len(path) >= 2 && path[0] == "integrations":
		in := s.Integration(path[1])
		if in == nil {
			return refusal(w, http.StatusNotFound, "there is no synchronization "+path[1])
		}
		if !mayConfigure(s, r.user, in) {
			return refusal(w, http.StatusForbidden, "you do not administer a project of "+in.Key)
		}
		return serveIntegration(w, s, r, in, path[2:])
	case len(path) == 3 && path[0] == "connectors":
		c := s.Connector(path[1])
		if c == nil {
			return refusal(w, http.StatusNotFound, "there is no connector "+path[1])
		}
		if !mayConfigure(s, r.user, c.In) {
			return refusal(w, http.StatusForbidden, "you do not administer a project of "+c.In.Key)
		}
		return serveConnector(w, r, c, path[2])
	}
	return textReply(http.StatusNotFound, "not found")
}

// unknownBody answers requests whose body no page shows. The status is the simulator's own, because it does not guess
// what the product would do with a guessed body.
func unknownBody(w *state.World) reply {
	return refusal(w, http.StatusNotImplemented,
		"ASSUMED: the body of this request is not documented; do it in the web page")
}

func serveIntegrations(w *state.World, s *state.Server, r *request) reply {
	switch r.Method {
	case http.MethodGet:
		return listIntegrations(w, s, r)
	case http.MethodPost: // its existence is documented: H/4.1/server/integration-synchronization-actions-191273974.html
		return unknownBody(w)
	}
	return notAllowed(http.MethodGet, http.MethodPost)
}

// listIntegrations lists synchronizations, filtered by projectKey and jiraBaseUrl
// (H/5.14/server/monitoring-backbone-issue-sync). From 5.2 on, project administrators must give projectKey
// (HC/5.2/cloud/integration-synchronization-actions). ASSUMED: 403 without it; before 5.2 they see the
// synchronizations of their projects.
func listIntegrations(w *state.World, s *state.Server, r *request) reply {
	projectKey, base := r.URL.Query().Get("projectKey"), strings.TrimRight(r.URL.Query().Get("jiraBaseUrl"), "/")
	if r.user.Permission == state.ProjectAdmin {
		if projectKey == "" && atLeast(s.Backbone, 5, 2) {
			return refusal(w, http.StatusForbidden, "projectKey is required if you have only project administrator permission")
		}
		if projectKey != "" && base == "" && !administers(r.user, projectKey) {
			return refusal(w, http.StatusForbidden, "you do not administer project "+projectKey)
		}
	}
	out := []any{}
	for _, in := range s.Integrations {
		matches := projectKey == "" && base == ""
		for _, c := range in.Connectors {
			if (projectKey == "" || c.Project == projectKey) && (base == "" || c.Jira.URL == base) {
				matches = true
			}
		}
		if matches && mayConfigure(s, r.user, in) {
			out = append(out, integrationDocument(w, in, s.StatusInLists))
		}
	}
	return jsonReply(http.StatusOK, out)
}

func atLeast(version string, major, minor int) bool {
	a, rest, _ := strings.Cut(version, ".")
	b, _, _ := strings.Cut(rest, ".")
	m, _ := strconv.Atoi(a)
	n, _ := strconv.Atoi(b)
	return m > major || m == major && n >= minor
}

// serveIntegration answers integrations/{key}/REST: H/5.14/cloud/integration-synchronization-actions,
// H/4.1/server/integration-synchronization-actions-191273974.html.
func serveIntegration(w *state.World, s *state.Server, r *request, in *state.Integration, rest []string) reply {
	switch strings.Join(rest, "/") {
	case "":
		switch r.Method {
		case http.MethodGet:
			return jsonReply(http.StatusOK, integrationDocument(w, in, s.StatusInLists))
		case http.MethodPut:
			return unknownBody(w)
		case http.MethodDelete:
			w.Remove(in)
			return okReply()
		}
		return notAllowed(http.MethodGet, http.MethodPut, http.MethodDelete)
	case "status":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, statusDocument(in))
	case "conflicts":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, conflictsDocument(w, w.Conflicts(in)))
	case "start":
		return switched(w, s, r, in, w.Start)
	case "stop":
		return switched(w, s, r, in, w.Stop)
	case "applicationConnection":
		if r.Method != http.MethodPut {
			return notAllowed(http.MethodPut)
		}
		return unknownBody(w)
	}
	if rest[0] == "draft" {
		return serveDraft(w, r, in, strings.Join(rest[1:], "/"))
	}
	return textReply(http.StatusNotFound, "not found")
}

// switched starts or stops a synchronization. ASSUMED: 409 if that is refused, 200 with an empty body otherwise.
func switched(w *state.World, s *state.Server, r *request, in *state.Integration,
	do func(*state.Integration) error) reply {
	for _, verb := range s.Verbs {
		if r.Method == verb {
			if err := do(in); err != nil {
				return refusal(w, http.StatusConflict, err.Error())
			}
			return okReply()
		}
	}
	return notAllowed(s.Verbs...)
}

// serveDraft answers integrations/{key}/draft/REST (W/5.21/server/draft-actions). A draft can be created, read,
// discarded and published, but not changed, since the bodies of the mapping calls are not documented.
func serveDraft(w *state.World, r *request, in *state.Integration, rest string) reply {
	if rest == "" && r.Method == http.MethodPost {
		if in.Draft != nil {
			return refusal(w, http.StatusConflict, "there is a draft already") // ASSUMED
		}
		draft := in.Config
		in.Draft = &draft
		return jsonReply(http.StatusOK, configMembers(w, draft))
	}
	if in.Draft == nil {
		return refusal(w, http.StatusNotFound, in.Key+" has no draft") // "404 if no draft exists"
	}
	kind, _, _ := strings.Cut(rest, "/")
	switch {
	case rest == "" && r.Method == http.MethodGet:
		return jsonReply(http.StatusOK, configMembers(w, *in.Draft))
	case rest == "" && r.Method == http.MethodDelete:
		in.Draft = nil
		return okReply()
	case rest == "":
		return notAllowed(http.MethodGet, http.MethodPost, http.MethodDelete)
	case rest == "conflicts":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, conflictsDocument(w, in.Draft.Conflicts(in)))
	case rest == "publish":
		if r.Method != http.MethodPost {
			return notAllowed(http.MethodPost)
		}
		if err := engine.Reconfigure(w, in, *in.Draft); err != nil {
			return refusal(w, http.StatusConflict, err.Error())
		}
		in.Draft = nil
		return okReply()
	case kind == "issueTypeMappings" || kind == "fieldMappings" || kind == "fieldDefaults":
		return unknownBody(w)
	}
	return textReply(http.StatusNotFound, "not found")
}
