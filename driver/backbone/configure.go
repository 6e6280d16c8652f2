package backbone

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// configure is the verb of a person's step that makes the configuration as declared. Drafts have documented paths but
// no documented bodies, and none for comments and attachments. What can be read back is compared; the person confirms
// the rest.
var configure = driver.Verb[*Driver]{Name: opConfigure, Verify: (*Driver).verifyConfigured}

func configureStep(s *synchronization, because string, names spelling) planner.Step {
	fields := names.fields(s.fields())
	server := s.one.server
	step := planner.Person(opConfigure,
		fmt.Sprintf("configure %s as declared: %s, %s", s.name(), wording.Plural(len(s.IssueTypes), "issue type"),
			wording.Plural(len(fields), "field mapping")),
		planner.Manual{
			Where: server.URL.String() + ", Backbone, " + s.name(), Action: "configure_sync",
			Do: []string{"Open the configuration of " + s.name() + " and make it exactly as below; then save, or " +
				"publish the draft."},
			Values: configurationValues(s, names.types(s.IssueTypes), fields),
			Attest: "the configuration is exactly as declared (parts of it cannot be read over REST), and no tab shows " +
				"a warning",
		})
	step.Because, step.Effect, step.Within = because, &planner.Effect{}, planner.Duration(20*time.Second)
	return at(step, server)
}

func configurationValues(s *synchronization, issueTypes map[string]string, fields []field) []planner.Value {
	const most = 10
	values := append(make([]planner.Value, 0, most),
		planner.Value{Name: "server", Label: "Jira", Value: s.one.server.URL.String()},
		planner.Value{Name: "first_project", Label: "Project", Value: s.one.Project},
		planner.Value{Name: "second_project", Label: "Partner project", Value: s.two.Project})
	add := func(label, name, human, machine string) {
		values = append(values, planner.Value{Name: name, Label: label, Value: machine, Shown: human})
	}
	if s.Name != nil {
		add("Name", "name", *s.Name, *s.Name)
	}
	if s.IssueTypes != nil {
		types := make([]string, 0, len(issueTypes))
		for k, v := range issueTypes {
			types = append(types, k+" = "+v)
		}
		slices.Sort(types)
		add("Issue types", "issue_types", strings.Join(types, ", "), jsonText(issueTypes))
	}
	if len(fields) > 0 {
		lines := make([]string, 0, len(fields))
		for _, f := range fields {
			lines = append(lines, f.String())
		}
		add("Fields", "fields", strings.Join(lines, ", "), jsonText(fields))
	}
	for _, part := range []struct {
		label string
		on    *bool
	}{{"Comments", s.Comments}, {"Attachments", s.Attachments}} {
		if part.on != nil {
			state := "off"
			if *part.on {
				state = "on"
			}
			add(part.label, strings.ToLower(part.label), state, strconv.FormatBool(*part.on))
		}
	}
	for i, e := range []*end{s.one, s.two} {
		if e.JQL != nil && *e.JQL != "" {
			add("Filter (JQL) of "+e.Project, []string{"first_jql", "second_jql"}[i], *e.JQL, *e.JQL)
		}
	}
	return values
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// wordOutput is the output that names the declared parts of a configuration that could not be read when the person
// confirmed it.
const wordOutput = "by_word"

// verifyConfigured compares what can be read with the declaration. If a part cannot be read, the verdict is unknown.
func (d *Driver) verifyConfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, "")
	if err != nil {
		return executor.Verdict{}, err
	}
	return configuredAt(ctx, l)
}

func configuredAt(ctx context.Context, l *located) (executor.Verdict, error) {
	if !l.found() {
		return executor.NotDone.Because("%s was not found", l.sync.name()), nil
	}
	s, err := l.client.see(ctx, l.Key)
	if err != nil {
		return executor.Verdict{}, err
	}
	l.fares = &s.health
	v := map[string]cty.Value{}
	configured(v, l.sync.endNames(), &live{syncSeen: s})
	actual := cty.ObjectVal(v)
	if diff := planner.Compare(l.sync.Resource().Value, actual); len(diff) > 0 {
		return executor.NotDone.Because("%s", differences(diff)), nil
	}
	if len(s.Conflicts) > 0 {
		return executor.NotDone.Because("%s has %s: %s", l.Key, wording.Plural(len(s.Conflicts), "conflict"),
			wording.Foreign(s.Conflicts)), nil
	}
	parts := unreadable(l.sync, v)
	if s.Conflicts == nil {
		parts = append(parts, "conflicts")
	}
	if len(parts) > 0 {
		v := executor.Unknown.Because("cannot be read over REST: %s", strings.Join(parts, ", "))
		v.Outputs = map[string]string{wordOutput: strings.Join(parts, " ")}
		return v, nil
	}
	return executor.Done.Because("the configuration is as declared"), nil
}

// unreadable names the declared parts of a configuration that could not be read.
func unreadable(s *synchronization, actual map[string]cty.Value) []string {
	var out []string
	for _, part := range []struct {
		name     string
		declared bool
	}{
		{"name", s.Name != nil}, {"issue_types", s.IssueTypes != nil}, {"field", len(s.Fields) > 0},
		{"comments", s.Comments != nil}, {"attachments", s.Attachments != nil},
	} {
		if _, ok := actual[part.name]; part.declared && !ok {
			out = append(out, part.name)
		}
	}
	if fields, ok := actual["field"]; ok && len(s.Fields) > 0 && !directed(fields) {
		out = append(out, directionPart)
	}
	for _, e := range []*end{s.one, s.two} {
		if _, ok := actual[e.name]; e.JQL != nil && !ok {
			out = append(out, e.name+".jql")
		}
	}
	return out
}

// directed reports whether the direction of every field was read.
func directed(fields cty.Value) bool {
	for _, f := range fields.AsValueMap() {
		if !f.Type().HasAttribute("direction") {
			return false
		}
	}
	return true
}

// stillConfigured checks that the configuration of what was located is still as declared or, where it cannot be read,
// that a person has confirmed it.
func stillConfigured(ctx context.Context, t *executor.Task, l *located) (executor.Verdict, error) {
	v, err := configuredAt(ctx, l)
	if err != nil {
		return v, err
	}
	if v.State == executor.NotDone {
		return v, executor.Final(fmt.Errorf("the configuration is not as declared: %s; change it on the web page", v.Why))
	}
	return asConfirmed(t, v)
}

// asConfirmed turns an unknown verdict on the configuration into done if a person has confirmed every part that could
// not be read. A part that could be read at that time and now cannot is an error.
func asConfirmed(t *executor.Task, v executor.Verdict) (executor.Verdict, error) {
	if v.State != executor.Unknown {
		return v, nil
	}
	said := strings.Fields(t.Output(opConfigure, wordOutput))
	for _, part := range strings.Fields(v.Outputs[wordOutput]) {
		if !slices.Contains(said, part) {
			return v, executor.Final(fmt.Errorf("%s could be read when it was configured and cannot any more: have it "+
				"confirmed with syncctl resolve %s -retry",
				part, planner.TypedID(t.Step.Addr, opConfigure)))
		}
	}
	return executor.Done.Because("the configuration is as declared, in part by a person's word"), nil
}
