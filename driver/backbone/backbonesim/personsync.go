package backbonesim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"

	"github.com/syncctl/syncctl/sandbox/seed"
)

// createSync sets up a direct synchronization with the wizard of the side that configures it: "must be the DC/Server
// side" (H/5.8/server/create-a-synchronization). It is stopped and, until it is configured, has conflicts.
func (w *World) createSync(s *server, v map[string]string) (string, error) {
	if t := v["transport"]; t != "" && t != direct {
		return "", fmt.Errorf("a %s synchronization is created in two halves", t)
	}
	if s.backbone == "" {
		return "", fmt.Errorf("%s is no Data Center with Backbone: the Data Center side has to configure the synchronization", s.name)
	}
	to, err := w.find(v["second_server_url"])
	if err != nil {
		return "", err
	}
	for n, jira := range []*server{s, to} {
		if key := v[[]string{"first_project", "second_project"}[n]]; jira.projects[key] == nil {
			return "", fmt.Errorf("there is no project %q on %s", key, jira.name)
		}
	}
	if s == to && v["first_project"] == v["second_project"] {
		return "", errors.New("a synchronization is of two projects")
	}
	users := [2]string{}
	for n, jira := range []*server{s, to} {
		if users[n], err = jira.syncUserFor(v[[]string{"first_sync_user", "second_sync_user"}[n]]); err != nil {
			return "", err
		}
	}
	name := v["name"]
	if name == "" {
		name = v["first_project"] + " <> " + v["second_project"]
	}
	in := w.newIntegration(s, direct, name)
	in.newConnector(s, v["first_project"], users[0])
	in.newConnector(to, v["second_project"], users[1])
	return fmt.Sprintf("created %s on %s between %s and %s of %s; it is stopped and not configured",
		in.key, s.name, v["first_project"], v["second_project"], to.name), nil
}

// syncUserFor gives the account that shall perform Backbone's changes: the one asked for, the seed's, or the first
// administrator.
func (s *server) syncUserFor(asked string) (string, error) {
	if asked == "" {
		asked = s.syncUser
	}
	if asked == "" && s.admin() != nil {
		asked = s.admin().name
	}
	if u := s.userByEmail(asked); u != nil {
		return u.name, nil
	}
	if s.user(asked) == nil {
		return "", fmt.Errorf("there is no user %q on %s for the synchronization", asked, s.name)
	}
	return asked, nil
}

// createHalf sets up one half of an email or file synchronization: the master first, the slave from the master's
// handshake file (H/5.14/server/create-and-update-a-synchronization-email-file-exc). "You can't use the behind firewall
// synchronization in a Server to Cloud scenario" (behind firewall).
func (w *World) createHalf(s *server, v map[string]string) (string, error) {
	if s.cloud {
		return "", fmt.Errorf("%s is a cloud site: email and file exchange are for Data Center only", s.name)
	}
	if to, err := w.find(v["partner_server"]); err == nil && to.cloud {
		return "", fmt.Errorf("%s is a cloud site: email and file exchange are for Data Center only", to.name)
	}
	if s.backbone == "" {
		return "", fmt.Errorf("there is no Backbone on %s", s.name)
	}
	transport := v["transport"]
	if transport != email && transport != file {
		return "", fmt.Errorf("transport: %q is neither email nor file", transport)
	}
	if s.projects[v["project"]] == nil {
		return "", fmt.Errorf("there is no project %q on %s", v["project"], s.name)
	}
	who, err := s.syncUserFor(v["sync_user"])
	if err != nil {
		return "", err
	}
	switch v["role"] {
	case master:
		in := w.createMaster(s, transport, v["project"], v["partner_project"], who)
		return fmt.Sprintf("created the master %s on %s; its handshake file waits for the slave", in.key, s.name), nil
	case slave:
		m, err := w.waitingMaster(s, transport, v["project"], v["partner_project"])
		if err != nil {
			return "", err
		}
		in := w.createSlave(s, m, v["project"], who)
		return fmt.Sprintf("created the slave %s on %s from the handshake file of %s", in.key, s.name, m.key), nil
	}
	return "", fmt.Errorf("role: %q is neither master nor slave", v["role"])
}

