package backbonesim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Statuses of a synchronization: H/5.0/server/synchronizations-overview-182793802.html.
const (
	running         = "RUNNING"
	stopped         = "STOPPED"
	restartRequired = "RESTART REQUIRED"
	handshake       = "HANDSHAKE"
	waitingForSlave = "WAITING FOR SLAVE"
	updateRequired  = "UPDATE REQUIRED"
)

var statuses = []string{running, stopped, restartRequired, handshake, waitingForSlave, updateRequired}

const (
	direct = "direct"
	file   = "file"
	email  = "email"
	master = "master"
	slave  = "slave"
)

// Mapping types: H/5.14/server/common-field-mapping-types, H/5.14/server/user. ASSUMED: their spelling in JSON.
var mappingTypes = []string{
	"passthrough", "user_passthrough_by_username", "user_passthrough_by_email", "user_prefix", "user_correlation",
	"correlation", "to_text",
}

var directions = []string{"bidirectional", "first_to_second", "second_to_first"}

// integration is one synchronization of one server: all of a direct one, or one half of an email or file one, since
// those have "two synchronization configurations, one per partner" (H/5.14/server/synchronization-over-email-or-file-exchange).
type integration struct {
	server       *server // whose Backbone runs it
	key          string
	summary      string
	description  string
	transport    string
	role         string // of a half
	status       string
	createdBy    string
	created      int64
	modified     int64
	config       config
	draft        *config
	planted      []string // conflicts from the seed
	connectors   []*connector
	partner      *integration // the other half; nil once it is deleted
	partnerKey   string       // the partner's project
	manual       bool         // delivery of messages
	deliverAfter int64
	outbox       []*message
	offered      *config // the master's configuration, until the slave takes it over
}

type config struct {
	issueTypes            []typeMapping
	fields                []fieldMapping
	comments, attachments bool
}

type typeMapping struct{ id, first, second string }

type fieldMapping struct {
	id, first, second, typ, direction, prefix string
	values                                    map[string]string
}

// connector is "one half of a synchronization, responsible for one project" (H/5.16/server/connectors).
type connector struct {
	in       *integration
	first    bool
	key      string
	jira     *server // the Jira of the project: for a second connector another one than in.server
	project  string
	jql      string
	syncUser string
	pairs    []*pair // by id
	byLocal  map[string]*pair
	byRemote map[string]*pair
	pending  map[string]*pair // sent, partner's key not known yet
	inbox    []*message
	errors   []*issueError
	scanned  int64
}

// issueError keeps the messages of one issue that cannot be applied: "while an issue has a message error, no new
// messages are applied for it" (H/5.19/cloud/analyze-and-fix-errors).
type issueError struct {
	local, remote, text string
	occurred            int64
	planted             bool // the cause comes from the seed and lasts until it is fixed
	fixed               bool
	queue               []*message
}

func (c *connector) peer() *connector {
	if c.in.transport == direct {
		if c.first {
			return c.in.connectors[1]
		}
		return c.in.connectors[0]
	}
	if c.in.partner == nil {
		return nil
	}
	return c.in.partner.connectors[0]
}

func (c *connector) tab() *project { return c.jira.projects[c.project] }

// panelKey names a synchronization on the issues of any Jira.
func (in *integration) panelKey() string { return in.server.name + "/" + in.key }

func (c *connector) errorOf(remote string) *issueError {
	for _, e := range c.errors {
		if e.remote == remote {
			return e
		}
	}
	return nil
}

// conflicts lists why the configuration is not valid. ASSUMED: which findings there are and their words; the pages
// only say that there is such a list and that tabs show warnings.
func (w *World) conflicts(in *integration) []string {
	out := slices.Clone(in.planted)
	for _, c := range in.connectors {
		if c.tab() == nil {
			out = append(out, fmt.Sprintf("Connection: project %s does not exist in %s.", c.project, c.jira.name))
		}
	}
	return append(out, in.config.conflicts(in)...)
}

func (cfg config) conflicts(in *integration) []string {
	var out []string
	if len(cfg.issueTypes) == 0 {
		out = append(out, "Issue types: no issue type is mapped.")
	}
	for _, t := range cfg.issueTypes {
		for n, name := range []string{t.first, t.second} {
			if n < len(in.connectors) {
				p := in.connectors[n].tab()
				if p != nil && !slices.Contains(p.issueTypes, name) {
					out = append(out, fmt.Sprintf("Issue types: %s does not exist in project %s.", name, p.key))
				}
			}
		}
	}
	// Jira cannot create an issue without a summary.
	if !slices.ContainsFunc(cfg.fields, func(f fieldMapping) bool { return f.first == "summary" && f.second == "summary" }) {
		out = append(out, "Fields: the required field Summary is not mapped.")
	}
	return out
}

