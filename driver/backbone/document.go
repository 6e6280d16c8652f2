package backbone

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// integration is what GET /integrations and /integrations/{key} answer (H/4.1/server/
// integration-synchronization-actions-191273974.html). Members that only some versions send are pointers.
type integration struct {
	Key     string      `json:"integrationKey"`
	Summary string      `json:"summary"`
	Changed stamp       `json:"lastModifiedDate"`
	Status  *syncStatus `json:"status"` // in the lists of 3.8, 3.9 and the monitoring page, not in those of 4.1, 5.2, 5.14
	First   *connector  `json:"firstConnector"`
	Second  *connector  `json:"secondConnector"` // none: a half of an e-mail or file synchronization (inferred from H/5.14/server/monitoring-backbone-issue-sync)

	config configuration
}

// String tells one synchronization from another that looks alike.
func (i *integration) String() string {
	s := i.Key
	if i.Summary != "" {
		s += fmt.Sprintf(" %q", i.Summary)
	}
	if !i.Changed.IsZero() {
		s += ", last changed " + i.Changed.UTC().Format(time.DateTime)
	}
	return s
}

type connector struct {
	Key     string `json:"connectorKey"`
	Project string `json:"projectKey"`
	URL     string `json:"jiraBaseUrl"` // ASSUMED: the name; "" when not there
}

// syncStatus is the documented status object; GET .../status is taken to answer the same object alone, or wrapped in
// "status" once more.
type syncStatus struct {
	Status string           `json:"status"`
	First  *connectorStatus `json:"firstConnector"`
	Second *connectorStatus `json:"secondConnector"`
}

type connectorStatus struct {
	Key        string `json:"connectorKey"`
	Online     *bool  `json:"online"`
	Incoming   string `json:"incomingProcessingStatus"`
	Outgoing   string `json:"outgoingProcessingStatus"`
	InError    int    `json:"issuesInError"`
	InDetails  string `json:"incomingDetails"`
	OutDetails string `json:"outgoingDetails"`
}

func (s *syncStatus) connectors() []*connectorStatus {
	return slices.DeleteFunc([]*connectorStatus{s.First, s.Second}, func(c *connectorStatus) bool { return c == nil })
}

// inError is the number of issues in error on all connectors.
func (s *syncStatus) inError() int {
	n := 0
	for _, c := range s.connectors() {
		n += c.InError
	}
	return n
}

// idle: no connector is processing anything.
func (s *syncStatus) idle() bool {
	for _, c := range s.connectors() {
		for _, p := range []string{c.Incoming, c.Outgoing} {
			if p != "" && p != "IDLE" {
				return false
			}
		}
	}
	return true
}

// word is the status as the interface shows it: the spelling over REST is known for STOPPED only, so spaces and
// underscores are taken for the same.
func (s *syncStatus) word() string {
	return strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(s.Status)), "_", " ")
}

// stamp is a date in either of the layouts that are seen: with +0100 (documented) and with +01:00. One in another layout
// is zero: no date is worth losing the rest of an answer for.
type stamp struct{ time.Time }

func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339} { // both take fractions of a second too
		if t, err := time.Parse(layout, text); err == nil {
			s.Time = t
			return nil
		}
	}
	return nil
}

// configuration is what of a synchronization's configuration could be read. The documents show that field mappings are
// in the document and have an id; ASSUMED are the names of all other members, so each part is nil when it is not
// where it is expected, and whoever compares must say that it could not be read.
type configuration struct {
	issueTypes  map[string]string // nil: not readable
	fields      []field           // nil: not readable
	summaryID   string            // id of the mapping of summary to summary, "" if there is none
	comments    *bool
	attachments *bool
	firstJQL    *string
	secondJQL   *string
	channel     string // DIRECT, FILE, EMAIL; "" when not readable
	role        string // MASTER, SLAVE; "" when not readable
	partner     string // the partner's project key; "" when not readable
}

func (i *integration) UnmarshalJSON(b []byte) error {
	type plain integration
	if err := json.Unmarshal(b, (*plain)(i)); err != nil {
		return err
	}
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	i.config = readConfiguration(raw)
	return nil
}

func readConfiguration(raw map[string]any) configuration {
	c := configuration{
		comments:    enabled(raw["comments"]),
		attachments: enabled(raw["attachments"]),
		channel:     strings.ToUpper(text(raw["communicationChannel"])),
		role:        strings.ToUpper(text(raw["role"])),
		partner:     text(raw["partnerProjectKey"]),
		firstJQL:    textOf(raw["firstConnector"], "jql"),
		secondJQL:   textOf(raw["secondConnector"], "jql"),
	}
	if list, ok := raw["issueTypeMappings"].([]any); ok {
		c.issueTypes = map[string]string{}
		for _, e := range list {
			m, _ := e.(map[string]any)
			if a, b := text(m["firstIssueType"]), text(m["secondIssueType"]); a != "" && b != "" {
				c.issueTypes[a] = b
				continue
			}
			c.issueTypes = nil
			break
		}
	}
	if list, ok := raw["fieldMappings"].([]any); ok {
		c.fields = []field{}
		for _, e := range list {
			m, _ := e.(map[string]any)
			if isSummary(m) && c.summaryID == "" {
				c.summaryID = text(m["id"])
			}
			f := field{First: text(m["firstField"]), Second: text(m["secondField"]), Mapping: strings.ToLower(text(m["type"]))}
			if f.First == "" || f.Second == "" || f.Mapping == "" {
				c.fields = nil
			}
			if c.fields != nil {
				c.fields = append(c.fields, f)
			}
		}
		slices.SortFunc(c.fields, func(a, b field) int { return strings.Compare(a.First, b.First) })
	}
	return c
}

// isSummary: whatever its members are called, a mapping that speaks of summary and of no other field is the one.
func isSummary(m map[string]any) bool {
	a, okA := m["firstField"]
	b, okB := m["secondField"]
	if okA && okB {
		return strings.EqualFold(text(a), "summary") && strings.EqualFold(text(b), "summary")
	}
	n := 0
	for _, v := range m {
		if strings.EqualFold(text(v), "summary") {
			n++
		}
	}
	return n == 2
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

func textOf(v any, member string) *string {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	s, ok := m[member].(string)
	if !ok {
		return nil
	}
	return &s
}

func enabled(v any) *bool {
	switch v := v.(type) {
	case bool:
		return &v
	case map[string]any:
		if b, ok := v["enabled"].(bool); ok {
			return &b
		}
	}
	return nil
}

// conflictTexts reduces what GET .../conflicts answers to lines for people. ASSUMED: its shape is not documented; an array of
// texts, an array of objects, or an object that holds such an array are all understood; an empty one means no conflict.
func conflictTexts(v any) []string {
	var out []string
	switch v := v.(type) {
	case nil:
	case string:
		if v != "" {
			out = append(out, v)
		}
	case []any:
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				out = append(out, conflictText(m))
				continue
			}
			out = append(out, conflictTexts(e)...)
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if list, ok := v[k].([]any); ok {
				out = append(out, conflictTexts(list)...)
			}
		}
	}
	return out
}

func conflictText(m map[string]any) string {
	for _, k := range []string{"message", "summary", "description", "text", "key"} {
		if s := text(m[k]); s != "" {
			return s
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "a conflict that cannot be shown"
	}
	return string(b)
}
