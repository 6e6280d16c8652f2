package backbone

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/schema"
)

// integration is the answer of GET /integrations and /integrations/{key} (H/4.1/server/
// integration-synchronization-actions-191273974.html), without its configuration. ASSUMED: the names of the members
// for Channel, Role and Partner.
type integration struct {
	Key     string    `json:"key"`
	Summary *string   `json:"summary"` // name in the overview; nil: unknown
	Changed time.Time `json:"changed"` // zero: unknown
	First   connector `json:"first"`
	// nil for a half of an e-mail or file synchronization (inferred from
	// H/5.14/server/monitoring-backbone-issue-sync)
	Second *connector `json:"second"`

	Channel string `json:"channel"` // DIRECT, FILE, EMAIL; "": unknown
	Role    string `json:"role"`    // MASTER, SLAVE; "": unknown
	Partner string `json:"partner"` // the partner's project; "": unknown

	status *syncStatus // in the lists of 3.8, 3.9 and the monitoring page, not in those of 4.1, 5.2, 5.14
}

type connector struct {
	Key     string `json:"key"`
	Project string `json:"project"`
	URL     string `json:"url"` // ASSUMED: the name, jiraBaseUrl; "": unknown
}

// decodeIntegration refuses a document without the keys and projects that identify a synchronization.
func decodeIntegration(o object) (*integration, error) {
	i := &integration{
		Key: o.word("integrationKey"), Summary: member[string](o, "summary"), Changed: date(o.text("lastModifiedDate")),
		Channel: strings.ToUpper(o.word("communicationChannel")), Role: strings.ToUpper(o.word("role")),
		Partner: o.word("partnerProjectKey"),
	}
	if i.Key == "" {
		return nil, errors.New("it has no integrationKey")
	}
	one, err := decodeConnector(o, "firstConnector")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.Key, err)
	}
	i.First = *one
	if second, ok := o["secondConnector"]; ok && string(second) != "null" {
		if i.Second, err = decodeConnector(o, "secondConnector"); err != nil {
			return nil, fmt.Errorf("%s: %w", i.Key, err)
		}
	}
	if s := o.object("status"); s != nil {
		i.status = decodeStatus(s)
	}
	return i, nil
}

func decodeConnector(o object, name string) (*connector, error) {
	m := o.object(name)
	c := &connector{Key: m.word("connectorKey"), Project: m.word("projectKey"), URL: m.text("jiraBaseUrl")}
	if c.Key == "" || c.Project == "" {
		return nil, fmt.Errorf("its %s has no connectorKey or no projectKey", name)
	}
	return c, nil
}

// decodeIntegrations decodes a list. If one element cannot be read, the whole list is unknown: it could be the
// element that is looked for.
func decodeIntegrations(b []byte) ([]integration, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil || list == nil {
		return nil, errors.New("the answer is not a list")
	}
	out := make([]integration, 0, len(list))
	for n, raw := range list {
		o, err := parseObject(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", n+1, err)
		}
		i, err := decodeIntegration(o)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", n+1, err)
		}
		out = append(out, *i)
	}
	return out, nil
}

// ends returns the number of connectors.
func (i *integration) ends() int {
	if i.Second == nil {
		return 1
	}
	return 2
}

// String describes a synchronization so that people can tell it from similar ones.
func (i *integration) String() string {
	s := i.Key
	if i.Summary != nil && *i.Summary != "" {
		s += fmt.Sprintf(" %q", *i.Summary)
	}
	switch {
	case i.Second != nil:
		s += fmt.Sprintf(", direct, %s with %s", i.First.Project, i.Second.Project)
	case i.Partner != "":
		s += fmt.Sprintf(", %s with %s", i.First.Project, i.Partner)
	}
	if !i.Changed.IsZero() {
		s += ", last changed " + i.Changed.UTC().Format(time.DateTime)
	}
	return s
}

// date reads a date in one of the layouts that are seen: with +0100 (documented) and with +01:00. It returns the zero
// time for any other layout, because the rest of the answer is still useful.
func date(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339} { // both take fractions of a second too
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// syncStatus is the documented status object of the lists. GET .../status is assumed to return the same object, alone
// or wrapped in "status".
type syncStatus struct {
	word       string // "": unknown
	connectors []connectorStatus
}

type connectorStatus struct {
	processing [2]string // incoming, outgoing; "": unknown
	inError    *int
}

func decodeStatus(o object) *syncStatus {
	s := &syncStatus{word: statusWord(o.word("status"))}
	for _, name := range []string{"firstConnector", "secondConnector"} {
		if c := o.object(name); c != nil {
			s.connectors = append(s.connectors, connectorStatus{
				processing: [2]string{c.text("incomingProcessingStatus"), c.text("outgoingProcessingStatus")},
				inError:    c.count("issuesInError"),
			})
		}
	}
	return s
}

// statusWord returns the status as the web page shows it. Over REST only the spelling of STOPPED is known, so
// underscores are taken for spaces.
func statusWord(s string) string {
	return strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(s)), "_", " ")
}

