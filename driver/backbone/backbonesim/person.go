package backbonesim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type action struct {
	needs []string
	do    func(w *World, s *server, v map[string]string) (string, error)
}

// actions are what a person does in the web pages, by name. "server" is needed by all but deliver.
var actions = map[string]action{
	"move_project_to_cloud": {[]string{"server", "project", "cloud_server"}, (*World).moveProject},
	"create_sync":           {[]string{"server", "first_project", "second_server_url", "second_project"}, (*World).createSync},
	"create_half":           {[]string{"server", "project", "role", "transport", "partner_project"}, (*World).createHalf},
	"configure_sync":        {[]string{"server"}, (*World).configureSync},
	"pair_by_file":          {[]string{"server"}, (*World).pairByFile},
	"start_sync":            {[]string{"server"}, (*World).startSync},
	"stop_sync":             {[]string{"server"}, (*World).stopSync},
	"delete_sync":           {[]string{"server"}, (*World).deleteSync},
	"retry_error":           {[]string{"server", "issue"}, (*World).retryError},
	"fix_error":             {[]string{"server", "issue"}, (*World).fixError},
	"ignore_issue":          {[]string{"server", "issue"}, (*World).ignoreIssue},
	"confirm_no_errors":     {[]string{"server"}, (*World).confirmNoErrors},
	"confirm_stopped":       {[]string{"server"}, (*World).confirmStopped},
	"confirm_gone":          {[]string{"server", "project"}, (*World).confirmGone},
	"deliver":               {[]string{"from", "to"}, (*World).deliverFiles},
	"create_issue":          {[]string{"server", "project", "summary"}, (*World).createIssue},
	"edit_issue":            {[]string{"server", "issue", "field", "value"}, (*World).editIssue},
	"add_comment":           {[]string{"server", "issue", "body"}, (*World).addComment},
	"add_attachment":        {[]string{"server", "issue", "filename"}, (*World).addAttachment},
}

