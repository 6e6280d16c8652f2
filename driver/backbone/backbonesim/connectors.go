package backbonesim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/syncctl/syncctl/sandbox/seed"
)

// serveConnector answers connectors/{key}/WHAT: H/5.16/server/connectors, W/5.21/server/connectors.
func (w *World) serveConnector(r *request, c *connector, what string) reply {
	switch what {
	case "resync":
		if r.Method != http.MethodPost {
			return notAllowed(http.MethodPost)
		}
		return w.resync(r, c)
	case "syncInformation":
		switch r.Method {
		case http.MethodGet:
			return w.listPairs(r, c)
		case http.MethodPost:
			return w.importPairs(r, c)
		case http.MethodDelete:
			return w.deletePair(r, c)
		}
		return notAllowed(http.MethodGet, http.MethodPost, http.MethodDelete)
	case "user":
		return w.changeUser(r, c)
	}
	return textReply(http.StatusNotFound, "not found")
}

// selected finds the entries that the filters localIssueKey and remoteIssueKey ask for (H/3.9/server/connectors-121944268.html).
func (c *connector) selected(r *request) []*pair {
	local, remote := r.URL.Query().Get("localIssueKey"), r.URL.Query().Get("remoteIssueKey")
	found := c.pairs
	switch {
	case local != "" && c.byLocal[local] == nil, remote != "" && c.byRemote[remote] == nil:
		return nil
	case local != "":
		found = []*pair{c.byLocal[local]}
	case remote != "":
		found = []*pair{c.byRemote[remote]}
	}
	if remote != "" {
		found = slices.DeleteFunc(slices.Clone(found), func(p *pair) bool { return p.remote != remote })
	}
	return found
}

// listPairs writes the bare array of the connectors page.
func (w *World) listPairs(r *request, c *connector) reply {
	out := bytes.NewBufferString("[")
	for n, p := range c.selected(r) {
		if n > 0 {
			out.WriteByte(',')
		}
		out.Write(p.encode(c.key))
	}
	out.WriteByte(']')
	return reply{status: http.StatusOK, header: map[string]string{"Content-Type": "application/json;charset=UTF-8"}, body: out.Bytes()}
}

// importPairs takes "an array of sync information". ASSUMED: all entries or none; 409 where an issue is paired already,
// 400 for anything else; the sync info panel is left as it is, for a resync "recreates" it (behind firewall).
func (w *World) importPairs(r *request, c *connector) reply {
	if !r.hasJSON() {
		return w.refusal(http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(r.body, &entries); err != nil || entries == nil {
		return w.refusal(http.StatusBadRequest, "the body must be an array of sync information")
	}
	found, err := c.checkPairs(entries)
	var duplicate *duplicateError
	switch {
	case errors.As(err, &duplicate):
		return w.refusal(http.StatusConflict, err.Error())
	case err != nil:
		return w.refusal(http.StatusBadRequest, err.Error())
	}
	for _, p := range found {
		c.addPair(p)
	}
	return okReply()
}

// deletePair deletes "the sync information of a SINGLE entry". ASSUMED: the entry is named as in GET; 400 when that
// does not name one, 404 when there is none.
func (w *World) deletePair(r *request, c *connector) reply {
	if !r.URL.Query().Has("localIssueKey") && !r.URL.Query().Has("remoteIssueKey") {
		return w.refusal(http.StatusBadRequest, "name the entry with localIssueKey or remoteIssueKey")
	}
	found := c.selected(r)
	if len(found) != 1 {
		return w.refusal(http.StatusNotFound, "there is no such entry")
	}
	c.removePair(found[0])
	return okReply()
}

type resyncBody struct {
	JQL            string   `json:"jql"`
	FieldMappings  []string `json:"fieldMappings"`
	Responsibility bool     `json:"responsibility"`
	SendStatus     bool     `json:"sendStatusField"`
}

// resync sends a message for each issue of the connector's project that matches its JQL and the request's, "FROM the
// given connector TO the other" (H/5.16/server/connectors): these four members, fieldMappings is required; comments and
// attachments do not travel. ASSUMED: 409 unless the synchronization runs; 400 for an unknown member or mapping or a
// JQL that Jira refuses; an issue that is not paired is created by the partner.
func (w *World) resync(r *request, c *connector) reply {
	if !r.hasJSON() {
		return w.refusal(http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	var body resyncBody
	if err := seed.Decode(r.body, &body); err != nil {
		return w.refusal(http.StatusBadRequest, err.Error())
	}
	if body.FieldMappings == nil {
		return w.refusal(http.StatusBadRequest, "fieldMappings is required")
	}
	for _, id := range body.FieldMappings {
		if !slices.ContainsFunc(c.in.config.fields, func(f fieldMapping) bool { return f.id == id }) {
			return w.refusal(http.StatusBadRequest, "there is no field mapping with id "+id)
		}
	}
	own, err := parseJQL(c.jql, c.jira)
	if err != nil {
		return w.refusal(http.StatusBadRequest, err.Error())
	}
	asked, err := parseJQL(body.JQL, c.jira)
	if err != nil {
		return w.refusal(http.StatusBadRequest, err.Error())
	}
	if !c.in.active() || c.tab() == nil {
		return w.refusal(http.StatusConflict, fmt.Sprintf("%s is not running", c.in.key))
	}
	w.resend(c, body, own, asked)
	return okReply()
}

func (w *World) resend(c *connector, body resyncBody, own, asked *query) {
	for _, i := range c.tab().issues {
		if !own.match(i) || !asked.match(i) {
			continue
		}
		p := c.known(i)
		if p == nil {
			w.look(c, i)
			continue
		}
		m := c.compose(i, func(f fieldMapping) bool { return slices.Contains(body.FieldMappings, f.id) })
		if m == nil {
			continue
		}
		if body.SendStatus {
			m.values = append(m.values, value{field: "status", text: i.fields["status"], mapping: fieldMapping{typ: "passthrough"}})
		}
		seen := p.seen // other changes of the issue still have to be sent
		w.send(c, i, p, m)
		p.seen = seen
	}
}

// changeUser is a GET with a side effect, "open it in a browser" (HC/5.2/server/server-to-server-with-backbone-cloud-to-server-with-backbone).
// ASSUMED: 400 for a user that the connector's Jira does not know.
func (w *World) changeUser(r *request, c *connector) reply {
	if r.Method != http.MethodGet {
		return notAllowed(http.MethodGet)
	}
	name := r.URL.Query().Get("newUser")
	u := c.jira.user(name)
	if u == nil {
		u = c.jira.userByEmail(name)
	}
	if u == nil {
		return w.refusal(http.StatusBadRequest, fmt.Sprintf("there is no user %q", name))
	}
	c.syncUser = u.name
	return textReply(http.StatusOK, fmt.Sprintf("the synchronization user of %s is %s", c.key, u.name))
}