// health is what can be read about the state of a synchronization. Nothing may rely on what is unknown: it is
// refused, or a person confirms it.
type health struct {
	Status  string `json:"status"`   // "": unknown
	InError *int   `json:"in_error"` // issues in error on all connectors; nil: unknown
	Idle    *bool  `json:"idle"`     // no connector is processing anything; nil: unknown
}

// health sums up the status of a synchronization with that many connectors. If a connector says nothing, the sum is
// unknown, unless another connector already decides it: with issues in error, or by being busy.
func (s *syncStatus) health(connectors int) health {
	h := health{Status: s.word}
	inError, known := 0, len(s.connectors) >= connectors
	idle, busy := known, false
	for _, c := range s.connectors {
		if c.inError == nil {
			known = false
		} else {
			inError += *c.inError
		}
		for _, p := range c.processing {
			idle = idle && p == "IDLE"
			busy = busy || p != "" && p != "IDLE"
		}
	}
	if known || inError > 0 {
		h.InError = &inError
	}
	if idle || busy {
		h.Idle = &idle
	}
	return h
}

// complete reports whether nothing is unknown.
func (h health) complete() bool { return h.Status != "" && h.InError != nil && h.Idle != nil }

// configuration is the part of a synchronization's configuration that could be read. The documents show that field
// mappings are in the document and have an ID. ASSUMED: the names of all other members. A part that is not where it
// is expected is nil, and whoever compares it must say that it could not be read.
type configuration struct {
	IssueTypes  map[string]string `json:"issue_types"` // nil: unknown
	Fields      []field           `json:"fields"`      // nil: unknown
	SummaryID   string            `json:"summary_id"`  // id of the mapping of summary to summary, "" if there is none
	Comments    *bool             `json:"comments"`
	Attachments *bool             `json:"attachments"`
	FirstJQL    *string           `json:"first_jql"`
	SecondJQL   *string           `json:"second_jql"`
}

func readConfiguration(o object) configuration {
	c := configuration{
		Comments:    enabled(o, "comments"),
		Attachments: enabled(o, "attachments"),
		FirstJQL:    member[string](o.object("firstConnector"), "jql"),
		SecondJQL:   member[string](o.object("secondConnector"), "jql"),
		IssueTypes:  readIssueTypes(o),
	}
	c.Fields, c.SummaryID = readFields(o)
	return c
}

func readIssueTypes(o object) map[string]string {
	list, ok := o.objects("issueTypeMappings")
	if !ok {
		return nil
	}
	out, seen := map[string]string{}, map[string]bool{}
	for _, m := range list {
		a, b := m.text("firstIssueType"), m.text("secondIssueType")
		form := schema.NameForm(a)
		if seen[form] || a == "" || b == "" {
			return nil
		}
		out[a], seen[form] = b, true
	}
	return out
}

func readFields(o object) (fields []field, summaryID string) {
	list, ok := o.objects("fieldMappings")
	if !ok {
		return nil, ""
	}
	fields = []field{}
	readable, seen := true, map[string]bool{}
	for _, m := range list {
		if isSummary(m) && summaryID == "" {
			summaryID = m.id("id")
		}
		f := field{First: m.text("firstField"), Second: m.text("secondField"), Mapping: strings.ToLower(m.text("type"))}
		// a missing or unexpected direction is unknown
		if d := strings.ToLower(m.text("direction")); slices.Contains(directions(), d) {
			f.Direction = d
		}
		form := schema.NameForm(f.First)
		readable = readable && f.First != "" && f.Second != "" && f.Mapping != "" && !seen[form]
		seen[form] = true
		fields = append(fields, f)
	}
	if !readable {
		return nil, summaryID
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.First, b.First) })
	return fields, summaryID
}

// isSummary reports whether a mapping maps summary to summary. If the names of its members are not the expected ones,
// two of its members must be "summary".
func isSummary(m object) bool {
	a, b := m.text("firstField"), m.text("secondField")
	if a != "" && b != "" {
		return strings.EqualFold(a, "summary") && strings.EqualFold(b, "summary")
	}
	n := 0
	for name := range m {
		if strings.EqualFold(m.text(name), "summary") {
			n++
		}
	}
	return n == 2
}

func enabled(o object, name string) *bool {
	if b := member[bool](o, name); b != nil {
		return b
	}
	return member[bool](o.object(name), "enabled")
}

// decodeConflicts returns the answer of GET .../conflicts as lines for people, none if there is no conflict. ASSUMED:
// its shape is not documented; a list is taken for the list of conflicts. Any other answer is unknown: false.
func decodeConflicts(b []byte) ([]string, bool) {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil || list == nil {
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, conflictText(e))
	}
	return out, true
}

func conflictText(b json.RawMessage) string {
	var s string
	if json.Unmarshal(b, &s) == nil && s != "" {
		return s
	}
	if m, err := parseObject(b); err == nil {
		for _, k := range []string{"message", "summary", "description", "text", "key"} {
			if s := m.id(k); s != "" {
				return s
			}
		}
	}
	return string(b)
}
