package backbonesim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// jiraDate is the layout of dates in Jira's own REST answers.
const jiraDate = "2006-01-02T15:04:05.000-0700"

func jiraTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(jiraDate) }

func jiraError(status int, text string) reply {
	return jsonReply(status, object{"errorMessages": []string{text}, "errors": object{}})
}

// serveJira answers rest/api/VERSION/...: docs.atlassian.com/software/jira/docs/api/REST/9.12.0 (Data Center, version 2
// only) and developer.atlassian.com/cloud/jira/platform/rest/v3 (cloud, 2 and 3; 2 has plain text for rich text).
func (w *World) serveJira(s *server, r *request, path []string) reply {
	version := path[0]
	if version != "2" && version != "latest" && (version != "3" || !s.cloud) || len(path) < 2 {
		return textReply(http.StatusNotFound, "not found")
	}
	rich := s.cloud && version != "2"
	rest := path[1:]
	if rest[0] == "serverInfo" && len(rest) == 1 {
		return s.serverInfo() // open to everybody on both
	}
	if r.user = s.authenticate(r.Request); r.user == nil {
		return unauthorized()
	}
	if rest[0] == "search" {
		return w.serveSearch(s, r, rest[1:], version, rich)
	}
	if r.Method != http.MethodGet {
		return notAllowed(http.MethodGet)
	}
	switch {
	case len(rest) == 1 && rest[0] == "myself":
		return jsonReply(http.StatusOK, s.userDocument(r.user.name))
	case len(rest) == 2 && rest[0] == "project":
		p := s.projects[rest[1]]
		if p == nil {
			return jiraError(http.StatusNotFound, fmt.Sprintf("No project could be found with key '%s'.", rest[1]))
		}
		return jsonReply(http.StatusOK, s.projectDocument(p))
	case len(rest) >= 2 && rest[0] == "issue":
		i := s.issue(rest[1])
		if i == nil {
			return jiraError(http.StatusNotFound, "Issue Does Not Exist")
		}
		switch {
		case len(rest) == 2:
			return jsonReply(http.StatusOK, s.issueDocument(i, fieldsOf(r.URL.Query()["fields"], "*all"), rich, version))
		case len(rest) == 3 && rest[2] == "comment":
			return s.listComments(r, i, rich)
		}
	}
	return jiraError(http.StatusNotFound, "null for uri: "+r.URL.Path)
}

func (s *server) serverInfo() reply {
	kind := "Server" // what Data Center answers, too
	if s.cloud {
		kind = "Cloud"
	}
	return jsonReply(http.StatusOK, object{
		"baseUrl": s.url, "version": s.jira, "deploymentType": kind, "serverTitle": "Jira " + s.name,
	})
}

func (s *server) userDocument(name string) any {
	u := s.user(name)
	if u == nil {
		if name == "" {
			return nil
		}
		return object{"displayName": name, "active": false}
	}
	out := object{"displayName": u.display, "active": true}
	if s.cloud {
		out["accountId"], out["accountType"] = u.name, "atlassian"
	} else {
		out["name"], out["key"] = u.name, u.name
	}
	if !u.hidden {
		out["emailAddress"] = u.email
	}
	return out
}

func (s *server) projectDocument(p *project) object {
	types := []any{}
	for n, name := range p.issueTypes {
		types = append(types, object{"id": fmt.Sprint(10001 + n), "name": name, "subtask": false})
	}
	return object{
		"self": s.url + "/rest/api/2/project/" + p.id, "id": p.id, "key": p.key, "name": p.name,
		"projectTypeKey": "software", "issueTypes": types,
	}
}

// fieldsOf reads the fields parameter: names separated by commas, given once or more often.
func fieldsOf(given []string, otherwise string) []string {
	var out []string
	for _, list := range given {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
	}
	if len(out) == 0 {
		return []string{otherwise}
	}
	return out
}

func (s *server) issueDocument(i *issue, fields []string, rich bool, version string) object {
	all := s.issueFields(i, rich)
	chosen := object{}
	for name, value := range all {
		every := slices.Contains(fields, "*all") || slices.Contains(fields, "*navigable") && name != "comment"
		if (every || slices.Contains(fields, name)) && !slices.Contains(fields, "-"+name) {
			chosen[name] = value
		}
	}
	return object{
		"id": i.id, "key": i.key, "self": s.url + "/rest/api/" + version + "/issue/" + i.id, "fields": chosen,
	}
}

func (s *server) issueFields(i *issue, rich bool) object {
	p := s.projects[projectOf(i.key)]
	out := object{
		"issuetype": object{"name": i.typ}, "project": object{"id": p.id, "key": p.key, "name": p.name},
		"created": jiraTime(i.created), "updated": jiraTime(i.updated), "labels": []string{},
		"assignee": nil, "reporter": nil, "priority": nil, "description": nil,
	}
	for name, text := range i.fields {
		switch name {
		case "status", "priority":
			out[name] = object{"name": text}
		case "assignee", "reporter":
			out[name] = s.userDocument(text)
		case "labels":
			out[name] = append([]string{}, strings.Fields(text)...)
		case "description", "environment":
			out[name] = richText(text, rich)
		default:
			out[name] = text
		}
	}
	comments := s.commentDocuments(i, rich)
	out["comment"] = object{"comments": comments, "maxResults": len(comments), "startAt": 0, "total": len(comments)}
	files := []any{}
	for _, a := range i.attachments {
		files = append(files, object{
			"id": a.id, "filename": a.filename, "size": a.size, "author": s.userDocument(a.author), "created": jiraTime(a.created),
		})
	}
	out["attachment"] = files
	return out
}

// richText is text as it is, or as a document of version 3 of the cloud's interface.
func richText(text string, rich bool) any {
	if !rich {
		return text
	}
	return object{"type": "doc", "version": 1, "content": []any{
		object{"type": "paragraph", "content": []any{object{"type": "text", "text": text}}},
	}}
}

func (s *server) commentDocuments(i *issue, rich bool) []any {
	out := []any{}
	for _, c := range i.comments {
		out = append(out, object{
			"self": s.url + "/rest/api/2/issue/" + i.id + "/comment/" + c.id, "id": c.id, "body": richText(c.body, rich),
			"author": s.userDocument(c.author), "created": jiraTime(c.created), "updated": jiraTime(c.created),
		})
	}
	return out
}

func (s *server) listComments(r *request, i *issue, rich bool) reply {
	all := s.commentDocuments(i, rich)
	start, err := number(r.URL.Query().Get("startAt"), 0)
	if err != nil {
		return jiraError(http.StatusBadRequest, err.Error())
	}
	limit, err := number(r.URL.Query().Get("maxResults"), 1048576)
	if err != nil {
		return jiraError(http.StatusBadRequest, err.Error())
	}
	total := len(all)
	start = min(start, total)
	end := min(start+limit, total)
	return jsonReply(http.StatusOK, object{"startAt": start, "maxResults": limit, "total": total, "comments": all[start:end]})
}
