package state

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Statuses of a synchronization: H/5.0/server/synchronizations-overview-182793802.html.
const (
	Running         = "RUNNING"
	Stopped         = "STOPPED"
	RestartRequired = "RESTART REQUIRED"
	Handshake       = "HANDSHAKE"
	WaitingForSlave = "WAITING FOR SLAVE"
	UpdateRequired  = "UPDATE REQUIRED"
)

// Statuses lists all statuses.
var Statuses = []string{Running, Stopped, RestartRequired, Handshake, WaitingForSlave, UpdateRequired}

// Transports, and the roles of two halves.
const (
	Direct = "direct"
	File   = "file"
	Email  = "email"
	Master = "master"
	Slave  = "slave"
)

// MappingTypes lists the types of field mappings (H/5.14/server/common-field-mapping-types, H/5.14/server/user).
// ASSUMED: their spelling in JSON.
var MappingTypes = []string{
	"passthrough", "user_passthrough_by_username", "user_passthrough_by_email", "user_prefix", "user_correlation",
	"correlation", "to_text",
}

// Directions lists the directions in which a field can be mapped.
var Directions = []string{"bidirectional", "first_to_second", "second_to_first"}

// Integration is one synchronization on one server: all of a direct one, or one half of an email or file one, since
// those have "two synchronization configurations, one per partner"
// (H/5.14/server/synchronization-over-email-or-file-exchange).
type Integration struct {
	Server       *Server // the server whose Backbone runs it
	Key          string
	Summary      string
	Description  string
	Transport    string
	Role         string // of a half
	Status       string
	CreatedBy    string
	Created      int64
	Modified     int64
	Config       Config
	Draft        *Config
	Planted      []string // conflicts from the seed
	Connectors   []*Connector
	Partner      *Integration // the other half; nil once it is deleted
	PartnerKey   string       // the partner's project
	Manual       bool         // delivery of messages
	DeliverAfter int64
	Outbox       []*Message
	Offered      *Config // the master's configuration, until the slave adopts it
}

// Config is what a synchronization synchronizes.
type Config struct {
	IssueTypes            []TypeMapping
	Fields                []FieldMapping
	Comments, Attachments bool
}

// TypeMapping is a pair of issue types.
type TypeMapping struct{ ID, First, Second string }

// FieldMapping is a pair of fields, and how a value of one is converted to a value of the other.
type FieldMapping struct {
	ID, First, Second, Typ, Direction, Prefix string
	Values                                    map[string]string
}

// Connector is "one half of a synchronization, responsible for one project" (H/5.16/server/connectors).
type Connector struct {
	In       *Integration
	First    bool
	Key      string
	Jira     *Server // the Jira of the project; that of a second connector may not be In.Server
	Project  string
	JQL      string
	SyncUser string
	Pairs    []*Pair // by id
	ByLocal  map[string]*Pair
	ByRemote map[string]*Pair
	Pending  map[string]*Pair // sent, but the partner's key is not known yet
	Inbox    []*Message
	Errors   []*IssueError
	Scanned  int64
}

// IssueError keeps the messages of one issue that cannot be applied: "while an issue has a message error, no new
// messages are applied for it" (H/5.19/cloud/analyze-and-fix-errors).
type IssueError struct {
	Local, Remote, Text string
	Occurred            int64
	Planted             bool // the seed set the error, which lasts until it is fixed
	Fixed               bool
	Queue               []*Message
}

// Peer returns the other connector, or nil if there is none.
func (c *Connector) Peer() *Connector {
	if c.In.Transport == Direct {
		if c.First {
			return c.In.Connectors[1]
		}
		return c.In.Connectors[0]
	}
	if c.In.Partner == nil {
		return nil
	}
	return c.In.Partner.Connectors[0]
}

// Tab returns the connector's project, or nil if it does not exist.
func (c *Connector) Tab() *Project { return c.Jira.Projects[c.Project] }

// PanelKey returns the name of a synchronization in the panels of issues.
func (in *Integration) PanelKey() string { return in.Server.Name + "/" + in.Key }

// ErrorOf returns the error of an issue by its key on the other Jira, or nil if there is none.
func (c *Connector) ErrorOf(remote string) *IssueError {
	for _, e := range c.Errors {
		if e.Remote == remote {
			return e
		}
	}
	return nil
}

// Conflicts lists why the configuration is invalid. ASSUMED: which conflicts there are, and their words. The pages
// only say that there is such a list and that tabs show warnings.
func (w *World) Conflicts(in *Integration) []string {
	out := slices.Clone(in.Planted)
	for _, c := range in.Connectors {
		if c.Tab() == nil {
			out = append(out, fmt.Sprintf("Connection: project %s does not exist in %s.", c.Project, c.Jira.Name))
		}
	}
	return append(out, in.Config.Conflicts(in)...)
}

