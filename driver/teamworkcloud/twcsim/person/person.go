// Package person does what only a person can do: in the web application, in modelling tools, and on the machine.
package person

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// action is one thing that a person can do.
type action struct {
	Needs []string
	page  bool // done in the web application or a modelling tool, so the server has to be up
	do    func(w *state.World, s *state.Server, v map[string]string) (string, error)
}

// Actions are the things that a person can do, by name.
var Actions = map[string]action{
	"create_configuration": {[]string{"target", "source_address", "username", "kind", "item", "target_category",
		"trigger"}, true, createConfiguration},
	"synchronize":          {[]string{"target", "items"}, true, synchronizeNow},
	"delete_configuration": {[]string{"target", "items"}, true, deleteConfiguration},
	"encrypt_configuration": {[]string{"target", "source_address", "username", "kind", "item", "target_category",
		"trigger"}, true, encryptConfiguration},
	"configure_encryption": {[]string{"server"}, false, configureEncryption},
	"check_editable":       {[]string{"target", "resources"}, true, checkEditable},
	"check_usages":         {[]string{"server", "resources"}, false, checkUsages},
	"confirm_backup":       {[]string{"server"}, false, confirmBackup},
	"announce":             {[]string{"server"}, false, announce},
	"run_maintenance":      {[]string{"server", "commands"}, false, runMaintenance},

	"add_resource":    {[]string{"server", "name", "category"}, true, addResource},
	"commit":          {[]string{"server", "resource"}, true, commit},
	"tag":             {[]string{"server", "resource", "revision", "name"}, true, addTag},
	"new_branch":      {[]string{"server", "resource", "name"}, true, newBranch},
	"lock":            {[]string{"server", "resource", "user"}, true, addLock},
	"unlock":          {[]string{"server", "resource"}, true, unlock},
	"login":           {[]string{"server", "user"}, true, personLogin},
	"rename":          {[]string{"server", "resource", "name"}, true, rename},
	"move":            {[]string{"server", "resource", "category"}, true, move},
	"rename_category": {[]string{"server", "category", "name"}, true, renameCategory},
	"remove":          {[]string{"server", "resource"}, true, markDeleted},
	"tamper":          {[]string{"server", "resource", "what"}, false, tamper},
	"cassandra":       {[]string{"server", "up"}, false, switchDatabase},

	"replace_certificate": {[]string{"server", "what"}, false, replaceCertificate},
	"edit_file":           {[]string{"server", "path"}, false, editFile},
	"block_port":          {[]string{"server", "open"}, false, blockPort},
}

// Act does by hand what Teamwork Cloud offers only in its web application, in modelling tools and on the machine. It
// returns a description of what was done. An error says why it cannot be done. Nothing has changed then, except what
// the commands of run_maintenance before the failed one have done. An unknown action is errors.ErrUnsupported.
//
// A server (server, target) is given by its URL or name, a resource by ID or name, a category by ID or path, a branch
// by ID or name. Values other than those listed are ignored.
//
//	create_configuration  target, source_address (host or host:port), username, tls, kind (resource or category),
//	                item (id), item_name, target_category, trigger (every_commit, commit_tag, manual), tag; as: the
//	                user of the target
//	synchronize     target, items (ids of items or configurations, or paths of categories, comma-separated):
//	                "synchronize now"
//	delete_configuration  target, items; keep (true: configuration only, which is the default)
//	encrypt_configuration  the values of create_configuration: a configuration that connects differently is deleted
//	                (configuration only) and created again
//	configure_encryption   server; properties (lines key=value for the web application), appended (lines for
//	                application.conf), trust (alias NAME, and a certificate, for each), restart (true: its services)
//	check_editable  target, resources (ids, comma-separated): an error if one of them is read-only
//	check_usages    server, resources (ids, comma-separated): an error if another resource's model uses one of them
//	confirm_backup  server
//	announce        server: users are told that it will be stopped, and log out
//	run_maintenance  server, commands: one per line, on the machine, until one fails
//
// What people do in the meantime, for tests:
//
//	add_resource    server, name, category; id, project_id, local_id, description, author
//	commit          server, resource; branch, author, description, tag, merged (revision)
//	tag             server, resource, revision, name; description
//	new_branch      server, resource, name; from (revision, else the newest), author
//	lock            server, resource, user; branch, element
//	unlock          server, resource; user: else everybody's
//	login           server, user: a modelling tool, which keeps its licence until announce or the server's end
//	rename, move    server, resource; name or category
//	rename_category    server, category, name
//	remove          server, resource: marks it as deleted
//	tamper          server, resource, what (gone, project_id, or with a revision: lose, author, date,
//	                description, truncate): what no product does
//	cassandra       server, up (true or false)
//	replace_certificate    server, what (expired, wrong_name, self_signed, no_intermediate, other_authority): the
//	                encrypted port presents another one
//	edit_file       server, path, content: somebody writes a file on the machine
//	block_port      server, open (true or false): a firewall before the encrypted port
func Act(ctx context.Context, w *state.World, name string, values map[string]string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	a, ok := Actions[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(Actions)), ", ")
		return "", fmt.Errorf("nobody can do %q (%s): %w", name, known, errors.ErrUnsupported)
	}
	for _, need := range a.Needs {
		if values[need] == "" {
			return "", fmt.Errorf("%s: a value for %s is missing", name, need)
		}
	}
	w.Mu.Lock()
	defer w.Mu.Unlock()
	s := w.Server(values[a.Needs[0]])
	if s == nil {
		return "", fmt.Errorf("%s: there is no server %q", name, values[a.Needs[0]])
	}
	if a.page {
		if err := machine.PagesTrouble(s, w.Now); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	done, err := a.do(w, s, values)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return done, nil
}

