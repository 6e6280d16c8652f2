package person

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// createSync creates a direct synchronization with the wizard of the side that configures it: "must be the DC/Server
// side" (H/5.8/server/create-a-synchronization). It is stopped, and has conflicts until it is configured.
func createSync(w *state.World, s *state.Server, v map[string]string) (string, error) {
	if t := v["transport"]; t != "" && t != state.Direct {
		return "", fmt.Errorf("a %s synchronization is created in two halves", t)
	}
	if s.Backbone == "" {
		return "", fmt.Errorf("%s is not a Data Center with Backbone: the Data Center side has to configure the "+
			"synchronization", s.Name)
	}
	to, err := find(w, v["second_server_url"])
	if err != nil {
		return "", err
	}
	for n, jira := range []*state.Server{s, to} {
		if key := v[[]string{"first_project", "second_project"}[n]]; jira.Projects[key] == nil {
			return "", fmt.Errorf("there is no project %q on %s", key, jira.Name)
		}
	}
	if s == to && v["first_project"] == v["second_project"] {
		return "", errors.New("a synchronization is of two projects")
	}
	users := [2]string{}
	for n, jira := range []*state.Server{s, to} {
		if users[n], err = syncUserFor(jira, v[[]string{"first_sync_user", "second_sync_user"}[n]]); err != nil {
			return "", err
		}
	}
	name := v["name"]
	if name == "" {
		name = v["first_project"] + " <> " + v["second_project"]
	}
	in := w.NewIntegration(s, state.Direct, name)
	in.NewConnector(s, v["first_project"], users[0])
	in.NewConnector(to, v["second_project"], users[1])
	return fmt.Sprintf("created %s on %s between %s and %s of %s; it is stopped and not configured",
		in.Key, s.Name, v["first_project"], v["second_project"], to.Name), nil
}

// syncUserFor returns the account that performs Backbone's changes: the one that was asked for, the seed's, or the
// first administrator.
func syncUserFor(s *state.Server, asked string) (string, error) {
	if asked == "" {
		asked = s.SyncUser
	}
	if asked == "" && s.Admin() != nil {
		asked = s.Admin().Name
	}
	if u := s.UserByEmail(asked); u != nil {
		return u.Name, nil
	}
	if s.User(asked) == nil {
		return "", fmt.Errorf("there is no user %q on %s for the synchronization", asked, s.Name)
	}
	return asked, nil
}

// createHalf creates one half of an email or file synchronization: the master first, then the slave from the master's
// handshake file (H/5.14/server/create-and-update-a-synchronization-email-file-exc). "You can't use the behind
// firewall synchronization in a Server to Cloud scenario" (behind firewall).
func createHalf(w *state.World, s *state.Server, v map[string]string) (string, error) {
	if s.Cloud {
		return "", fmt.Errorf("%s is a cloud site: email and file exchange are for Data Center only", s.Name)
	}
	if to, err := find(w, v["partner_server"]); err == nil && to.Cloud {
		return "", fmt.Errorf("%s is a cloud site: email and file exchange are for Data Center only", to.Name)
	}
	if s.Backbone == "" {
		return "", fmt.Errorf("there is no Backbone on %s", s.Name)
	}
	transport := v["transport"]
	if transport != state.Email && transport != state.File {
		return "", fmt.Errorf("transport: %q is neither email nor file", transport)
	}
	if s.Projects[v["project"]] == nil {
		return "", fmt.Errorf("there is no project %q on %s", v["project"], s.Name)
	}
	who, err := syncUserFor(s, v["sync_user"])
	if err != nil {
		return "", err
	}
	switch v["role"] {
	case state.Master:
		in := engine.CreateMaster(w, s, transport, v["project"], v["partner_project"], who)
		return fmt.Sprintf("created the master %s on %s; its handshake file waits for the slave", in.Key, s.Name), nil
	case state.Slave:
		m, err := engine.WaitingMaster(w, s, transport, v["project"], v["partner_project"])
		if err != nil {
			return "", err
		}
		in := engine.CreateSlave(w, s, m, v["project"], who)
		return fmt.Sprintf("created the slave %s on %s from the handshake file of %s", in.Key, s.Name, m.Key), nil
	}
	return "", fmt.Errorf("role: %q is neither master nor slave", v["role"])
}

func configureSync(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	cfg := in.Config
	if in.Offered != nil {
		cfg = in.Offered.Mirrored() // sent by the master; the slave's administrator looks at it
	}
	if text, ok := v["issue_types"]; ok {
		if cfg.IssueTypes, err = readTypes(text, in); err != nil {
			return "", fmt.Errorf("issue_types: %w", err)
		}
	}
	if text, ok := v["fields"]; ok {
		if cfg.Fields, err = readFields(text, in); err != nil {
			return "", fmt.Errorf("fields: %w", err)
		}
	}
	for name, into := range map[string]*bool{"comments": &cfg.Comments, "attachments": &cfg.Attachments} {
		if text, ok := v[name]; ok {
			if *into, err = strconv.ParseBool(text); err != nil {
				return "", fmt.Errorf("%s: %q is neither true nor false", name, text)
			}
		}
	}
	filters := make([]string, len(in.Connectors))
	for n, c := range in.Connectors {
		filters[n] = c.JQL
		if text, ok := v[[]string{"first_jql", "second_jql"}[n]]; ok {
			if _, err := jql.Parse(text, c.Jira); err != nil {
				return "", fmt.Errorf("the filter of %s: %w", c.Project, err)
			}
			filters[n] = text
		}
	}
	if err := engine.Reconfigure(w, in, cfg); err != nil {
		return "", err
	}
	for n, c := range in.Connectors {
		c.JQL = filters[n]
	}
	if name := v["name"]; name != "" { // "edit name/description" of the overview
		in.Summary = name
	}
	return fmt.Sprintf("configured %s on %s; its status is %s, it has %d conflicts", in.Key, s.Name, in.Status,
		len(w.Conflicts(in))), nil
}

