package twcsim

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/sandbox/seed"
)

func (w *World) buildMachine(s *server, in *seedMachine) (err error) {
	if in == nil {
		s.services = newServices(s.release, nil, true)
		s.desk, err = newMachine(s.release, "", s.plainPort, nil, w.clock)
		return err
	}
	var running []string // nil: all
	if in.Services != nil {
		running = append([]string{}, *in.Services...)
		for _, unit := range running {
			if !slices.Contains(unitsOf(s.release), unit) || unit == unitDatabase {
				return fmt.Errorf("machine.services: %q is no service of %s", unit, s.release)
			}
		}
	}
	s.services = newServices(s.release, running, in.Cassandra == nil || *in.Cassandra)
	if in.Home != "" && (!path.IsAbs(in.Home) || path.Clean(in.Home) != in.Home) {
		return fmt.Errorf("machine.home: %q is not like /opt/CATIANoMagicServices", in.Home)
	}
	for name := range in.Files {
		if !path.IsAbs(name) || path.Clean(name) != name || name == "/" {
			return fmt.Errorf("machine.files: %q is no absolute path", name)
		}
	}
	m, err := newMachine(s.release, in.Home, s.plainPort, in.Files, w.clock)
	if err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	m.sudo = in.Sudo == nil || *in.Sudo
	s.machine, s.desk = m, m
	for _, name := range slices.Sorted(maps.Keys(in.Trusted)) {
		if err := w.buildTrust(m, name, in.Trusted[name]); err != nil {
			return fmt.Errorf("machine.trusted: %s: %w", name, err)
		}
	}
	return nil
}

// buildConfiguration makes a remote resource configuration of s as the target. Copies that the seed marks as read-only
// are told apart from projects of the target's own by the engine itself.
func (w *World) buildConfiguration(s *server, in *seedConfiguration) error {
	if in == nil {
		return errors.New("is null")
	}
	source := w.servers[in.Source]
	if source == nil || source == s {
		return fmt.Errorf("source: %q is no other server", in.Source)
	}
	c := &configuration{
		id: w.newID("configuration"), source: in.Source, tag: in.Tag, user: in.User, tls: in.TLS, status: inQueue,
	}
	switch {
	case (in.Resource == "") == (in.Category == ""):
		return errors.New("needs a resource or a category, and not both")
	case in.Resource != "":
		r := source.resource(in.Resource)
		if r == nil {
			return fmt.Errorf("resource: %s has no %s", in.Source, in.Resource)
		}
		c.kind, c.item = kindResource, r.id
	default:
		k := source.categoryByPath(in.Category)
		if k == nil {
			return fmt.Errorf("category: %s has no %s", in.Source, in.Category)
		}
		c.kind, c.item = kindCategory, k.id
	}
	k := s.categoryByPath(in.TargetCategory)
	if k == nil {
		return fmt.Errorf("target_category: there is no %q", in.TargetCategory)
	}
	c.targetCategory = k.id
	if err := seed.OneOf("trigger", &in.Trigger, everyCommit, commitTag, byHand); err != nil {
		return err
	}
	if c.trigger = in.Trigger; (c.trigger == commitTag) != (c.tag != "") {
		return errors.New("tag: there is one if and only if the trigger is " + commitTag)
	}
	if c.trigger == byHand {
		c.status = notSynchronized
	}
	if source.user(in.User) == nil {
		return fmt.Errorf("user: %s has no user %q", in.Source, strings.TrimSpace(in.User))
	}
	s.configurations = append(s.configurations, c)
	return nil
}
