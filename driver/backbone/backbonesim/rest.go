package backbonesim

import (
	"net/http"
	"strconv"
	"strings"
)

// serveBackbone answers .../api/1/PATH. HC/5.5/cloud/introduction says who may call: system and project administrators.
func (w *World) serveBackbone(s *server, r *request, path []string) reply {
	if r.user = s.authenticate(r.Request); r.user == nil {
		return unauthorized()
	}
	if r.user.permission == noPermission || r.user.permission == projectAdmin && s.refuseAdmins {
		return w.refusal(http.StatusForbidden, "you are not permitted to use Backbone")
	}
	if s.requireXSRF && r.writes() && !r.passesXSRF() {
		return textReply(http.StatusForbidden, "XSRF check failed")
	}
	switch {
	case len(path) == 1 && path[0] == "health":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, w.healthDocument())
	case len(path) == 1 && path[0] == "integrations":
		return w.serveIntegrations(s, r)
	case len(path) >= 2 && path[0] == "integrations":
		in := s.integration(path[1])
		if in == nil {
			return w.refusal(http.StatusNotFound, "there is no synchronization "+path[1])
		}
		if !s.mayConfigure(r.user, in) {
			return w.refusal(http.StatusForbidden, "you do not administer a project of "+in.key)
		}
		return w.serveIntegration(s, r, in, path[2:])
	case len(path) == 3 && path[0] == "connectors":
		c := s.connector(path[1])
		if c == nil {
			return w.refusal(http.StatusNotFound, "there is no connector "+path[1])
		}
		if !s.mayConfigure(r.user, c.in) {
			return w.refusal(http.StatusForbidden, "you do not administer a project of "+c.in.key)
		}
		return w.serveConnector(r, c, path[2])
	}
	return textReply(http.StatusNotFound, "not found")
}

// unknownBody answers requests whose body no page shows. The status is the simulator's own: it does not guess what the
// product would do with a guessed body.
func (w *World) unknownBody() reply {
	return w.refusal(http.StatusNotImplemented, "ASSUMED: the body of this request is not documented; do it in the web page")
}

func (w *World) serveIntegrations(s *server, r *request) reply {
	switch r.Method {
	case http.MethodGet:
		return w.listIntegrations(s, r)
	case http.MethodPost: // documented to exist: H/4.1/server/integration-synchronization-actions-191273974.html
		return w.unknownBody()
	}
	return notAllowed(http.MethodGet, http.MethodPost)
}

// listIntegrations: projectKey and jiraBaseUrl select (H/5.14/server/monitoring-backbone-issue-sync); projectKey is
// required of project administrators from 5.2 on (HC/5.2/cloud/integration-synchronization-actions). ASSUMED: 403
// without it, and that before 5.2 they see the synchronizations of their projects.
func (w *World) listIntegrations(s *server, r *request) reply {
	projectKey, base := r.URL.Query().Get("projectKey"), strings.TrimRight(r.URL.Query().Get("jiraBaseUrl"), "/")
	if r.user.permission == projectAdmin {
		if projectKey == "" && atLeast(s.backbone, 5, 2) {
			return w.refusal(http.StatusForbidden, "projectKey is required if you have only project administrator permission")
		}
		if projectKey != "" && base == "" && !s.administers(r.user, projectKey) {
			return w.refusal(http.StatusForbidden, "you do not administer project "+projectKey)
		}
	}
	out := []any{}
	for _, in := range s.integrations {
		matches := projectKey == "" && base == ""
		for _, c := range in.connectors {
			if (projectKey == "" || c.project == projectKey) && (base == "" || c.jira.url == base) {
				matches = true
			}
		}
		if matches && s.mayConfigure(r.user, in) {
			out = append(out, w.integrationDocument(in, s.statusInLists))
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
func (w *World) serveIntegration(s *server, r *request, in *integration, rest []string) reply {
	switch strings.Join(rest, "/") {
	case "":
		switch r.Method {
		case http.MethodGet:
			return jsonReply(http.StatusOK, w.integrationDocument(in, s.statusInLists))
		case http.MethodPut:
			return w.unknownBody()
		case http.MethodDelete:
			w.remove(in)
			return okReply()
		}
		return notAllowed(http.MethodGet, http.MethodPut, http.MethodDelete)
	case "status":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, w.statusDocument(in))
	case "conflicts":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, w.conflictsDocument(w.conflicts(in)))
	case "start":
		return w.switched(s, r, in, w.start)
	case "stop":
		return w.switched(s, r, in, w.stop)
	case "applicationConnection":
		if r.Method != http.MethodPut {
			return notAllowed(http.MethodPut)
		}
		return w.unknownBody()
	}
	if rest[0] == "draft" {
		return w.serveDraft(r, in, strings.Join(rest[1:], "/"))
	}
	return textReply(http.StatusNotFound, "not found")
}

// switched starts or stops. ASSUMED: 409 where it is refused, 200 with an empty body otherwise.
func (w *World) switched(s *server, r *request, in *integration, do func(*integration) error) reply {
	for _, verb := range s.verbs {
		if r.Method == verb {
			if err := do(in); err != nil {
				return w.refusal(http.StatusConflict, err.Error())
			}
			return okReply()
		}
	}
	return notAllowed(s.verbs...)
}

// serveDraft answers integrations/{key}/draft/REST (W/5.21/server/draft-actions): a draft can be made, looked at, thrown
// away and published, but not changed, since the bodies of the mapping calls are not documented.
func (w *World) serveDraft(r *request, in *integration, rest string) reply {
	if rest == "" && r.Method == http.MethodPost {
		if in.draft != nil {
			return w.refusal(http.StatusConflict, "there is a draft already") // ASSUMED
		}
		draft := in.config
		in.draft = &draft
		return jsonReply(http.StatusOK, w.configMembers(draft))
	}
	if in.draft == nil {
		return w.refusal(http.StatusNotFound, in.key+" has no draft") // "404 if no draft exists"
	}
	kind, _, _ := strings.Cut(rest, "/")
	switch {
	case rest == "" && r.Method == http.MethodGet:
		return jsonReply(http.StatusOK, w.configMembers(*in.draft))
	case rest == "" && r.Method == http.MethodDelete:
		in.draft = nil
		return okReply()
	case rest == "":
		return notAllowed(http.MethodGet, http.MethodPost, http.MethodDelete)
	case rest == "conflicts":
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		return jsonReply(http.StatusOK, w.conflictsDocument(in.draft.conflicts(in)))
	case rest == "publish":
		if r.Method != http.MethodPost {
			return notAllowed(http.MethodPost)
		}
		if err := w.reconfigure(in, *in.draft); err != nil {
			return w.refusal(http.StatusConflict, err.Error())
		}
		in.draft = nil
		return okReply()
	case kind == "issueTypeMappings" || kind == "fieldMappings" || kind == "fieldDefaults":
		return w.unknownBody()
	}
	return textReply(http.StatusNotFound, "not found")
}
