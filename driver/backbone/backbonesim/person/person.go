// Package person does what only a person can do, through the web pages of Jira and Backbone.
package person

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/engine"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

type action struct {
	needs []string
	do    func(w *state.World, s *state.Server, v map[string]string) (string, error)
}

// actions are what a person can do on the web pages, by name. All but deliver need "server".
var actions = map[string]action{
	"move_project_to_cloud": {[]string{"server", "project", "cloud_server"}, moveProject},
	"create_sync":           {[]string{"server", "first_project", "second_server_url", "second_project"}, createSync},
	"create_half":           {[]string{"server", "project", "role", "transport", "partner_project"}, createHalf},
	"configure_sync":        {[]string{"server"}, configureSync},
	"pair_by_file":          {[]string{"server"}, pairByFile},
	"start_sync":            {[]string{"server"}, startSync},
	"stop_sync":             {[]string{"server"}, stopSync},
	"delete_sync":           {[]string{"server"}, deleteSync},
	"retry_error":           {[]string{"server", "issue"}, retryError},
	"fix_error":             {[]string{"server", "issue"}, fixError},
	"ignore_issue":          {[]string{"server", "issue"}, ignoreIssue},
	"confirm_no_errors":     {[]string{"server"}, confirmNoErrors},
	"confirm_stopped":       {[]string{"server"}, confirmStopped},
	"confirm_info_panel":    {[]string{"server"}, confirmInfoPanel},
	"confirm_gone":          {[]string{"server", "project"}, confirmGone},
	"deliver":               {[]string{"from", "to"}, deliverFiles},
	"create_issue":          {[]string{"server", "project", "summary"}, createIssue},
	"edit_issue":            {[]string{"server", "issue", "field", "value"}, editIssue},
	"add_comment":           {[]string{"server", "issue", "body"}, addComment},
	"add_attachment":        {[]string{"server", "issue", "filename"}, addAttachment},
}