// readTypes reads {"Bug": "Bug"} or [{"first": "Bug", "second": "Bug"}].
func readTypes(text string, in *state.Integration) ([]state.TypeMapping, error) {
	var rows []*typeRow
	if err := seed.Decode([]byte(text), &rows); err != nil {
		var table map[string]string
		if other := seed.Decode([]byte(text), &table); other != nil {
			return nil, err
		}
		for first, second := range table {
			rows = append(rows, &typeRow{first, second})
		}
		sort.Slice(rows, func(a, b int) bool { return rows[a].First < rows[b].First })
	}
	var out []state.TypeMapping
	for _, r := range rows {
		if r == nil || r.First == "" || r.Second == "" {
			return nil, errors.New("each needs first and second")
		}
		m := state.TypeMapping{First: r.First, Second: r.Second}
		for _, old := range in.Config.IssueTypes {
			if old.First == m.First && old.Second == m.Second {
				m.ID = old.ID
			}
		}
		if m.ID == "" {
			m.ID = state.Next(&in.Server.IDs.Mapping)
		}
		out = append(out, m)
	}
	return out, nil
}

type personField struct {
	Name      string            `json:"name"`
	First     string            `json:"first"`
	Second    string            `json:"second"`
	Mapping   string            `json:"mapping"`
	Direction string            `json:"direction"`
	Values    map[string]string `json:"values"`
	Prefix    string            `json:"prefix"`
}

// readFields reads field mappings. A mapping that exists keeps its id.
func readFields(text string, in *state.Integration) ([]state.FieldMapping, error) {
	var rows []*personField
	if err := seed.Decode([]byte(text), &rows); err != nil {
		return nil, err
	}
	var out []state.FieldMapping
	for n, r := range rows {
		if r == nil {
			return nil, fmt.Errorf("[%d] is null", n)
		}
		for _, side := range []*string{&r.First, &r.Second} {
			if *side == "" {
				*side = r.Name
			}
			if *side == "" {
				return nil, fmt.Errorf("[%d] needs name, or first and second", n)
			}
		}
		if err := seed.OneOf("mapping", &r.Mapping, state.MappingTypes...); err != nil {
			return nil, fmt.Errorf("[%d].%w", n, err)
		}
		if err := seed.OneOf("direction", &r.Direction, state.Directions...); err != nil {
			return nil, fmt.Errorf("[%d].%w", n, err)
		}
		m := state.FieldMapping{
			First: r.First, Second: r.Second, Typ: r.Mapping, Direction: r.Direction, Prefix: r.Prefix, Values: r.Values,
		}
		for _, old := range in.Config.Fields {
			if old.First == m.First && old.Second == m.Second &&
				!slices.ContainsFunc(out, func(x state.FieldMapping) bool { return x.ID == old.ID }) {
				m.ID = old.ID
			}
		}
		if m.ID == "" {
			m.ID = state.Next(&in.Server.IDs.Mapping)
		}
		out = append(out, m)
	}
	return out, nil
}

type pairFile struct {
	First  []json.RawMessage `json:"firstConnector"`
	Second []json.RawMessage `json:"secondConnector"`
}

// pairByFile is "Pair existing issues > Pair existing issues with Backbone before" (behind firewall), which takes the
// merged file.
func pairByFile(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	content := []byte(v["content"])
	if len(content) == 0 {
		if content, err = os.ReadFile(v["path"]); err != nil {
			return "", fmt.Errorf("read the file of paired issues: %w", err)
		}
	}
	var envelope pairFile
	if err := seed.Decode(bytes.TrimSpace(content), &envelope); err != nil {
		return "", fmt.Errorf("the file of paired issues: %w", err)
	}
	parts := [][]json.RawMessage{envelope.First, envelope.Second}
	if len(in.Connectors) == 1 && len(envelope.Second) > 0 {
		return "", fmt.Errorf("%s has one connector; the file has a secondConnector", in.Key)
	}
	found := make([][]*state.Pair, len(in.Connectors))
	for n, c := range in.Connectors {
		if found[n], err = c.CheckPairs(parts[n]); err != nil {
			return "", fmt.Errorf("%sConnector: %w", []string{"first", "second"}[n], err)
		}
	}
	for n, c := range in.Connectors {
		for _, p := range found[n] {
			c.AddPair(p)
		}
	}
	return fmt.Sprintf("paired %d and %d issues of %s on %s", len(envelope.First), len(envelope.Second), in.Key,
		s.Name), nil
}

// typeRow is a line of the page's table of issue types.
type typeRow struct {
	First  string `json:"first"`
	Second string `json:"second"`
}
