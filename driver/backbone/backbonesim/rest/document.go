package rest

import (
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// The JSON documents of synchronizations. Their members are sorted by name, because they are maps. Clients may not
// rely on the product's order anyway.
type object = map[string]any

// date returns epoch milliseconds in the documented layout, 2016-11-10T11:07:10+0100.
func date(w *state.World, ms int64) string {
	return time.UnixMilli(ms).In(time.FixedZone("", 3600)).Format(w.Layout)
}

func healthDocument(w *state.World) object {
	if !w.Assumed {
		return object{}
	}
	return object{"status": "OK"} // ASSUMED: HC/5.5/cloud/introduction shows only that GET health exists
}

// integrationDocument returns the document of a synchronization. Its members up to secondConnector are as in the
// samples of H/5.14/server/monitoring-backbone-issue-sync and
// H/4.1/server/integration-synchronization-actions-191273974.html. The samples are cut off inside firstConnector.
func integrationDocument(w *state.World, in *state.Integration, withStatus bool) object {
	out := configMembers(w, in.Config)
	for name, value := range (object{
		"createdUser": in.CreatedBy, "lastModifiedUser": in.CreatedBy,
		"createdDate": date(w, in.Created), "lastModifiedDate": date(w, in.Modified),
		"integrationKey": in.Key, "summary": in.Summary, "description": in.Description,
	}) {
		out[name] = value
	}
	if withStatus {
		out["status"] = statusDocument(in)
	}
	for n, c := range in.Connectors {
		out[[]string{"firstConnector", "secondConnector"}[n]] = connectorDocument(w, c)
	}
	if w.Assumed && in.Role != "" {
		// ASSUMED: the documents show no half of an email or file synchronization.
		out["communicationChannel"] = strings.ToUpper(in.Transport)
		out["role"] = strings.ToUpper(in.Role)
		out["partnerProjectKey"] = in.PartnerKey
	}
	return out
}

// configMembers returns the members of a configuration. The documents only say "You have to use the id value of each
// fieldmapping" (H/5.16/server/connectors). ASSUMED: every other name here, and where the mappings are.
func configMembers(w *state.World, cfg state.Config) object {
	fields := []any{}
	for _, f := range cfg.Fields {
		m := object{"id": f.ID}
		if w.Assumed {
			m["firstField"], m["secondField"], m["type"], m["direction"] = f.First, f.Second, f.Typ, f.Direction
		}
		fields = append(fields, m)
	}
	out := object{"fieldMappings": fields}
	if !w.Assumed {
		return out
	}
	types := []any{}
	for _, t := range cfg.IssueTypes {
		types = append(types, object{"id": t.ID, "firstIssueType": t.First, "secondIssueType": t.Second})
	}
	out["issueTypeMappings"] = types
	out["comments"] = object{"enabled": cfg.Comments}
	out["attachments"] = object{"enabled": cfg.Attachments}
	return out
}

func connectorDocument(w *state.World, c *state.Connector) object {
	out := object{
		"createdUser": c.In.CreatedBy, "lastModifiedUser": c.In.CreatedBy,
		"createdDate": date(w, c.In.Created), "lastModifiedDate": date(w, c.In.Modified),
		"connectorKey": c.Key, "projectKey": c.Project,
	}
	if w.Assumed {
		out["jiraBaseUrl"], out["jql"] = c.Jira.URL, c.JQL
	}
	return out
}

// statusDocument returns the "status" object of the list samples. ASSUMED: GET status returns the same object; all
// words other than STOPPED and IDLE, which the samples show.
func statusDocument(in *state.Integration) object {
	status := in.Status
	if in.Server.StatusEnum {
		status = strings.ReplaceAll(status, " ", "_")
	}
	out := object{"status": status}
	for n, c := range in.Connectors {
		out[[]string{"firstConnector", "secondConnector"}[n]] = connectorStatus(c)
	}
	return out
}

func connectorStatus(c *state.Connector) object {
	route, incoming, outgoing := "STOPPED", "IDLE", "IDLE"
	if engine.Active(c.In) {
		route = "STARTED"
		if len(c.Inbox) > 0 {
			incoming = "PROCESSING"
		}
		if to := c.Peer(); len(c.In.Outbox) > 0 || c.In.Transport == state.Direct && to != nil && len(to.Inbox) > 0 {
			outgoing = "PROCESSING"
		}
	}
	return object{
		"connectorKey": c.Key, "online": c.Tab() != nil, "reconnecting": false,
		"incomingRouteStatus": route, "incomingProcessingStatus": incoming, "incomingDetails": "",
		"outgoingRouteStatus": route, "outgoingProcessingStatus": outgoing, "outgoingDetails": "",
		"externalRouteStatus": route, "issuesInError": len(c.Errors),
	}
}

// conflictsDocument returns the list of conflicts, empty if the configuration is valid. ASSUMED: the whole shape;
// without assumed members it shows only their number.
func conflictsDocument(w *state.World, found []string) []any {
	out := []any{}
	for _, text := range found {
		o := object{}
		if w.Assumed {
			o["message"] = text
		}
		out = append(out, o)
	}
	return out
}
