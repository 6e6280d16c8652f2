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

// parts are what a synchronization carries, by the names that accept uses: comments, field.summary, first.jql. A part
// that is missing is not carried.
type parts map[string]string

const (
	on  = "on"
	off = "off"

	issueTypesPart  = "issue_types"
	fieldPart       = "field"
	commentsPart    = "comments"
	attachmentsPart = "attachments"
	jqlPart         = ".jql" // after the end's name: first.jql
)

// isPart tells whether accept may name it.
func isPart(name string) bool {
	group, _, _ := strings.Cut(name, ".")
	switch group {
	case issueTypesPart, fieldPart:
		return true
	case first, second:
		return strings.HasSuffix(name, jqlPart)
	}
	return name == commentsPart || name == attachmentsPart
}

// addType adds an issue type that becomes another one on the second end. Several may become one.
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

// newParts is what the new synchronization is declared to carry.
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

// original is the configuration of the original: as it is read, and where it cannot be read, as it is declared. The
// master's half defines the mappings; a slave's half that is left alone has them too.
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
	}
	c.Comments, c.Attachments = cmp.Or(c.Comments, s.from.Comments), cmp.Or(c.Attachments, s.from.Attachments)
	c.FirstJQL, c.SecondJQL = s.filter(s.staying), s.filter(s.moving)
	return c
}

// filter is the JQL of one half, nil where it can neither be read nor is declared.
func (s *standing) filter(role string) *string {
	if h := s.half(role); h.found() && h.Configuration.FirstJQL != nil {
		return h.Configuration.FirstJQL
	}
	return s.from.end(role).JQL
}

// originalParts is what the original carries, seen from the end that stays, and which parts are unknown.
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
	for _, f := range c.Fields {
		if turned {
			f.First, f.Second = f.Second, f.First
		}
		p.addField(f)
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

// narrowings compare the original with the synchronization that replaces it, part by part. What is lost or changed
// must be accepted by name before the original may be deleted.
func (s *standing) narrowings() []planner.Finding {
	have, unknown := s.originalParts()
	want := s.newParts()
	var out []planner.Finding
	for _, name := range unknown {
		group := name + "."
		for _, p := range slices.Sorted(maps.Keys(want)) {
			if strings.HasPrefix(p, group) { // it cannot be said to be new
				have[p] = want[p]
			}
		}
		if want[name] != on { // what is on in the new one cannot be lost
			out = append(out, s.narrowing(name, "unknown: it cannot be read over REST, and is not declared",
				shownPart(name, want)))
		}
		delete(want, name)
	}
	names := maps.Clone(have)
	maps.Copy(names, want)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := have[name], want[name]
		switch {
		case a == b || a == off && b == "":
		case s.byEmail(name, a, b):
			out = append(out, s.changing(ruleByEmail, name, a, b, "The cloud has no user names ("+guide+", step 3.3)."))
		case a == off || a == "" && !strings.HasSuffix(name, jqlPart):
			out = append(out, s.changing(ruleWidens, name, shownPart(name, have), b, ""))
		default:
			out = append(out, s.narrowing(name, shownPart(name, have), shownPart(name, want)))
		}
	}
	return out
}

// shownPart is a part's value for people.
func shownPart(name string, p parts) string {
	switch {
	case p[name] != "":
		return p[name]
	case name == commentsPart, name == attachmentsPart:
		return "not declared"
	case name == fieldPart, name == issueTypesPart:
		return "as declared"
	case strings.HasSuffix(name, jqlPart):
		return "no filter"
	}
	return "not mapped"
}

// byEmail: a user mapping that becomes one by e-mail, as the cloud asks for, loses nothing.
func (s *standing) byEmail(name, from, to string) bool {
	a, was := strings.CutSuffix(from, " ("+userByName+")")
	b, is := strings.CutSuffix(to, " ("+userByEmail+")")
	if f := strings.TrimPrefix(name, fieldPart+"."); !was && slices.Contains(userFields, strings.ToLower(f)) {
		a, was = strings.CutSuffix(from, " ("+passthrough+")")
	}
	return was && is && a == b
}

func (s *standing) changing(rule, name, from, to, detail string) planner.Finding {
	step := opConfigure
	if s.deleteOriginal {
		step = op(opDelete, s.moving)
		if s.left() != "" {
			step = op(opDelete, s.left())
		}
	}
	return planner.Finding{Rule: product + "/" + rule, Severity: planner.Note, Op: step,
		Summary: fmt.Sprintf("%s: %s in the original, %s in the new one", name, from, to),
		Detail:  strings.TrimSpace(fmt.Sprintf("original: %s\nnew: %s\n%s", from, to, detail))}
}

func (s *standing) narrowing(name, from, to string) planner.Finding {
	detail := fmt.Sprintf("If that is meant, say so in %s: accept = [%q]; otherwise declare it in %s.", s.Addr(), name,
		s.to.Addr())
	if slices.Contains(s.Accept, name) {
		detail = "The declaration accepts it."
	}
	f := s.changing(ruleNarrows, name, from, to, detail)
	f.Severity = planner.Warn
	if s.deleteOriginal && !slices.Contains(s.Accept, name) {
		f.Severity = planner.Refuse
	}
	return f
}