func (w *World) configureSync(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
	if err != nil {
		return "", err
	}
	cfg := in.config
	if in.offered != nil {
		cfg = in.offered.mirrored() // what the master has sent; the slave's administrator looks at that
	}
	if text, ok := v["issue_types"]; ok {
		if cfg.issueTypes, err = readTypes(text, in); err != nil {
			return "", fmt.Errorf("issue_types: %w", err)
		}
	}
	if text, ok := v["fields"]; ok {
		if cfg.fields, err = readFields(text, in); err != nil {
			return "", fmt.Errorf("fields: %w", err)
		}
	}
	for name, into := range map[string]*bool{"comments": &cfg.comments, "attachments": &cfg.attachments} {
		if text, ok := v[name]; ok {
			if *into, err = strconv.ParseBool(text); err != nil {
				return "", fmt.Errorf("%s: %q is neither true nor false", name, text)
			}
		}
	}
	filters := make([]string, len(in.connectors))
	for n, c := range in.connectors {
		filters[n] = c.jql
		if text, ok := v[[]string{"first_jql", "second_jql"}[n]]; ok {
			if _, err := parseJQL(text, c.jira); err != nil {
				return "", fmt.Errorf("the filter of %s: %w", c.project, err)
			}
			filters[n] = text
		}
	}
	if err := w.reconfigure(in, cfg); err != nil {
		return "", err
	}
	for n, c := range in.connectors {
		c.jql = filters[n]
	}
	return fmt.Sprintf("configured %s on %s; its status is %s, it has %d conflicts", in.key, s.name, in.status, len(w.conflicts(in))), nil
}

// readTypes takes {"Bug": "Bug"} or [{"first": "Bug", "second": "Bug"}].
func readTypes(text string, in *integration) ([]typeMapping, error) {
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
	var out []typeMapping
	for _, r := range rows {
		if r == nil || r.First == "" || r.Second == "" {
			return nil, errors.New("each needs first and second")
		}
		m := typeMapping{first: r.First, second: r.Second}
		for _, old := range in.config.issueTypes {
			if old.first == m.first && old.second == m.second {
				m.id = old.id
			}
		}
		if m.id == "" {
			m.id = next(&in.server.ids.mapping)
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

// readFields keeps the id of a mapping that is there already.
func readFields(text string, in *integration) ([]fieldMapping, error) {
	var rows []*personField
	if err := seed.Decode([]byte(text), &rows); err != nil {
		return nil, err
	}
	var out []fieldMapping
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
		if err := seed.OneOf("mapping", &r.Mapping, mappingTypes...); err != nil {
			return nil, fmt.Errorf("[%d].%w", n, err)
		}
		if err := seed.OneOf("direction", &r.Direction, directions...); err != nil {
			return nil, fmt.Errorf("[%d].%w", n, err)
		}
		m := fieldMapping{
			first: r.First, second: r.Second, typ: r.Mapping, direction: r.Direction, prefix: r.Prefix, values: r.Values,
		}
		for _, old := range in.config.fields {
			if old.first == m.first && old.second == m.second &&
				!slices.ContainsFunc(out, func(x fieldMapping) bool { return x.id == old.id }) {
				m.id = old.id
			}
		}
		if m.id == "" {
			m.id = next(&in.server.ids.mapping)
		}
		out = append(out, m)
	}
	return out, nil
}

type pairFile struct {
	First  []json.RawMessage `json:"firstConnector"`
	Second []json.RawMessage `json:"secondConnector"`
}

// pairByFile is "Pair existing issues > Pair existing issues with Backbone before" (behind firewall): the merged file.
func (w *World) pairByFile(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
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
	if len(in.connectors) == 1 && len(envelope.Second) > 0 {
		return "", fmt.Errorf("%s has one connector; the file has a secondConnector", in.key)
	}
	found := make([][]*pair, len(in.connectors))
	for n, c := range in.connectors {
		if found[n], err = c.checkPairs(parts[n]); err != nil {
			return "", fmt.Errorf("%sConnector: %w", []string{"first", "second"}[n], err)
		}
	}
	for n, c := range in.connectors {
		for _, p := range found[n] {
			c.addPair(p)
		}
	}
	return fmt.Sprintf("paired %d and %d issues of %s on %s", len(envelope.First), len(envelope.Second), in.key, s.name), nil
}

// typeRow is a line of the page's table of issue types.
type typeRow struct {
	First  string `json:"first"`
	Second string `json:"second"`
}