// Conflicts lists why a configuration does not fit its projects.
func (cfg Config) Conflicts(in *Integration) []string {
	var out []string
	if len(cfg.IssueTypes) == 0 {
		out = append(out, "Issue types: no issue type is mapped.")
	}
	for _, t := range cfg.IssueTypes {
		for n, name := range []string{t.First, t.Second} {
			if n < len(in.Connectors) {
				p := in.Connectors[n].Tab()
				if p != nil && !slices.Contains(p.IssueTypes, name) {
					out = append(out, fmt.Sprintf("Issue types: %s does not exist in project %s.", name, p.Key))
				}
			}
		}
	}
	// Jira cannot create an issue without a summary.
	if !slices.ContainsFunc(cfg.Fields, func(f FieldMapping) bool {
		return f.First == "summary" &&
			f.Second == "summary"
	}) {
		out = append(out, "Fields: the required field Summary is not mapped.")
	}
	return out
}

// Start starts a synchronization. The error says why it cannot be started. ASSUMED: it is refused with conflicts,
// while a restart is required, and until master and slave have agreed (the overview only says that these statuses
// must be left first).
func (w *World) Start(in *Integration) error {
	switch in.Status {
	case Running:
		if in.Server.RefuseRepeat {
			return fmt.Errorf("%s is already running", in.Key)
		}
		return nil
	case Handshake, WaitingForSlave, UpdateRequired, RestartRequired:
		return fmt.Errorf("%s cannot be started: its status is %s", in.Key, in.Status)
	}
	if found := w.Conflicts(in); len(found) > 0 {
		return fmt.Errorf("%s cannot be started: its configuration has %d conflicts: %s", in.Key, len(found),
			strings.Join(found, " "))
	}
	in.Status = Running
	in.Modified = w.Stamp()
	for _, c := range in.Connectors {
		c.Scanned = 0 // ASSUMED: a start checks every issue, so changes from while it was stopped are sent
	}
	return nil
}

// Stop stops a synchronization. The error says why it cannot be stopped.
func (w *World) Stop(in *Integration) error {
	switch in.Status {
	case Stopped:
		if in.Server.RefuseRepeat {
			return fmt.Errorf("%s is already stopped", in.Key)
		}
		return nil
	case Running, RestartRequired:
		in.Status = Stopped
		in.Modified = w.Stamp()
		return nil
	}
	return fmt.Errorf("%s cannot be stopped: its status is %s", in.Key, in.Status)
}

// Remove deletes a synchronization with its pairs. "If the synchronization is not stopped, it will automatically be
// stopped" (synchronizations overview); "this will also delete the old information in the sync info panel" (behind
// firewall).
func (w *World) Remove(in *Integration) {
	for _, c := range in.Connectors {
		if p := c.Tab(); p != nil {
			for _, i := range p.Issues {
				delete(i.Panels, in.PanelKey())
			}
		}
	}
	if in.Partner != nil {
		in.Partner.Partner = nil
	}
	in.Status = Stopped
	in.Server.Integrations = slices.DeleteFunc(in.Server.Integrations, func(x *Integration) bool { return x == in })
}

// NewIntegration adds an empty, stopped synchronization to a server.
func (w *World) NewIntegration(s *Server, transport, summary string) *Integration {
	at := w.Stamp()
	in := &Integration{
		Server: s, Key: "INT-" + Next(&s.IDs.Integration), Transport: transport, Summary: summary, Status: Stopped,
		Created: at, Modified: at,
	}
	if a := s.Admin(); a != nil {
		in.CreatedBy = a.Name
	}
	s.Integrations = append(s.Integrations, in)
	return in
}

// NewConnector adds a connector to in. Its key looks like CON-4-SAM2, as in the behind firewall guide.
func (in *Integration) NewConnector(jira *Server, projectKey, syncUser string) *Connector {
	c := &Connector{
		In: in, First: len(in.Connectors) == 0, Jira: jira, Project: projectKey, SyncUser: syncUser,
		Key:     "CON-" + Next(&in.Server.IDs.Connector) + "-" + projectKey,
		ByLocal: map[string]*Pair{}, ByRemote: map[string]*Pair{}, Pending: map[string]*Pair{},
	}
	in.Connectors = append(in.Connectors, c)
	return c
}

// Mirrored returns the configuration as the other half sees it, with its own side first. ASSUMED: each half shows its
// own project as the first, as its download calls its own connector firstConnector.
func (cfg Config) Mirrored() Config {
	out := Config{Comments: cfg.Comments, Attachments: cfg.Attachments}
	for _, t := range cfg.IssueTypes {
		out.IssueTypes = append(out.IssueTypes, TypeMapping{t.ID, t.Second, t.First})
	}
	for _, f := range cfg.Fields {
		m := FieldMapping{ID: f.ID, First: f.Second, Second: f.First, Typ: f.Typ, Direction: f.Direction, Prefix: f.Prefix}
		switch f.Direction {
		case "first_to_second":
			m.Direction = "second_to_first"
		case "second_to_first":
			m.Direction = "first_to_second"
		}
		if f.Values != nil {
			m.Values = map[string]string{}
			for k, v := range f.Values {
				m.Values[v] = k
			}
		}
		out.Fields = append(out.Fields, m)
	}
	return out
}

// Verbs returns the methods of start and stop: POST before 5.0 (H/3.8, H/3.9, H/4.1), PUT from then on (HC/5.2,
// H/5.14). ASSUMED: each page describes its own version, and the other verb is answered with 405.
func Verbs(version string) []string {
	major, _, _ := strings.Cut(version, ".")
	if n, _ := strconv.Atoi(major); n >= 5 {
		return []string{"PUT"}
	}
	return []string{"POST"}
}
