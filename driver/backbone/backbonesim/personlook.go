package backbonesim

import (
	"fmt"
	"strings"
)

// The actions of this file are a person who looks at a web page and confirms what it shows, or says that it shows something
// else: then there is an error. Nothing changes.

// confirmNoErrors looks at the troubleshooting tab and at the warnings of the configuration. With a value for status it looks
// too whether that is its status and no message waits.
func (w *World) confirmNoErrors(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
	if err != nil {
		return "", err
	}
	if want := v["status"]; want != "" && in.status != want {
		return "", fmt.Errorf("%s is %s", in.key, in.status)
	}
	for _, c := range in.connectors {
		for _, e := range c.errors {
			return "", fmt.Errorf("issue %s of %s is in error: %s", e.local, in.key, e.text)
		}
		if v["status"] != "" && len(c.inbox) > 0 {
			return "", fmt.Errorf("%d messages of %s wait", len(c.inbox), in.key)
		}
	}
	if v["status"] != "" && len(in.outbox) > 0 {
		return "", fmt.Errorf("%d messages of %s are under way", len(in.outbox), in.key)
	}
	if found := w.conflicts(in); len(found) > 0 {
		return "", fmt.Errorf("the configuration of %s has conflicts: %s", in.key, strings.Join(found, " "))
	}
	return fmt.Sprintf("no issue of %s on %s is in error", in.key, s.name), nil
}

// confirmStopped looks at the overview.
func (w *World) confirmStopped(s *server, v map[string]string) (string, error) {
	in, err := s.chosen(v)
	if err != nil {
		return "", err
	}
	if in.status != stopped {
		return "", fmt.Errorf("%s is %s", in.key, in.status)
	}
	return fmt.Sprintf("%s on %s is stopped", in.key, s.name), nil
}

// confirmGone looks whether the overview has no email or file synchronization of a project.
func (w *World) confirmGone(s *server, v map[string]string) (string, error) {
	for _, in := range s.integrations {
		if in.transport != direct && in.connectors[0].project == v["project"] {
			return "", fmt.Errorf("%s is still there", in.key)
		}
	}
	return fmt.Sprintf("project %s on %s has no synchronization by email or files", v["project"], s.name), nil
}
