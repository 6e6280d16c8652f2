package build

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

func buildMachine(w *state.World, s *state.Server, in *seedMachine) (err error) {
	if in == nil {
		s.Services = machine.NewServices(s.Release, nil, true)
		s.Desk, err = state.NewMachine(s.Release, "", s.PlainPort, nil, w.Clock)
		return err
	}
	var running []string // nil: all
	if in.Services != nil {
		running = append([]string{}, *in.Services...)
		for _, unit := range running {
			if !slices.Contains(machine.UnitsOf(s.Release), unit) || unit == state.UnitDatabase {
				return fmt.Errorf("machine.services: %q is not a service of %s", unit, s.Release)
			}
		}
	}
	s.Services = machine.NewServices(s.Release, running, in.Cassandra == nil || *in.Cassandra)
	if in.Home != "" && (!path.IsAbs(in.Home) || path.Clean(in.Home) != in.Home) {
		return fmt.Errorf("machine.home: %q is not like /opt/CATIANoMagicServices", in.Home)
	}
	for name := range in.Files {
		if !path.IsAbs(name) || path.Clean(name) != name || name == "/" {
			return fmt.Errorf("machine.files: %q is not an absolute path", name)
		}
	}
	m, err := state.NewMachine(s.Release, in.Home, s.PlainPort, in.Files, w.Clock)
	if err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	m.Sudo = in.Sudo == nil || *in.Sudo
	s.Machine, s.Desk = m, m
	for _, name := range slices.Sorted(maps.Keys(in.Trusted)) {
		if err := buildTrust(w, m, name, in.Trusted[name]); err != nil {
			return fmt.Errorf("machine.trusted: %s: %w", name, err)
		}
	}
	return nil
}

// buildConfiguration adds a remote resource configuration with s as the target. The engine itself distinguishes copies
// that the seed marks as read-only from the target's own projects.
func buildConfiguration(w *state.World, s *state.Server, in *seedConfiguration) error {
	if in == nil {
		return errors.New("is null")
	}
	source := w.Named[in.Source]
	if source == nil || source == s {
		return fmt.Errorf("source: %q is not another server", in.Source)
	}
	c := &state.Configuration{
		ID: w.NewID("configuration"), Source: in.Source, Tag: in.Tag, User: in.User, TLS: in.TLS, Status: state.InQueue,
	}
	switch {
	case (in.Resource == "") == (in.Category == ""):
		return errors.New("needs a resource or a category, and not both")
	case in.Resource != "":
		r := source.Resource(in.Resource)
		if r == nil {
			return fmt.Errorf("resource: %s has no %s", in.Source, in.Resource)
		}
		c.Kind, c.Item = state.KindResource, r.ID
	default:
		k := source.CategoryByPath(in.Category)
		if k == nil {
			return fmt.Errorf("category: %s has no %s", in.Source, in.Category)
		}
		c.Kind, c.Item = state.KindCategory, k.ID
	}
	k := s.CategoryByPath(in.TargetCategory)
	if k == nil {
		return fmt.Errorf("target_category: there is no %q", in.TargetCategory)
	}
	c.TargetCategory = k.ID
	if err := seed.OneOf("trigger", &in.Trigger, state.EveryCommit, state.CommitTag, state.ByHand); err != nil {
		return err
	}
	if c.Trigger = in.Trigger; (c.Trigger == state.CommitTag) != (c.Tag != "") {
		return errors.New("tag: there is one if and only if the trigger is " + state.CommitTag)
	}
	if c.Trigger == state.ByHand {
		c.Status = state.NotSynchronized
	}
	if source.User(in.User) == nil {
		return fmt.Errorf("user: %s has no user %q", in.Source, strings.TrimSpace(in.User))
	}
	s.Configurations = append(s.Configurations, c)
	return nil
}
