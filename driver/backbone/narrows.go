package backbone

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// parts holds what a synchronization carries, by the names that accept uses: comments, field.summary, first.jql. A
// missing part is not carried.
type parts map[string]string

const (
	on  = "on"
	off = "off"

	issueTypesPart  = "issue_types"
	fieldPart       = "field"
	commentsPart    = "comments"
	attachmentsPart = "attachments"
	directionPart   = "direction" // the fields whose direction is unknown; a known direction is in the field's part
	jqlPart         = ".jql"      // after the end's name: first.jql
)

// isPart reports whether name is a part that accept may name.
func isPart(name string) bool {
	group, _, _ := strings.Cut(name, ".")
	switch group {
	case issueTypesPart, fieldPart:
		return true
	case first, second:
		return strings.HasSuffix(name, jqlPart)
	}
	return name == commentsPart || name == attachmentsPart || name == directionPart
}

// addType adds an issue type and the type that it becomes on the second end. Several types may become the same one.
func (p parts) addType(first, second string) {
	first, second = schema.NameForm(first), schema.NameForm(second)
	name := issueTypesPart + "." + first
	seconds := append(strings.Split(p[name], ", "), second)
	slices.Sort(seconds)
	p[name] = strings.Join(slices.DeleteFunc(seconds, func(s string) bool { return s == "" }), ", ")
}

func (p parts) addField(f field) {
	f.First, f.Second = schema.NameForm(f.First), schema.NameForm(f.Second)
	p[fieldPart+"."+f.First] = f.String()
}

func (p parts) addFilter(end string, jql *string) {
	if jql != nil && strings.TrimSpace(*jql) != "" {
		p[end+jqlPart] = schema.NameForm(strings.TrimSpace(*jql))
	}
}

func (p parts) addSwitch(name string, value *bool) {
	if value != nil {
		p[name] = map[bool]string{true: on, false: off}[*value]
	}
}

// newParts returns what the new synchronization is declared to carry.
func (m *migration) newParts() parts {
	p := parts{}
	for a, b := range m.to.IssueTypes {
		p.addType(a, b)
	}
	for _, f := range m.to.fields() {
		p.addField(f)
	}
	p.addSwitch(commentsPart, m.to.Comments)
	p.addSwitch(attachmentsPart, m.to.Attachments)
	for _, e := range []*end{m.to.one, m.to.two} {
		p.addFilter(e.name, e.JQL)
	}
	return p
}

// original returns the configuration of the original: each part as it was read or, if it could not be read, as it is
// declared. The master's half defines the mappings; a slave's half on its own has them too.
func (s *standing) original() configuration {
	var c configuration
	for _, role := range roles {
		h := s.half(role)
		if !h.found() {
			continue
		}
		r := h.Configuration
		if c.IssueTypes == nil {
			c.IssueTypes = r.IssueTypes
		}
		if c.Fields == nil {
			c.Fields = r.Fields
		}
		c.Comments, c.Attachments = cmp.Or(c.Comments, r.Comments), cmp.Or(c.Attachments, r.Attachments)
	}
	if c.IssueTypes == nil {
		c.IssueTypes = s.from.IssueTypes
	}
	if c.Fields == nil && len(s.from.Fields) > 0 {
		c.Fields = s.from.fields()
		for i := range c.Fields {
			c.Fields[i].Direction = ""
		}
	}
	c.Comments, c.Attachments = cmp.Or(c.Comments, s.from.Comments), cmp.Or(c.Attachments, s.from.Attachments)
	c.FirstJQL, c.SecondJQL = s.filter(s.staying), s.filter(s.moving)
	return c
}

// filter returns the JQL of one half, or nil if it can neither be read nor is declared.
func (s *standing) filter(role string) *string {
	if h := s.half(role); h.found() && h.Configuration.FirstJQL != nil {
		return h.Configuration.FirstJQL
	}
	return s.from.end(role).JQL
}

// originalParts returns what the original carries, seen from the end that stays, and which parts are unknown.
func (s *standing) originalParts() (p parts, unknown []string) {
	c := s.original()
	p = parts{}
	turned := s.staying == slave // the original's mappings are written from the master's side
	for a, b := range c.IssueTypes {
		if turned {
			a, b = b, a
		}
		p.addType(a, b)
	}
	declared, want := s.directions()
	var undirected []string
	for _, f := range c.Fields {
		f.Direction = cmp.Or(f.Direction, declared[schema.NameForm(f.First)])
		if turned {
			f = f.turned()
		}
		if to, both := want[schema.NameForm(f.First)]; f.Direction == "" && both {
			f.Direction = to // it cannot be said to differ
			undirected = append(undirected, f.First)
		}
		p.addField(f)
	}
	if len(undirected) > 0 {
		p[directionPart] = "unknown for " + strings.Join(undirected, ", ")
		unknown = append(unknown, directionPart)
	}
	p.addSwitch(commentsPart, c.Comments)
	p.addSwitch(attachmentsPart, c.Attachments)
	p.addFilter(first, c.FirstJQL)
	p.addFilter(second, c.SecondJQL)
	for _, part := range []struct {
		name  string
		known bool
	}{
		{issueTypesPart, c.IssueTypes != nil}, {fieldPart, c.Fields != nil}, {commentsPart, c.Comments != nil},
		{attachmentsPart, c.Attachments != nil}, {first + jqlPart, c.FirstJQL != nil || !s.half(s.staying).found()},
		{second + jqlPart, c.SecondJQL != nil || !s.half(s.moving).found()},
	} {
		if !part.known {
			unknown = append(unknown, part.name)
		}
	}
	return p, unknown
}

