package state

import (
	"bytes"
	"encoding/json"
)

// dump is a JSON object.
type dump = map[string]any

// State returns everything in the World, for dumps and comparisons: JSON-encodable, always in the same order, without
// passwords, tokens and addresses. Times are epoch milliseconds. The result shares nothing with the World.
func (w *World) State() any {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	servers := dump{}
	for name, s := range w.Named {
		integrations := []any{}
		for _, in := range s.Integrations {
			integrations = append(integrations, in.state(w))
		}
		projects := dump{}
		for key, p := range s.Projects {
			issues := []any{}
			for _, i := range p.Issues {
				issues = append(issues, i.state())
			}
			properties := dump{}
			for name, value := range p.Properties {
				properties[name] = json.RawMessage(bytes.Clone(value))
			}
			projects[key] = dump{"name": p.Name, "issues": issues, "properties": properties}
		}
		users := []any{}
		for _, u := range s.Users() {
			users = append(users, dump{"name": u.Name, "email": u.Email, "permission": u.Permission})
		}
		deployment := "data_center"
		if s.Cloud {
			deployment = "cloud"
		}
		servers[name] = dump{
			"deployment": deployment, "backbone_version": s.Backbone, "users": users, "projects": projects,
			"integrations": integrations,
		}
	}
	return dump{"servers": servers}
}

func (in *Integration) state(w *World) dump {
	types, fields, connectors := []any{}, []any{}, []any{}
	for _, t := range in.Config.IssueTypes {
		types = append(types, dump{"id": t.ID, "first": t.First, "second": t.Second})
	}
	for _, f := range in.Config.Fields {
		fields = append(fields, dump{"id": f.ID, "first": f.First, "second": f.Second, "type": f.Typ,
			"direction": f.Direction})
	}
	for _, c := range in.Connectors {
		connectors = append(connectors, c.state())
	}
	return dump{
		"key": in.Key, "summary": in.Summary, "transport": in.Transport, "role": in.Role, "status": in.Status,
		"issue_types": types, "fields": fields, "comments": in.Config.Comments, "attachments": in.Config.Attachments,
		"conflicts": append([]string{}, w.Conflicts(in)...), "draft": in.Draft != nil, "outbox": messageStates(in.Outbox),
		"connectors": connectors,
	}
}

func (c *Connector) state() dump {
	pairs, failed := []json.RawMessage{}, []any{}
	for _, p := range c.Pairs {
		pairs = append(pairs, p.Encode(c.Key))
	}
	for _, e := range c.Errors {
		failed = append(failed, dump{
			"issue": e.Local, "remote": e.Remote, "error": e.Text, "occurred": e.Occurred, "waiting": messageStates(e.Queue),
		})
	}
	return dump{
		"key": c.Key, "server": c.Jira.Name, "project": c.Project, "jql": c.JQL, "sync_user": c.SyncUser, "pairs": pairs,
		"unanswered": len(c.Pending), "inbox": messageStates(c.Inbox), "errors": failed,
	}
}

func messageStates(list []*Message) []any {
	out := []any{}
	for _, m := range list {
		fields := []string{}
		for _, v := range m.Values {
			fields = append(fields, v.Field)
		}
		out = append(out, dump{
			"kind": m.Kind, "issue": m.Issue, "sequence": m.Seq, "fields": fields, "comments": len(m.Comments),
			"attachments": len(m.Attachments), "at": m.At,
		})
	}
	return out
}

func (i *Issue) state() dump {
	fields := dump{}
	for name, value := range i.Fields {
		fields[name] = value
	}
	comments, attachments, panels := []any{}, []any{}, dump{}
	for _, c := range i.Comments {
		comments = append(comments, dump{"id": c.ID, "author": c.Author, "body": c.Body, "created": c.Created})
	}
	for _, a := range i.Attachments {
		attachments = append(attachments, dump{
			"id": a.ID, "filename": a.Filename, "size": a.Size, "author": a.Author, "created": a.Created,
		})
	}
	for key, p := range i.Panels {
		panels[key] = dump{"partner": p.Partner, "last_sent": p.LastSent, "last_received": p.LastGotten}
	}
	return dump{
		"id": i.ID, "key": i.Key, "type": i.Typ, "fields": fields, "created": i.Created, "updated": i.Updated,
		"comments": comments, "attachments": attachments, "panel": panels,
	}
}
