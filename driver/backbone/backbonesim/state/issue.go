package state

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Field returns the value of a field by its name in JQL.
func (i *Issue) Field(name string) string {
	switch name {
	case "project":
		return ProjectOf(i.Key)
	case "key", "issuekey":
		return i.Key
	case "id":
		return i.ID
	case "issuetype", "type":
		return i.Typ
	}
	return i.Fields[name]
}

// Issue returns an issue by its key, or nil if there is none.
func (s *Server) Issue(key string) *Issue {
	if p := s.Projects[ProjectOf(key)]; p != nil {
		return p.ByKey[key]
	}
	return nil
}

// ProjectOf returns the part of an issue key before the number: "SAM2" of "SAM2-1".
func ProjectOf(issueKey string) string {
	i := strings.LastIndexByte(issueKey, '-')
	if i < 0 {
		return ""
	}
	return issueKey[:i]
}

// Project is a Jira project with its issues.
type Project struct {
	ID         string
	Key, Name  string
	IssueTypes []string
	Issues     []*Issue // by number
	ByKey      map[string]*Issue
	Next       int
	Changed    int64 // stamp of the newest change
	Properties map[string]json.RawMessage
}

// Add adds an issue, in the order of numbers.
func (p *Project) Add(i *Issue) {
	n, _ := strconv.Atoi(i.Key[len(p.Key)+1:])
	i.Number = n
	p.Next = max(p.Next, n+1)
	p.ByKey[i.Key] = i
	at, _ := slices.BinarySearchFunc(p.Issues, n, func(x *Issue, n int) int { return x.Number - n })
	p.Issues = slices.Insert(p.Issues, at, i)
}

// Issue is one issue of a Jira.
type Issue struct {
	ID, Key, Typ string
	Number       int
	Fields       map[string]string // status, summary, assignee, ..., by Jira's names
	Created      int64
	Updated      int64
	Comments     []*Comment
	Attachments  []*Attachment
	Changes      []Change
	Panels       map[string]*Panel // by server and integration key
}

// Comment is a comment of an issue.
type Comment struct {
	ID, Author, Body string
	Created          int64
}

// Attachment is an attachment of an issue, without its content.
type Attachment struct {
	ID, Filename, Author string
	Size, Created        int64
}

// Change is a change that a Backbone may have to send. Field is "" for a comment.
type Change struct {
	At         int64
	User       string
	Field      string
	Attachment string
}

// Panel is what the sync info panel of an issue shows about one synchronization (W/5.22/cloud/sync-panel).
type Panel struct {
	Partner              string
	LastSent, LastGotten int64
}

// ChangedBy records a change of an issue.
func (p *Project) ChangedBy(i *Issue, c Change) {
	i.Changes = append(i.Changes, c)
	i.Updated = c.At
	p.Changed = c.At
}

// Panel returns what an issue shows about a synchronization. It creates the panel if there is none.
func (i *Issue) Panel(key string) *Panel {
	if i.Panels[key] == nil {
		i.Panels[key] = &Panel{}
	}
	return i.Panels[key]
}