// Person does by hand what Backbone and Jira offer only in their web pages, as an administrator, and says in words
// what was done. An error says why it cannot be done; nothing has changed then.
//
// A server is given by name or base URL. A synchronization is given as integration (INT-4), or by first_project and
// second_project, or is the only one of the server. Values that are lists are JSON.
//
//	move_project_to_cloud  server, project, cloud_server
//	create_sync     server, first_project, second_server_url (or second_server), second_project; name, first_sync_user, second_sync_user
//	create_half     server, project, role (master or slave), transport (email or file), partner_project; partner_server, sync_user
//	configure_sync  issue_types {"Bug": "Bug"} or [{first, second}], fields [{name or first and second, mapping}], comments,
//	                attachments, first_jql, second_jql; what is not given stays as it is
//	pair_by_file    path or content: the envelope with firstConnector and secondConnector
//	start_sync, stop_sync, delete_sync
//	retry_error, fix_error, ignore_issue  issue: the key of either side
//	confirm_no_errors  looks whether no issue is in error and there are no conflicts; status: what it is, and no message waits
//	confirm_stopped    looks whether it is stopped
//	confirm_gone       project: looks whether it has no synchronization by email or files
//	deliver         from, to: servers whose message files or emails are moved now
//	create_issue    server, project, summary; type, user
//	edit_issue      server, issue, field, value; user
//	add_comment     server, issue, body; user
//	add_attachment  server, issue, filename; user
func (w *World) Person(ctx context.Context, name string, values map[string]string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	a, ok := actions[name]
	if !ok {
		return "", fmt.Errorf("no web page offers %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
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
	w.mu.Lock()
	defer w.mu.Unlock()
	var s *server
	if slices.Contains(a.needs, "server") {
		var err error
		if s, err = w.find(values["server"]); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	done, err := a.do(w, s, values)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return done, nil
}

// find gets a server by its name or base URL.
func (w *World) find(given string) (*server, error) {
	if s := w.servers[given]; s != nil {
		return s, nil
	}
	for _, name := range w.Servers() {
		s := w.servers[name]
		url := strings.TrimRight(given, "/")
		if url != "" && (s.url == url || strings.TrimSuffix(s.url, s.contextPath) == url) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no server %q", given)
}

// chosen gets the synchronization that the values name.
func (s *server) chosen(v map[string]string) (*integration, error) {
	if key := v["integration"]; key != "" {
		if in := s.integration(key); in != nil {
			return in, nil
		}
		return nil, fmt.Errorf("there is no synchronization %s on %s", key, s.name)
	}
	var found []*integration
	for _, in := range s.integrations {
		first, second := in.connectors[0].project, in.partnerKey
		if in.transport == direct {
			second = in.connectors[1].project
		}
		if (v["transport"] == "" || v["transport"] == in.transport) && (v["first_project"] == "" || v["first_project"] == first) &&
			(v["second_project"] == "" || v["second_project"] == second) {
			found = append(found, in)
		}
	}
	// The projects of a direct synchronization may be those of the old one over email or files, which nobody
	// configures any more.
	isDirect := func(in *integration) bool { return in.transport == direct }
	if len(found) > 1 && slices.ContainsFunc(found, isDirect) {
		found = slices.DeleteFunc(found, func(in *integration) bool { return !isDirect(in) })
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d synchronizations on %s fit; say which by integration", len(found), s.name)
	}
	return found[0], nil
}

func (w *World) startSync(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
	if err != nil {
		return "", err
	}
	if err := w.start(in); err != nil {
		return "", err
	}
	return fmt.Sprintf("started %s on %s", in.key, s.name), nil
}

func (w *World) stopSync(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
	if err != nil {
		return "", err
	}
	if err := w.stop(in); err != nil {
		return "", err
	}
	return fmt.Sprintf("stopped %s on %s", in.key, s.name), nil
}

func (w *World) deleteSync(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
	if err != nil {
		return "", err
	}
	w.remove(in)
	return fmt.Sprintf("deleted %s on %s", in.key, s.name), nil
}

// inError finds an issue in error by the key of either side.
func (s *server) inError(v map[string]string) (*connector, *issueError, error) {
	for _, in := range s.integrations {
		if v["integration"] != "" && v["integration"] != in.key {
			continue
		}
		for _, c := range in.connectors {
			for _, e := range c.errors {
				if e.local == v["issue"] || e.remote == v["issue"] {
					return c, e, nil
				}
			}
		}
	}
	return nil, nil, fmt.Errorf("issue %s is not in error on %s", v["issue"], s.name)
}

func (w *World) retryError(s *server, v map[string]string) (string, error) {
	c, e, err := s.inError(v)
	if err != nil {
		return "", err
	}
	if err := w.retry(c, e); err != nil {
		return "", fmt.Errorf("issue %s stays in error: %w", v["issue"], err)
	}
	return fmt.Sprintf("the messages for issue %s have been applied", v["issue"]), nil
}

// fixError removes the cause, in Jira or in the configuration, and tries again.
func (w *World) fixError(s *server, v map[string]string) (string, error) {
	_, e, err := s.inError(v)
	if err != nil {
		return "", err
	}
	e.fixed = true
	return w.retryError(s, v)
}

// ignoreIssue is "ignore future changes" (W/5.20/cloud/deleting-a-synchronized-issue). ASSUMED: the waiting messages
// are thrown away and not counted, so the sequence ids of the two ends stay apart.
func (w *World) ignoreIssue(s *server, v map[string]string) (string, error) {
	c, e, err := s.inError(v)
	if err != nil {
		return "", err
	}
	p := c.byRemote[e.remote]
	if p == nil {
		return "", fmt.Errorf("issue %s has not been synchronized yet", v["issue"])
	}
	p.ignored = true
	c.errors = slices.DeleteFunc(c.errors, func(x *issueError) bool { return x == e })
	return fmt.Sprintf("changes for issue %s are ignored from now on", v["issue"]), nil
}

func (w *World) deliverFiles(_ *server, v map[string]string) (string, error) {
	from, err := w.find(v["from"])
	if err != nil {
		return "", err
	}
	to, err := w.find(v["to"])
	if err != nil {
		return "", err
	}
	n := 0
	for _, in := range from.integrations {
		if in.partner != nil && in.partner.server == to {
			n += w.deliver(in, true)
		}
	}
	return fmt.Sprintf("moved %d messages from %s to %s", n, from.name, to.name), nil
}