// start starts a synchronization; the error says why it cannot be. ASSUMED: that it is refused with conflicts, and
// while master and slave have not agreed (the overview only says that these statuses must be left first).
func (w *World) start(in *integration) error {
	switch in.status {
	case running:
		if in.server.refuseRepeat {
			return fmt.Errorf("%s is already running", in.key)
		}
		return nil
	case handshake, waitingForSlave, updateRequired, restartRequired:
		return fmt.Errorf("%s cannot be started: its status is %s", in.key, in.status)
	}
	if found := w.conflicts(in); len(found) > 0 {
		return fmt.Errorf("%s cannot be started: its configuration has %d conflicts: %s", in.key, len(found), strings.Join(found, " "))
	}
	in.status = running
	in.modified = w.stamp()
	for _, c := range in.connectors {
		c.scanned = 0 // ASSUMED: a start looks at every issue, so what changed while it was stopped is sent
	}
	return nil
}

func (w *World) stop(in *integration) error {
	switch in.status {
	case stopped:
		if in.server.refuseRepeat {
			return fmt.Errorf("%s is already stopped", in.key)
		}
		return nil
	case running, restartRequired:
		in.status = stopped
		in.modified = w.stamp()
		return nil
	}
	return fmt.Errorf("%s cannot be stopped: its status is %s", in.key, in.status)
}

// remove deletes a synchronization with its pairs. "If the synchronization is not stopped, it will automatically be
// stopped" (synchronizations overview); "this will also delete the old information in the sync info panel" (behind
// firewall).
func (w *World) remove(in *integration) {
	for _, c := range in.connectors {
		if p := c.tab(); p != nil {
			for _, i := range p.issues {
				delete(i.panels, in.panelKey())
			}
		}
	}
	if in.partner != nil {
		in.partner.partner = nil
	}
	in.status = stopped
	in.server.integrations = slices.DeleteFunc(in.server.integrations, func(x *integration) bool { return x == in })
}

// newIntegration adds an empty, stopped synchronization to a server.
func (w *World) newIntegration(s *server, transport, summary string) *integration {
	at := w.stamp()
	in := &integration{
		server: s, key: "INT-" + next(&s.ids.integration), transport: transport, summary: summary, status: stopped,
		created: at, modified: at,
	}
	if a := s.admin(); a != nil {
		in.createdBy = a.name
	}
	s.integrations = append(s.integrations, in)
	return in
}

// newConnector adds a connector to in; its key looks like CON-4-SAM2, as in the behind firewall guide.
func (in *integration) newConnector(jira *server, projectKey, syncUser string) *connector {
	c := &connector{
		in: in, first: len(in.connectors) == 0, jira: jira, project: projectKey, syncUser: syncUser,
		key:     "CON-" + next(&in.server.ids.connector) + "-" + projectKey,
		byLocal: map[string]*pair{}, byRemote: map[string]*pair{}, pending: map[string]*pair{},
	}
	in.connectors = append(in.connectors, c)
	return c
}

// mirrored is the configuration as the other half sees it: its own side first.
// ASSUMED: each half shows its own project as the first, as its download calls its own connector firstConnector.
func (cfg config) mirrored() config {
	out := config{comments: cfg.comments, attachments: cfg.attachments}
	for _, t := range cfg.issueTypes {
		out.issueTypes = append(out.issueTypes, typeMapping{t.id, t.second, t.first})
	}
	for _, f := range cfg.fields {
		m := fieldMapping{id: f.id, first: f.second, second: f.first, typ: f.typ, direction: f.direction, prefix: f.prefix}
		switch f.direction {
		case "first_to_second":
			m.direction = "second_to_first"
		case "second_to_first":
			m.direction = "first_to_second"
		}
		if f.values != nil {
			m.values = map[string]string{}
			for k, v := range f.values {
				m.values[v] = k
			}
		}
		out.fields = append(out.fields, m)
	}
	return out
}

// verbs are the methods that start and stop are served with: POST before 5.0 (H/3.8, H/3.9, H/4.1), PUT from then on
// (HC/5.2, H/5.14). ASSUMED: that the pages describe their version and that the other verb is 405.
func verbs(version string) []string {
	major, _, _ := strings.Cut(version, ".")
	if n, _ := strconv.Atoi(major); n >= 5 {
		return []string{"PUT"}
	}
	return []string{"POST"}
}
