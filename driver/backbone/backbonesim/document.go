package backbonesim

import (
	"strings"
	"time"
)

// The JSON documents of synchronizations. Their members are ordered by name, as maps are; the product's order is
// nothing a client may rely on.
type object = map[string]any

// date gives epoch milliseconds in the documented layout, 2016-11-10T11:07:10+0100.
func (w *World) date(ms int64) string {
	return time.UnixMilli(ms).In(time.FixedZone("", 3600)).Format(w.layout)
}

func (w *World) healthDocument() object {
	if !w.assumed {
		return object{}
	}
	return object{"status": "OK"} // ASSUMED: that GET health exists is all that HC/5.5/cloud/introduction shows
}

// integrationDocument: members up to secondConnector as in the samples of H/5.14/server/monitoring-backbone-issue-sync
// and H/4.1/server/integration-synchronization-actions-191273974.html. The samples are cut off inside firstConnector.
func (w *World) integrationDocument(in *integration, withStatus bool) object {
	out := w.configMembers(in.config)
	for name, value := range (object{
		"createdUser": in.createdBy, "lastModifiedUser": in.createdBy,
		"createdDate": w.date(in.created), "lastModifiedDate": w.date(in.modified),
		"integrationKey": in.key, "summary": in.summary, "description": in.description,
	}) {
		out[name] = value
	}
	if withStatus {
		out["status"] = w.statusDocument(in)
	}
	for n, c := range in.connectors {
		out[[]string{"firstConnector", "secondConnector"}[n]] = w.connectorDocument(c)
	}
	if w.assumed && in.role != "" {
		// ASSUMED: the documents show no half of an email or file synchronization.
		out["communicationChannel"] = strings.ToUpper(in.transport)
		out["role"] = strings.ToUpper(in.role)
		out["partnerProjectKey"] = in.partnerKey
	}
	return out
}

// configMembers: "You have to use the id value of each fieldmapping" (H/5.16/server/connectors) is all that is known of
// the configuration. ASSUMED: every other name here, and where the mappings are.
func (w *World) configMembers(cfg config) object {
	fields := []any{}
	for _, f := range cfg.fields {
		m := object{"id": f.id}
		if w.assumed {
			m["firstField"], m["secondField"], m["type"] = f.first, f.second, f.typ
		}
		fields = append(fields, m)
	}
	out := object{"fieldMappings": fields}
	if !w.assumed {
		return out
	}
	types := []any{}
	for _, t := range cfg.issueTypes {
		types = append(types, object{"id": t.id, "firstIssueType": t.first, "secondIssueType": t.second})
	}
	out["issueTypeMappings"] = types
	out["comments"] = object{"enabled": cfg.comments}
	out["attachments"] = object{"enabled": cfg.attachments}
	return out
}

func (w *World) connectorDocument(c *connector) object {
	out := object{
		"createdUser": c.in.createdBy, "lastModifiedUser": c.in.createdBy,
		"createdDate": w.date(c.in.created), "lastModifiedDate": w.date(c.in.modified),
		"connectorKey": c.key, "projectKey": c.project,
	}
	if w.assumed {
		out["jiraBaseUrl"], out["jql"] = c.jira.url, c.jql
	}
	return out
}

// statusDocument is the "status" object of the list samples. ASSUMED: that GET status answers just that object, and
// the words other than STOPPED and IDLE, which are all that the samples show.
func (w *World) statusDocument(in *integration) object {
	status := in.status
	if in.server.statusEnum {
		status = strings.ReplaceAll(status, " ", "_")
	}
	out := object{"status": status}
	for n, c := range in.connectors {
		out[[]string{"firstConnector", "secondConnector"}[n]] = connectorStatus(c)
	}
	return out
}

func connectorStatus(c *connector) object {
	route, incoming, outgoing := "STOPPED", "IDLE", "IDLE"
	if c.in.active() {
		route = "STARTED"
		if len(c.inbox) > 0 {
			incoming = "PROCESSING"
		}
		if to := c.peer(); len(c.in.outbox) > 0 || c.in.transport == direct && to != nil && len(to.inbox) > 0 {
			outgoing = "PROCESSING"
		}
	}
	return object{
		"connectorKey": c.key, "online": c.tab() != nil, "reconnecting": false,
		"incomingRouteStatus": route, "incomingProcessingStatus": incoming, "incomingDetails": "",
		"outgoingRouteStatus": route, "outgoingProcessingStatus": outgoing, "outgoingDetails": "",
		"externalRouteStatus": route, "issuesInError": len(c.errors),
	}
}

// conflictsDocument: an empty list when the configuration is valid. ASSUMED: the whole shape; without assumed members
// only their number is left.
func (w *World) conflictsDocument(found []string) []any {
	out := []any{}
	for _, text := range found {
		o := object{}
		if w.assumed {
			o["message"] = text
		}
		out = append(out, o)
	}
	return out
}