// ids splits a comma-separated list. Items may contain blanks, because categories can be named by their paths.
func ids(text string) []string {
	var out []string
	for _, id := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '\n' }) {
		if id = strings.TrimSpace(id); id != "" {
			out = append(out, id)
		}
	}
	return out
}

// truth reads a boolean value.
func truth(v map[string]string, name string, unset bool) (bool, error) {
	switch v[name] {
	case "":
		return unset, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%s: want true or false, got %q", name, v[name])
}

func checkEditable(w *state.World, s *state.Server, v map[string]string) (string, error) {
	var locked, missing []string
	for _, id := range ids(v["resources"]) {
		switch r := s.Resource(id); {
		case r == nil || r.Removed:
			missing = append(missing, id)
		case r.ReadOnly:
			locked = append(locked, fmt.Sprintf("%s (%s)", r.Name, r.ID))
		}
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("not found on %s: %s", s.Name, strings.Join(missing, ", "))
	}
	if len(locked) > 0 {
		return "", fmt.Errorf("still read-only on %s: %s", s.Name, strings.Join(locked, ", "))
	}
	return fmt.Sprintf("opened %d resources on %s: all can be edited", len(ids(v["resources"])), s.Name), nil
}

func checkUsages(_ *state.World, s *state.Server, v map[string]string) (string, error) {
	those := ids(v["resources"])
	for _, r := range s.Resources {
		if r.Removed || slices.Contains(those, r.ID) {
			continue
		}
		for _, name := range r.Uses {
			if used := s.Resource(name); used != nil && slices.Contains(those, used.ID) {
				return "", fmt.Errorf("%s uses %s", r.Name, used.Name)
			}
		}
	}
	return fmt.Sprintf("no other model on %s uses any of %d resources", s.Name, len(those)), nil
}

func confirmBackup(w *state.World, s *state.Server, _ map[string]string) (string, error) {
	s.Services.BackedUp = true
	return "backed up the database of " + s.Name, nil
}

// announce makes people save their work and log out. Sessions of programs stay open.
func announce(w *state.World, s *state.Server, _ map[string]string) (string, error) {
	n := 0
	for id, open := range s.Sessions {
		if open.Person {
			delete(s.Sessions, id)
			n++
		}
	}
	s.Services.Announced = true
	return fmt.Sprintf("told the users of %s; %d logged out", s.Name, n), nil
}

// runMaintenance is a person on the machine, as root. Changing the folder affects later lines. Lines that are empty or
// begin with # are skipped.
func runMaintenance(w *state.World, s *state.Server, v map[string]string) (string, error) {
	sh := &machine.Shell{W: w, S: s, M: s.Desk, Dir: state.LoginFolder, Root: true}
	for line := range strings.Lines(v["commands"]) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fmt.Fprintln(&sh.Out, "$ "+line)
		if code := sh.Line(line); code != 0 {
			return "", fmt.Errorf("%q ended with %d on %s: %s", line, code, s.Name,
				strings.TrimSpace(sh.Errs.String()+sh.Out.String()))
		}
	}
	return strings.TrimSpace(sh.Out.String() + sh.Errs.String()), nil
}

// switchDatabase is what somebody else does, or an outage.
func switchDatabase(w *state.World, s *state.Server, v map[string]string) (string, error) {
	up, err := truth(v, "up", true)
	if err != nil {
		return "", err
	}
	s.Services.Running[state.UnitDatabase] = up
	return fmt.Sprintf("Cassandra of %s is up: %t", s.Name, up), nil
}
