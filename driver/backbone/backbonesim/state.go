package backbonesim

import (
	"encoding/json"
)

// dump is a JSON object.
type dump = map[string]any

// State gives everything that is in the World, for dumps and comparisons: JSON-encodable, always in the same order,
// without passwords, tokens and addresses. Times are epoch milliseconds. The result shares nothing with the World.
func (w *World) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	servers := dump{}
	for name, s := range w.servers {
		integrations := []any{}
		for _, in := range s.integrations {
			integrations = append(integrations, in.state(w))
		}
		projects := dump{}
		for key, p := range s.projects {
			issues := []any{}
			for _, i := range p.issues {
				issues = append(issues, i.state())
			}
			projects[key] = dump{"name": p.name, "issues": issues}
		}
		users := []any{}
		for _, u := range s.users {
			users = append(users, dump{"name": u.name, "email": u.email, "permission": u.permission})
		}
		deployment := "data_center"
		if s.cloud {
			deployment = "cloud"
		}
		servers[name] = dump{
			"deployment": deployment, "backbone_version": s.backbone, "users": users, "projects": projects,
			"integrations": integrations,
		}
	}
	return dump{"servers": servers}
}

func (in *integration) state(w *World) dump {
	types, fields, connectors := []any{}, []any{}, []any{}
	for _, t := range in.config.issueTypes {
		types = append(types, dump{"id": t.id, "first": t.first, "second": t.second})
	}
	for _, f := range in.config.fields {
		fields = append(fields, dump{"id": f.id, "first": f.first, "second": f.second, "type": f.typ, "direction": f.direction})
	}
	for _, c := range in.connectors {
		connectors = append(connectors, c.state())
	}
	return dump{
		"key": in.key, "summary": in.summary, "transport": in.transport, "role": in.role, "status": in.status,
		"issue_types": types, "fields": fields, "comments": in.config.comments, "attachments": in.config.attachments,
		"conflicts": append([]string{}, w.conflicts(in)...), "draft": in.draft != nil, "outbox": messageStates(in.outbox),
		"connectors": connectors,
	}
}

func (c *connector) state() dump {
	pairs, failed := []json.RawMessage{}, []any{}
	for _, p := range c.pairs {
		pairs = append(pairs, p.encode(c.key))
	}
	for _, e := range c.errors {
		failed = append(failed, dump{
			"issue": e.local, "remote": e.remote, "error": e.text, "occurred": e.occurred, "waiting": messageStates(e.queue),
		})
	}
	return dump{
		"key": c.key, "server": c.jira.name, "project": c.project, "jql": c.jql, "sync_user": c.syncUser, "pairs": pairs,
		"unanswered": len(c.pending), "inbox": messageStates(c.inbox), "errors": failed,
	}
}

func messageStates(list []*message) []any {
	out := []any{}
	for _, m := range list {
		fields := []string{}
		for _, v := range m.values {
			fields = append(fields, v.field)
		}
		out = append(out, dump{
			"kind": m.kind, "issue": m.issue, "sequence": m.seq, "fields": fields, "comments": len(m.comments),
			"attachments": len(m.attachments), "at": m.at,
		})
	}
	return out
}

func (i *issue) state() dump {
	fields := dump{}
	for name, value := range i.fields {
		fields[name] = value
	}
	comments, attachments, panels := []any{}, []any{}, dump{}
	for _, c := range i.comments {
		comments = append(comments, dump{"id": c.id, "author": c.author, "body": c.body, "created": c.created})
	}
	for _, a := range i.attachments {
		attachments = append(attachments, dump{
			"id": a.id, "filename": a.filename, "size": a.size, "author": a.author, "created": a.created,
		})
	}
	for key, p := range i.panels {
		panels[key] = dump{"partner": p.partner, "last_sent": p.lastSent, "last_received": p.lastGotten}
	}
	return dump{
		"id": i.id, "key": i.key, "type": i.typ, "fields": fields, "created": i.created, "updated": i.updated,
		"comments": comments, "attachments": attachments, "panel": panels,
	}
}
