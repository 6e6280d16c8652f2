package person

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// In the actions of this file, a person looks at a web page and confirms what it shows. If it shows something else,
// they return an error. Nothing changes.

// confirmNoErrors checks the troubleshooting tab and the warnings of the configuration. If there is a value for
// status, it also checks that this is the status and that no message waits.
func confirmNoErrors(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	if want := v["status"]; want != "" && in.Status != want {
		return "", fmt.Errorf("%s is %s", in.Key, in.Status)
	}
	for _, c := range in.Connectors {
		for _, e := range c.Errors {
			return "", fmt.Errorf("issue %s of %s is in error: %s", e.Local, in.Key, e.Text)
		}
		if v["status"] != "" && len(c.Inbox) > 0 {
			return "", fmt.Errorf("%d messages of %s wait", len(c.Inbox), in.Key)
		}
	}
	if v["status"] != "" && len(in.Outbox) > 0 {
		return "", fmt.Errorf("%d messages of %s are under way", len(in.Outbox), in.Key)
	}
	if found := w.Conflicts(in); len(found) > 0 {
		return "", fmt.Errorf("the configuration of %s has conflicts: %s", in.Key, strings.Join(found, " "))
	}
	return fmt.Sprintf("no issue of %s on %s is in error", in.Key, s.Name), nil
}

// confirmStopped checks the overview.
func confirmStopped(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	if in.Status != state.Stopped {
		return "", fmt.Errorf("%s is %s", in.Key, in.Status)
	}
	return fmt.Sprintf("%s on %s is stopped", in.Key, s.Name), nil
}

// confirmInfoPanel checks the panels of the issues, each of which must name the partner.
func confirmInfoPanel(w *state.World, s *state.Server, v map[string]string) (string, error) {
	in, err := chosen(s, v)
	if err != nil {
		return "", err
	}
	for _, c := range in.Connectors {
		for _, p := range c.Pairs {
			if c.Jira.Issue(p.Local) != nil && p.Remote == "" {
				return "", fmt.Errorf("the panel of %s names no partner", p.Local)
			}
		}
	}
	return fmt.Sprintf("the issues of %s on %s show their partner", in.Key, s.Name), nil
}

// confirmGone checks that the overview has no email or file synchronization of a project.
func confirmGone(w *state.World, s *state.Server, v map[string]string) (string, error) {
	for _, in := range s.Integrations {
		if in.Transport != state.Direct && in.Connectors[0].Project == v["project"] {
			return "", fmt.Errorf("%s is still there", in.Key)
		}
	}
	return fmt.Sprintf("project %s on %s has no synchronization by email or files", v["project"], s.Name), nil
}
