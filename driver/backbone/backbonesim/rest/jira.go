package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// jiraDate is the layout of dates in Jira's own REST answers.
const jiraDate = "2006-01-02T15:04:05.000-0700"

func jiraTime(ms int64) string { return time.UnixMilli(ms).UTC().Format(jiraDate) }

func jiraError(status int, text string) reply {
	return jsonReply(status, object{"errorMessages": []string{text}, "errors": object{}})
}

// serveJira answers rest/api/VERSION/...: docs.atlassian.com/software/jira/docs/api/REST/9.12.0 (Data Center,
// version 2 only) and developer.atlassian.com/cloud/jira/platform/rest/v3 (cloud, 2 and 3; 2 has plain text for
// rich text).
func serveJira(s *state.Server, r *request, path []string) reply {
	version := path[0]
	if version != "2" && version != "latest" && (version != "3" || !s.Cloud) || len(path) < 2 {
		return textReply(http.StatusNotFound, "not found")
	}
	rich := s.Cloud && version != "2"
	rest := path[1:]
	if rest[0] == "serverInfo" && len(rest) == 1 {
		return serverInfo(s) // open to everybody on both
	}
	if r.user = authenticate(s, r.Request); r.user == nil {
		return unauthorized()
	}
	if rest[0] == "search" {
		return serveSearch(s, r, rest[1:], version, rich)
	}
	if len(rest) >= 3 && len(rest) <= 4 && rest[0] == "project" && rest[2] == "properties" {
		return serveProperties(s, r, version, rest[1:])
	}
	if r.Method != http.MethodGet {
		return notAllowed(http.MethodGet)
	}
	switch {
	case len(rest) == 1 && rest[0] == "myself":
		return jsonReply(http.StatusOK, userDocument(s, r.user.Name))
	case len(rest) == 2 && rest[0] == "project":
		p := s.Projects[rest[1]]
		if p == nil {
			return noProject(rest[1])
		}
		return jsonReply(http.StatusOK, projectDocument(s, p))
	case len(rest) >= 2 && rest[0] == "issue":
		i := s.Issue(rest[1])
		if i == nil {
			return jiraError(http.StatusNotFound, "Issue Does Not Exist")
		}
		switch {
		case len(rest) == 2:
			return jsonReply(http.StatusOK, issueDocument(s, i, fieldsOf(r.URL.Query()["fields"], "*all"), rich, version))
		case len(rest) == 3 && rest[2] == "comment":
			return listComments(s, r, i, rich)
		}
	}
	return jiraError(http.StatusNotFound, "null for uri: "+r.URL.Path)
}

func serverInfo(s *state.Server) reply {
	kind := "Server" // Data Center answers this, too
	if s.Cloud {
		kind = "Cloud"
	}
	return jsonReply(http.StatusOK, object{
		"baseUrl": s.URL, "version": s.Jira, "deploymentType": kind, "serverTitle": "Jira " + s.Name,
	})
}

func userDocument(s *state.Server, name string) any {
	u := s.User(name)
	if u == nil {
		if name == "" {
			return nil
		}
		return object{"displayName": name, "active": false}
	}
	out := object{"displayName": u.Display, "active": true}
	if s.Cloud {
		out["accountId"], out["accountType"] = u.Name, "atlassian"
	} else {
		out["name"], out["key"] = u.Name, u.Name
	}
	if !u.Hidden {
		out["emailAddress"] = u.Email
	}
	return out
}

func projectDocument(s *state.Server, p *state.Project) object {
	types := []any{}
	for n, name := range p.IssueTypes {
		types = append(types, object{"id": fmt.Sprint(10001 + n), "name": name, "subtask": false})
	}
	return object{
		"self": s.URL + "/rest/api/2/project/" + p.ID, "id": p.ID, "key": p.Key, "name": p.Name,
		"projectTypeKey": "software", "issueTypes": types,
	}
}

// fieldsOf reads the fields parameter: names separated by commas, which may be given several times.
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

func issueDocument(s *state.Server, i *state.Issue, fields []string, rich bool, version string) object {
	all := issueFields(s, i, rich)
	chosen := object{}
	for name, value := range all {
		every := slices.Contains(fields, "*all") || slices.Contains(fields, "*navigable") && name != "comment"
		if (every || slices.Contains(fields, name)) && !slices.Contains(fields, "-"+name) {
			chosen[name] = value
		}
	}
	return object{
		"id": i.ID, "key": i.Key, "self": s.URL + "/rest/api/" + version + "/issue/" + i.ID, "fields": chosen,
	}
}

func issueFields(s *state.Server, i *state.Issue, rich bool) object {
	p := s.Projects[state.ProjectOf(i.Key)]
	out := object{
		"issuetype": object{"name": i.Typ}, "project": object{"id": p.ID, "key": p.Key, "name": p.Name},
		"created": jiraTime(i.Created), "updated": jiraTime(i.Updated), "labels": []string{},
		"assignee": nil, "reporter": nil, "priority": nil, "description": nil,
	}
	for name, text := range i.Fields {
		switch name {
		case "status", "priority":
			out[name] = object{"name": text}
		case "assignee", "reporter":
			out[name] = userDocument(s, text)
		case "labels":
			out[name] = append([]string{}, strings.Fields(text)...)
		case "description", "environment":
			out[name] = richText(text, rich)
		default:
			out[name] = text
		}
	}
	comments := commentDocuments(s, i, rich)
	out["comment"] = object{"comments": comments, "maxResults": len(comments), "startAt": 0, "total": len(comments)}
	files := []any{}
	for _, a := range i.Attachments {
		files = append(files, object{
			"id": a.ID, "filename": a.Filename, "size": a.Size, "author": userDocument(s, a.Author),
			"created": jiraTime(a.Created),
		})
	}
	out["attachment"] = files
	return out
}

// richText returns a text as it is or, if rich is true, as a document of version 3 of the cloud's interface.
func richText(text string, rich bool) any {
	if !rich {
		return text
	}
	return object{"type": "doc", "version": 1, "content": []any{
		object{"type": "paragraph", "content": []any{object{"type": "text", "text": text}}},
	}}
}

func commentDocuments(s *state.Server, i *state.Issue, rich bool) []any {
	out := []any{}
	for _, c := range i.Comments {
		out = append(out, object{
			"self": s.URL + "/rest/api/2/issue/" + i.ID + "/comment/" + c.ID, "id": c.ID, "body": richText(c.Body, rich),
			"author": userDocument(s, c.Author), "created": jiraTime(c.Created), "updated": jiraTime(c.Created),
		})
	}
	return out
}

func listComments(s *state.Server, r *request, i *state.Issue, rich bool) reply {
	all := commentDocuments(s, i, rich)
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
	return jsonReply(http.StatusOK, object{"startAt": start, "maxResults": limit, "total": total,
		"comments": all[start:end]})
}