// Act does what Backbone and Jira offer only on their web pages, as an administrator, and returns a description of
// it. An error says why it cannot be done; then nothing has changed.
//
// A server is given by name or base URL. A synchronization is given as integration (INT-4), or by first_project and
// second_project, or is the only one of the server. Values that are lists are JSON.
//
//	move_project_to_cloud  server, project, cloud_server
//	create_sync     server, first_project, second_server_url (or second_server), second_project; name,
//	                first_sync_user, second_sync_user
//	create_half     server, project, role (master or slave), transport (email or file), partner_project;
//	                partner_server, sync_user
//	configure_sync  name, issue_types {"Bug": "Bug"} or [{first, second}], fields [{name or first and second, mapping}],
//	                comments, attachments, first_jql, second_jql; what is not given stays as it is
//	pair_by_file    path or content: the envelope with firstConnector and secondConnector
//	start_sync, stop_sync, delete_sync
//	retry_error, fix_error, ignore_issue  issue: the key of either side
//	confirm_no_errors   checks that no issue is in error and there are no conflicts; with status: that this is the
//	                    status, and no message waits
//	confirm_stopped     checks that it is stopped
//	confirm_info_panel  checks that the panels of its issues name their partners
//	confirm_gone        project: checks that it has no synchronization by email or files
//	deliver         from, to: servers between which message files or emails are moved now
//	create_issue    server, project, summary; type, user
//	edit_issue      server, issue, field, value; user
//	add_comment     server, issue, body; user
//	add_attachment  server, issue, filename; user
func Act(ctx context.Context, w *state.World, name string, values map[string]string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	a, ok := actions[name]
	if !ok {
		return "", fmt.Errorf("no web page offers %q; there are %s", name,
			strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
	}
	values = maps.Clone(values)
	if values["second_server_url"] == "" && values["second_server"] != "" {
		values["second_server_url"] = values["second_server"]
	}
	for _, need := range a.needs {
		if _, ok := values[need]; !ok {
			return "", fmt.Errorf("%s: a value for %s is missing", name, need)
		}
	}
	w.Mu.Lock()
	defer w.Mu.Unlock()
	var s *state.Server
	if slices.Contains(a.needs, "server") {
		var err error
		if s, err = find(w, values["server"]); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	done, err := a.do(w, s, values)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return done, nil
}

// find returns a server by its name or base URL.
func find(w *state.World, given string) (*state.Server, error) {
	if s := w.Named[given]; s != nil {
		return s, nil
	}
	for _, name := range w.Servers() {
		s := w.Named[name]
		url := strings.TrimRight(given, "/")
		if url != "" && (s.URL == url || strings.TrimSuffix(s.URL, s.ContextPath) == url) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no server %q", given)
}

// chosen returns the synchronization that the values name.
func chosen(s *state.Server, v map[string]string) (*state.Integration, error) {
	if key := v["integration"]; key != "" {
		if in := s.Integration(key); in != nil {
			return in, nil
		}
		return nil, fmt.Errorf("there is no synchronization %s on %s", key, s.Name)
	}
	var found []*state.Integration
	for _, in := range s.Integrations {
		first, second := in.Connectors[0].Project, in.PartnerKey
		if in.Transport == state.Direct {
			second = in.Connectors[1].Project
		}
		if (v["transport"] == "" || v["transport"] == in.Transport) &&
			(v["first_project"] == "" || v["first_project"] == first) &&
			(v["second_project"] == "" || v["second_project"] == second) {
			found = append(found, in)
		}
	}
	// A direct synchronization may have the same projects as the old one over email or files, which nobody configures
	// any more.
	isDirect := func(in *state.Integration) bool { return in.Transport == state.Direct }
	if len(found) > 1 && slices.ContainsFunc(found, isDirect) {
		found = slices.DeleteFunc(found, func(in *state.Integration) bool { return !isDirect(in) })
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d synchronizations on %s fit; say which by integration", len(found), s.Name)
	}
	return found[0], nil
}

func startSync(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	if err := w.Start(in); err != nil {
		return "", err
	}
	return fmt.Sprintf("started %s on %s", in.Key, s.Name), nil
}

func stopSync(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	if err := w.Stop(in); err != nil {
		return "", err
	}
	return fmt.Sprintf("stopped %s on %s", in.Key, s.Name), nil
}

func deleteSync(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	w.Remove(in)
	return fmt.Sprintf("deleted %s on %s", in.Key, s.Name), nil
}

// inError finds an issue in error by the key of either side.
func inError(s *state.Server, v map[string]string) (*state.Connector, *state.IssueError, error) {
	for _, in := range s.Integrations {
		if v["integration"] != "" && v["integration"] != in.Key {
			continue
		}
		for _, c := range in.Connectors {
			for _, e := range c.Errors {
				if e.Local == v["issue"] || e.Remote == v["issue"] {
					return c, e, nil
				}
			}
		}
	}
	return nil, nil, fmt.Errorf("issue %s is not in error on %s", v["issue"], s.Name)
}

func retryError(w *state.World, s *state.Server, v map[string]string) (string, error) {
	c, e, err := inError(s, v)
	if err != nil {
		return "", err
	}
	if err := engine.Retry(w, c, e); err != nil {
		return "", fmt.Errorf("issue %s stays in error: %w", v["issue"], err)
	}
	return fmt.Sprintf("the messages for issue %s have been applied", v["issue"]), nil
}

// fixError removes the cause of an error, in Jira or in the configuration, and tries again.
func fixError(w *state.World, s *state.Server, v map[string]string) (string, error) {
	_, e, err := inError(s, v)
	if err != nil {
		return "", err
	}
	e.Fixed = true
	return retryError(w, s, v)
}

// ignoreIssue is "ignore future changes" (W/5.20/cloud/deleting-a-synchronized-issue). ASSUMED: the waiting messages
// are discarded and not counted, so the sequence ids of the two ends stay different.
func ignoreIssue(w *state.World, s *state.Server, v map[string]string) (string, error) {
	c, e, err := inError(s, v)
	if err != nil {
		return "", err
	}
	p := c.ByRemote[e.Remote]
	if p == nil {
		return "", fmt.Errorf("issue %s has not been synchronized yet", v["issue"])
	}
	p.Ignored = true
	c.Errors = slices.DeleteFunc(c.Errors, func(x *state.IssueError) bool { return x == e })
	return fmt.Sprintf("changes for issue %s are ignored from now on", v["issue"]), nil
}

func deliverFiles(w *state.World, _ *state.Server, v map[string]string) (string, error) {
	from, err := find(w, v["from"])
	if err != nil {
		return "", err
	}
	to, err := find(w, v["to"])
	if err != nil {
		return "", err
	}
	n := 0
	for _, in := range from.Integrations {
		if in.Partner != nil && in.Partner.Server == to {
			n += engine.Deliver(w, in, true)
		}
	}
	return fmt.Sprintf("moved %d messages from %s to %s", n, from.Name, to.Name), nil
}