// directions returns the declared directions of the original's and the new synchronization's fields, by the first
// end's name in the form in which names are compared. For the original, a direction that is only a default is left
// out: nobody has declared it.
func (s *standing) directions() (original, replacement map[string]string) {
	original, replacement = map[string]string{}, map[string]string{}
	for _, f := range s.from.fields() {
		if *s.from.Range("field", f.First, "direction") == *s.from.Range("field", f.First) {
			continue
		}
		original[schema.NameForm(f.First)] = f.Direction
	}
	for _, f := range s.to.fields() {
		replacement[schema.NameForm(f.First)] = f.Direction
	}
	return original, replacement
}

// replaced compares the original with the new synchronization, part by part, sorted by name.
func (s *standing) replaced() []planner.Replaced {
	if s.from == nil || !s.half(master).found() && !s.half(slave).found() {
		return nil
	}
	have, unknown := s.originalParts()
	want := s.newParts()
	var out []planner.Replaced
	add := func(name, from, to string, becomes planner.Becoming) {
		out = append(out, planner.Replaced{Part: name, Original: from, New: to, Becomes: becomes,
			Accepted: slices.Contains(s.Accept, name)})
	}
	for _, name := range unknown {
		group := name + "."
		for p := range want {
			if strings.HasPrefix(p, group) { // it cannot be said to be new
				have[p] = want[p]
			}
		}
		if want[name] != on { // what is on in the new one cannot be lost
			add(name, cmp.Or(have[name], unreadPart), shownPart(name, want), planner.Unknown)
		}
		delete(want, name)
		delete(have, name)
	}
	names := maps.Clone(have)
	maps.Copy(names, want)
	for name := range names {
		a, b := have[name], want[name]
		becomes := planner.Altered
		switch {
		case a == b || a == off && b == "":
			continue
		case a == off || a == "" && !strings.HasSuffix(name, jqlPart):
			becomes = planner.Gained
		case b == off || b == "" && !strings.HasSuffix(name, jqlPart):
			becomes = planner.Lost
		}
		add(name, shownPart(name, have), shownPart(name, want), becomes)
	}
	slices.SortFunc(out, func(a, b planner.Replaced) int { return strings.Compare(a.Part, b.Part) })
	return out
}

const unreadPart = "unknown: it cannot be read over REST, and is not declared"

// narrowings returns findings about what is lost or changed. It must be accepted by name before the original may be
// deleted.
func (s *standing) narrowings() []planner.Finding {
	var out []planner.Finding
	for _, r := range s.replaced() {
		switch {
		case s.byEmail(r.Part, r.Original, r.New):
			out = append(out, s.changing(ruleByEmail, r, "The cloud has no user names ("+guide+", step 3.3)."))
		case r.Becomes == planner.Gained:
			out = append(out, s.changing(ruleWidens, r, ""))
		default:
			out = append(out, s.narrowing(r))
		}
	}
	return out
}

// shownPart returns the value of a part for people.
func shownPart(name string, p parts) string {
	switch {
	case p[name] != "":
		return p[name]
	case name == commentsPart, name == attachmentsPart:
		return "not declared"
	case name == fieldPart, name == issueTypesPart, name == directionPart:
		return "as declared"
	case strings.HasSuffix(name, jqlPart):
		return "no filter"
	}
	return "not mapped"
}

// byEmail reports whether the only change is that users are mapped by e-mail. The cloud requires that, and nothing is
// lost.
func (s *standing) byEmail(name, from, to string) bool {
	for _, way := range directions() {
		if a, was := strings.CutSuffix(from, ", "+way); was && strings.HasSuffix(to, ", "+way) {
			from, to = a, strings.TrimSuffix(to, ", "+way)
		}
	}
	a, was := strings.CutSuffix(from, " ("+userByName+")")
	b, is := strings.CutSuffix(to, " ("+userByEmail+")")
	if f := strings.TrimPrefix(name, fieldPart+"."); !was && slices.Contains(userFields, strings.ToLower(f)) {
		a, was = strings.CutSuffix(from, " ("+passthrough+")")
	}
	return was && is && a == b
}

func (s *standing) changing(rule string, r planner.Replaced, detail string) planner.Finding {
	step := opConfigure
	if s.deleteOriginal {
		step = op(opDelete, s.moving)
		if s.left() != "" {
			step = op(opDelete, s.left())
		}
	}
	return planner.Finding{Rule: product + "/" + rule, Severity: planner.Note, Op: step, Detail: detail,
		Summary: fmt.Sprintf("%s: %s in the original, %s in the new one", r.Part, r.Original, r.New)}
}

func (s *standing) narrowing(r planner.Replaced) planner.Finding {
	detail := fmt.Sprintf("If that is meant, say so in %s: accept = [%q]; otherwise declare it in %s.", s.Addr(), r.Part,
		s.to.Addr())
	if r.Accepted {
		detail = "The declaration accepts it."
	}
	f := s.changing(ruleNarrows, r, detail)
	f.Severity = planner.Warn
	if s.deleteOriginal && !r.Accepted {
		f.Severity = planner.Refuse
	}
	return f
}
