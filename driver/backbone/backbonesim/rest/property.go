package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf16"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// The limits of a project's property:
// developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-project-properties, and the same in
// docs.atlassian.com/software/jira/docs/api/REST/9.12.0, api/2/project.
const (
	longestPropertyKey = 255
	mostPropertyValue  = 32768 // characters
)

// serveProperties answers project/KEY/properties/PROPERTY: GET for users who may browse the project, PUT and DELETE
// for users who administer it or Jira. ASSUMED: every user of the simulator may browse; characters are counted as in
// UTF-16.
func serveProperties(s *state.Server, r *request, version string, path []string) reply {
	p := s.Projects[path[0]]
	if p == nil {
		return noProject(path[0])
	}
	// path is KEY, "properties", PROPERTY
	if len(path) == 2 {
		if r.Method != http.MethodGet {
			return notAllowed(http.MethodGet)
		}
		keys := []any{}
		for _, key := range slices.Sorted(maps.Keys(p.Properties)) {
			keys = append(keys, object{"self": propertyURL(s, p, version, key), "key": key})
		}
		return jsonReply(http.StatusOK, object{"keys": keys})
	}
	key := path[2]
	if key == "" || len(key) > longestPropertyKey {
		return jiraError(http.StatusBadRequest, "The property key cannot be empty or longer than 255 characters.")
	}
	if r.writes() && !administers(r.user, p.Key) {
		return jiraError(http.StatusForbidden, "You cannot edit the configuration of this project.")
	}
	old, there := p.Properties[key]
	missing := jiraError(http.StatusNotFound, fmt.Sprintf("The property with key '%s' does not exist.", key))
	switch r.Method {
	case http.MethodGet:
		if !there {
			return missing
		}
		return jsonReply(http.StatusOK, object{"key": key, "value": old})
	case http.MethodPut:
		return setProperty(r, p, key, there)
	case http.MethodDelete:
		if !there {
			return missing
		}
		delete(p.Properties, key)
		return reply{status: http.StatusNoContent}
	}
	return notAllowed(http.MethodGet, http.MethodPut, http.MethodDelete)
}

// setProperty sets a property to "a valid, non-empty JSON blob": 201 for a new property, 200 for an existing one.
func setProperty(r *request, p *state.Project, key string, there bool) reply {
	if !r.hasJSON() {
		return textReply(http.StatusUnsupportedMediaType, "unsupported media type")
	}
	value := bytes.TrimSpace(r.body)
	if !json.Valid(value) || len(utf16.Encode([]rune(string(value)))) > mostPropertyValue {
		return jiraError(http.StatusBadRequest, "The property value must be valid JSON of at most 32768 characters.")
	}
	if p.Properties == nil {
		p.Properties = map[string]json.RawMessage{}
	}
	p.Properties[key] = bytes.Clone(value)
	if there {
		return okReply()
	}
	return reply{status: http.StatusCreated}
}

func propertyURL(s *state.Server, p *state.Project, version, key string) string {
	return s.URL + "/rest/api/" + version + "/project/" + p.Key + "/properties/" + key
}

func noProject(key string) reply {
	return jiraError(http.StatusNotFound, fmt.Sprintf("No project could be found with key '%s'.", key))
}
