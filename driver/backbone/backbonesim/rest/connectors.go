package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// serveConnector answers connectors/{key}/WHAT: H/5.16/server/connectors, W/5.21/server/connectors.
func serveConnector(w *state.World, r *request, c *state.Connector, what string) reply {
	switch what {
	case "resync":
		if r.Method != http.MethodPost {
			return notAllowed(http.MethodPost)
		}
		return resync(w, r, c)
	case "syncInformation":
		switch r.Method {
		case http.MethodGet:
			return listPairs(r, c)
		case http.MethodPost:
			return importPairs(w, r, c)
		case http.MethodDelete:
			return deletePair(w, r, c)
		}
		return notAllowed(http.MethodGet, http.MethodPost, http.MethodDelete)
	case "user":
		return changeUser(w, r, c)
	}
	return textReply(http.StatusNotFound, "not found")
}

// selected returns the entries that match the filters localIssueKey and remoteIssueKey
// (H/3.9/server/connectors-121944268.html).
func selected(c *state.Connector, r *request) []*state.Pair {
	local, remote := r.URL.Query().Get("localIssueKey"), r.URL.Query().Get("remoteIssueKey")
	found := c.Pairs
	switch {
	case local != "" && c.ByLocal[local] == nil, remote != "" && c.ByRemote[remote] == nil:
		return nil
	case local != "":
		found = []*state.Pair{c.ByLocal[local]}
	case remote != "":
		found = []*state.Pair{c.ByRemote[remote]}
	}
	if remote != "" {
		found = slices.DeleteFunc(slices.Clone(found), func(p *state.Pair) bool { return p.Remote != remote })
	}
	return found
}

// listPairs writes the bare array of the connectors page.
func listPairs(r *request, c *state.Connector) reply {
	out := bytes.NewBufferString("[")
	for n, p := range selected(c, r) {
		if n > 0 {
			out.WriteByte(',')
		}
		out.Write(p.Encode(c.Key))
	}
	out.WriteByte(']')
	header := map[string]string{"Content-Type": "application/json;charset=UTF-8"}
	return reply{status: http.StatusOK, header: header, body: out.Bytes()}
}

// importPairs imports "an array of sync information". ASSUMED: all entries or none; 409 if an issue is already
// paired, 400 for any other error; the sync info panel does not change, because a resync "recreates" it (behind
// firewall).
func importPairs(w *state.World, r *request, c *state.Connector) reply {
	if !r.hasJSON() {
		return refusal(w, http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(r.body, &entries); err != nil || entries == nil {
		return refusal(w, http.StatusBadRequest, "the body must be an array of sync information")
	}
	found, err := c.CheckPairs(entries)
	var duplicate *state.DuplicateError
	switch {
	case errors.As(err, &duplicate):
		return refusal(w, http.StatusConflict, err.Error())
	case err != nil:
		return refusal(w, http.StatusBadRequest, err.Error())
	}
	for _, p := range found {
		c.AddPair(p)
	}
	return okReply()
}

// deletePair deletes "the sync information of a SINGLE entry". ASSUMED: the entry is named as in GET; 400 if none is
// named, 404 if there is no such entry.
func deletePair(w *state.World, r *request, c *state.Connector) reply {
	if !r.URL.Query().Has("localIssueKey") && !r.URL.Query().Has("remoteIssueKey") {
		return refusal(w, http.StatusBadRequest, "name the entry with localIssueKey or remoteIssueKey")
	}
	found := selected(c, r)
	if len(found) != 1 {
		return refusal(w, http.StatusNotFound, "there is no such entry")
	}
	c.RemovePair(found[0])
	return okReply()
}

type resyncBody struct {
	JQL            string   `json:"jql"`
	FieldMappings  []string `json:"fieldMappings"`
	Responsibility bool     `json:"responsibility"`
	SendStatus     bool     `json:"sendStatusField"`
}

// resync sends a message for each issue of the connector's project that matches its JQL and the request's, "FROM the
// given connector TO the other" (H/5.16/server/connectors). The page has these four members; fieldMappings is
// required; comments and attachments are not sent. ASSUMED: 409 unless the synchronization runs; 400 for an unknown
// member or mapping or a JQL that Jira refuses; an issue that is not paired is created by the partner.
func resync(w *state.World, r *request, c *state.Connector) reply {
	if !r.hasJSON() {
		return refusal(w, http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	var body resyncBody
	if err := seed.Decode(r.body, &body); err != nil {
		return refusal(w, http.StatusBadRequest, err.Error())
	}
	if body.FieldMappings == nil {
		return refusal(w, http.StatusBadRequest, "fieldMappings is required")
	}
	for _, id := range body.FieldMappings {
		if !slices.ContainsFunc(c.In.Config.Fields, func(f state.FieldMapping) bool { return f.ID == id }) {
			return refusal(w, http.StatusBadRequest, "there is no field mapping with id "+id)
		}
	}
	own, err := jql.Parse(c.JQL, c.Jira)
	if err != nil {
		return refusal(w, http.StatusBadRequest, err.Error())
	}
	asked, err := jql.Parse(body.JQL, c.Jira)
	if err != nil {
		return refusal(w, http.StatusBadRequest, err.Error())
	}
	if !engine.Active(c.In) || c.Tab() == nil {
		return refusal(w, http.StatusConflict, fmt.Sprintf("%s is not running", c.In.Key))
	}
	resend(w, c, body, own, asked)
	return okReply()
}

func resend(w *state.World, c *state.Connector, body resyncBody, own, asked *jql.Query) {
	for _, i := range c.Tab().Issues {
		if !own.Match(i) || !asked.Match(i) {
			continue
		}
		p := engine.Known(c, i)
		if p == nil {
			engine.Look(w, c, i)
			continue
		}
		m := engine.Compose(c, i, func(f state.FieldMapping) bool { return slices.Contains(body.FieldMappings, f.ID) })
		if m == nil {
			continue
		}
		if body.SendStatus {
			m.Values = append(m.Values, state.Value{Field: "status", Text: i.Fields["status"],
				Mapping: state.FieldMapping{Typ: "passthrough"}})
		}
		seen := p.Seen // other changes of the issue have yet to be sent
		engine.Send(w, c, i, p, m)
		p.Seen = seen
	}
}

// changeUser is a GET with a side effect, "open it in a browser"
// (HC/5.2/server/server-to-server-with-backbone-cloud-to-server-with-backbone). ASSUMED: 400 for a user that the
// connector's Jira does not know.
func changeUser(w *state.World, r *request, c *state.Connector) reply {
	if r.Method != http.MethodGet {
		return notAllowed(http.MethodGet)
	}
	name := r.URL.Query().Get("newUser")
	u := c.Jira.User(name)
	if u == nil {
		u = c.Jira.UserByEmail(name)
	}
	if u == nil {
		return refusal(w, http.StatusBadRequest, fmt.Sprintf("there is no user %q", name))
	}
	c.SyncUser = u.Name
	return textReply(http.StatusOK, fmt.Sprintf("the synchronization user of %s is %s", c.Key, u.Name))
}
