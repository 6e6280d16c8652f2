// Package jql implements the part of the Jira Query Language that clients of Backbone use.
package jql

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// Query is a parsed JQL text. The subset has clauses on project, key, id, issuetype, status, summary and other plain
// fields with =, !=, ~, IN and NOT IN, joined by AND, OR, NOT and parentheses, and ORDER BY key.
type Query struct {
	Match      func(*state.Issue) bool
	Bounded    bool // it restricts the issues
	Descending bool
}

type jqlParser struct {
	server *state.Server
	tokens []string // words as written, operators, and quoted strings with a leading quote
	depth  int
}

// Parse parses a query as one server understands it.
func Parse(text string, s *state.Server) (*Query, error) {
	p := &jqlParser{server: s}
	if err := p.lex(text); err != nil {
		return nil, err
	}
	q := &Query{Match: func(*state.Issue) bool { return true }}
	if len(p.tokens) > 0 && !p.at("order") {
		m, err := p.or()
		if err != nil {
			return nil, err
		}
		q.Match, q.Bounded = m, true
	}
	if p.take("order") {
		if !p.take("by") {
			return nil, Says("Error in the JQL Query: expecting 'by' but got '%s'.", p.peek())
		}
		if !p.take("key") && !p.take("issuekey") {
			return nil, Says("Error in the JQL Query: this simulator orders by key only, not by '%s'.", p.peek())
		}
		q.Descending = p.take("desc")
		p.take("asc")
	}
	if len(p.tokens) > 0 {
		return nil, Says("Error in the JQL Query: expecting either 'OR' or 'AND' but got '%s'.", p.peek())
	}
	return q, nil
}

// JiraText is an error in Jira's own words, which is sent to the client unchanged.
type JiraText string

// Error implements error.
func (t JiraText) Error() string { return string(t) }

// Says makes a JiraText.
func Says(format string, args ...any) error { return JiraText(fmt.Sprintf(format, args...)) }

func (p *jqlParser) lex(text string) error {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch c := text[0]; {
		case c == '"' || c == '\'':
			end := strings.IndexByte(text[1:], c)
			if end < 0 {
				return Says("Error in the JQL Query: the quoted string %s has not been completed.", text)
			}
			p.tokens = append(p.tokens, `"`+text[1:1+end])
			text = text[end+2:]
		case strings.HasPrefix(text, "!="):
			p.tokens = append(p.tokens, "!=")
			text = text[2:]
		case strings.IndexByte("=~(),", c) >= 0:
			p.tokens = append(p.tokens, text[:1])
			text = text[1:]
		default:
			end := strings.IndexFunc(text, func(r rune) bool {
				return unicode.IsSpace(r) ||
					strings.ContainsRune(`=~!(),"'`, r)
			})
			if end < 0 {
				end = len(text)
			}
			if end == 0 {
				return Says("Error in the JQL Query: the character '%c' is a reserved JQL character.", c)
			}
			p.tokens = append(p.tokens, text[:end])
			text = text[end:]
		}
	}
	return nil
}

func (p *jqlParser) peek() string {
	if len(p.tokens) == 0 {
		return "the end"
	}
	return strings.TrimPrefix(p.tokens[0], `"`)
}

func (p *jqlParser) at(word string) bool {
	return len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], word)
}

func (p *jqlParser) take(word string) bool {
	if !p.at(word) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *jqlParser) or() (func(*state.Issue) bool, error) {
	left, err := p.and()
	for err == nil && p.take("or") {
		before := left
		var right func(*state.Issue) bool
		right, err = p.and()
		left = func(i *state.Issue) bool { return before(i) || right(i) }
	}
	return left, err
}

func (p *jqlParser) and() (func(*state.Issue) bool, error) {
	left, err := p.not()
	for err == nil && p.take("and") {
		before := left
		var right func(*state.Issue) bool
		right, err = p.not()
		left = func(i *state.Issue) bool { return before(i) && right(i) }
	}
	return left, err
}

func (p *jqlParser) not() (func(*state.Issue) bool, error) {
	if p.depth++; p.depth > 200 {
		return nil, Says("Error in the JQL Query: nested too deeply.")
	}
	defer func() { p.depth-- }()
	if p.take("not") {
		m, err := p.not()
		return func(i *state.Issue) bool { return !m(i) }, err
	}
	if p.take("(") {
		m, err := p.or()
		if err == nil && !p.take(")") {
			err = Says("Error in the JQL Query: expecting ')' but got '%s'.", p.peek())
		}
		return m, err
	}
	return p.clause()
}

func (p *jqlParser) clause() (func(*state.Issue) bool, error) {
	if len(p.tokens) < 2 {
		return nil, Says("Error in the JQL Query: expecting a clause but got '%s'.", p.peek())
	}
	field := strings.ToLower(strings.TrimPrefix(p.tokens[0], `"`))
	p.tokens = p.tokens[1:]
	negated := p.take("not")
	switch {
	case p.take("in"):
		values, err := p.list()
		if err != nil {
			return nil, err
		}
		return p.is(field, values, negated)
	case negated:
	case p.take("="):
		values, err := p.operand()
		if err != nil {
			return nil, err
		}
		return p.is(field, values, false)
	case p.take("!="):
		values, err := p.operand()
		if err != nil {
			return nil, err
		}
		return p.is(field, values, true)
	case p.take("~"):
		values, err := p.operand()
		if err != nil {
			return nil, err
		}
		want := strings.ToLower(values[0])
		return func(i *state.Issue) bool { return strings.Contains(strings.ToLower(i.Field(field)), want) }, nil
	}
	return nil, Says("Error in the JQL Query: expecting operator but got '%s'.", p.peek())
}

func (p *jqlParser) operand() ([]string, error) {
	if len(p.tokens) == 0 || strings.ContainsAny(p.tokens[0][:1], "=~(),!") {
		return nil, Says("Error in the JQL Query: expecting a value but got '%s'.", p.peek())
	}
	v := p.peek()
	p.tokens = p.tokens[1:]
	return []string{v}, nil
}

func (p *jqlParser) list() ([]string, error) {
	if !p.take("(") {
		return nil, Says("Error in the JQL Query: expecting '(' but got '%s'.", p.peek())
	}
	var out []string
	for {
		v, err := p.operand()
		if err != nil {
			return nil, err
		}
		out = append(out, v...)
		if p.take(")") {
			return out, nil
		}
		if !p.take(",") {
			return nil, Says("Error in the JQL Query: expecting ')' or ',' but got '%s'.", p.peek())
		}
	}
}

var jqlFields = []string{
	"project", "key", "issuekey", "id", "issuetype", "type", "status", "summary", "description", "priority", "assignee",
	"reporter", "labels",
}

// is returns the clause "field is one of values". Like Jira, it refuses projects and keys that do not exist.
func (p *jqlParser) is(field string, values []string, negated bool) (func(*state.Issue) bool, error) {
	if !slices.Contains(jqlFields, field) && !strings.HasPrefix(field, "customfield_") {
		return nil, Says("Field '%s' does not exist or you do not have permission to view it.", field)
	}
	set := map[string]bool{}
	for _, v := range values {
		switch {
		case field == "project" && p.server.Projects[strings.ToUpper(v)] == nil:
			return nil, Says("The value '%s' does not exist for the field 'project'.", v)
		case (field == "key" || field == "issuekey") && p.server.Issue(strings.ToUpper(v)) == nil:
			return nil, Says("An issue with key '%s' does not exist for field '%s'.", v, field)
		}
		set[strings.ToLower(v)] = true
	}
	return func(i *state.Issue) bool { return set[strings.ToLower(i.Field(field))] != negated }, nil
}
