package person

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/engine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// createConfiguration uses the wizard of "Remote repository management" (MCS/pages/247047420): the address of the
// source, a login there, an item that this user sees, a category of the target, a trigger. It creates one
// configuration for one item.
//
// ASSUMED: the wizard refuses values that it needs itself, and what cannot be created. Everything else is shown as the
// status of the configuration. It does not ask for a password here.
func createConfiguration(w *state.World, t *state.Server, v map[string]string) (string, error) {
	c, source, err := wizardLogin(w, t, v)
	if err != nil {
		return "", err
	}
	if err := choose(c, source, v); err != nil {
		return "", err
	}
	category := t.CategoryByPath(v["target_category"])
	if category == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["target_category"], t.Name)
	}
	c.TargetCategory = category.ID
	if err := setTrigger(c, v); err != nil {
		return "", err
	}
	if hasConfigured(t, c) {
		return fmt.Sprintf("the remote resource configuration for %s %s is on %s already", c.Kind, c.Item, t.Name), nil
	}
	if err := mayConfigure(t, c); err != nil {
		return "", err
	}
	// independent of what else is created when
	c.ID = w.NewID("configuration " + t.Name + " " + c.Source + " " + c.Kind + " " + c.Item)
	t.Configurations = append(t.Configurations, c)
	delete(t.Deleted, c.Item)
	return fmt.Sprintf("created a remote resource configuration on %s: %s %s from %s into %s", t.Name, c.Kind,
		c.Item, source.Name, t.Path(category.ID)), nil
}

// wizardLogin is the first half of the wizard. Without a port, the target's own is used for the source, too (seed: "it
// will use the target server's TLS port to log in to the source server"). ASSUMED: the same is true for the port
// without encryption, and in 2022x, whose page requires a port.
func wizardLogin(w *state.World, t *state.Server, v map[string]string) (*state.Configuration, *state.Server, error) {
	if !t.Release.Synchronizes() {
		return nil, nil, fmt.Errorf("%s has no Remote repository management, which came with 2021x Refresh2", t.Release)
	}
	tls, err := truth(v, "tls", false)
	if err != nil {
		return nil, nil, err
	}
	if tls && !t.Release.Switches() {
		return nil, nil, fmt.Errorf("%s has no switch Use Secure Connection (TLS), which came with 2024x Refresh1",
			t.Release)
	}
	source, given := w.ServerAt(v["source_address"])
	tls, port := engine.WantsEncryption(t, tls)
	if given != "" {
		if port, err = strconv.Atoi(given); err != nil {
			return nil, nil, fmt.Errorf("source address %s: the port is not a number", v["source_address"])
		}
	}
	switch {
	case source == nil || !machine.Works(source, w.Now) || !engine.Accepts(source, port, tls):
		return nil, nil, fmt.Errorf("could not connect to %s, port %d, encrypted: %t", v["source_address"], port, tls)
	case source == t:
		return nil, nil, errors.New("source and target are the same server")
	case source.User(v["username"]) == nil:
		return nil, nil, fmt.Errorf("login of %s to %s failed", v["username"], source.Name)
	}
	c := &state.Configuration{Source: source.Name, User: v["username"], Owner: account(t, v["as"]), TLS: tls, Port: port}
	return c, source, nil
}

// account returns the user of the web application: the named one, else the one whose credentials the environment has.
func account(s *state.Server, named string) string {
	if named == "" && s.Env != nil {
		return s.Env.Account
	}
	return named
}

// choose selects the item from what the user of the source sees. ASSUMED: that is what the user may read, without what
// is marked as deleted; of a category it is whatever the user may read in it.
func choose(c *state.Configuration, source *state.Server, v map[string]string) error {
	name, shown := v["item_name"], []string{}
	switch v["kind"] {
	case state.KindResource:
		r := source.Resource(v["item"])
		if r == nil || r.ID != v["item"] || r.Removed || !source.CanRead(source.User(c.User), r) {
			return fmt.Errorf("%s shows %s no resource %s", source.Name, c.User, v["item"])
		}
		shown = append(shown, r.Name)
		c.Item = r.ID
	case state.KindCategory: // people select it by its path; they need not know its ID
		k := source.CategoryByPath(v["item"])
		if k == nil {
			return fmt.Errorf("%s shows %s no category %s", source.Name, c.User, v["item"])
		}
		shown = append(shown, k.Name, source.Path(k.ID))
		c.Item = k.ID
	default:
		return fmt.Errorf("kind: want resource or category, got %q", v["kind"])
	}
	if name != "" && !slices.Contains(shown, name) {
		return fmt.Errorf("%s %s is called %s on %s, not %s", v["kind"], v["item"], shown[0], source.Name, name)
	}
	c.Kind = v["kind"]
	return nil
}

func setTrigger(c *state.Configuration, v map[string]string) error {
	c.Trigger, c.Tag, c.Status = v["trigger"], v["tag"], state.NotSynchronized
	switch {
	case !slices.Contains([]string{state.EveryCommit, state.CommitTag, state.ByHand}, c.Trigger):
		return fmt.Errorf("trigger: want every_commit, commit_tag or manual, got %q", c.Trigger)
	case c.Trigger == state.CommitTag && c.Tag == "":
		return errors.New("the trigger On specific commit tag wants a tag")
	case c.Trigger != state.CommitTag && c.Tag != "":
		return fmt.Errorf("the trigger %s has no tag", c.Trigger)
	case c.Trigger == state.EveryCommit:
		c.Status = state.InQueue
	}
	return nil
}

// hasConfigured reports whether the same configuration exists: a person who is asked twice finds it in the list.
func hasConfigured(s *state.Server, c *state.Configuration) bool {
	return slices.ContainsFunc(s.Configurations, func(x *state.Configuration) bool {
		return !x.LeftBehind && x.Source == c.Source && x.Kind == c.Kind && x.Item == c.Item &&
			x.TargetCategory == c.TargetCategory &&
			x.Trigger == c.Trigger && x.Tag == c.Tag && x.User == c.User && x.TLS == c.TLS
	})
}

// mayConfigure returns an error if the item cannot be configured. An item can have only one configuration (ASSUMED,
// see configuredBefore). "In 2024x and older, deleting the configuration alone was not enough to create another one
// for the same resource" (MCS/pages/247047420): it also has to be deleted with Data Manager.
func mayConfigure(s *state.Server, c *state.Configuration) error {
	for _, old := range s.Configurations {
		same := old.Kind == c.Kind && old.Item == c.Item
		switch {
		case old.LeftBehind && (same || slices.Contains(old.Members, c.Item)):
			return fmt.Errorf("%s %s was configured before; delete its resources with Data Manager first", c.Kind, c.Item)
		case same && !old.LeftBehind:
			return fmt.Errorf("%s %s is configured already", c.Kind, c.Item)
		}
	}
	return nil
}

// pick finds configurations by their items, by their own IDs, or for a category also by its path on the source. It
// returns an error if one is missing, so that nothing is done then.
func pick(w *state.World, s *state.Server, list string) ([]*state.Configuration, error) {
	var out []*state.Configuration
	for _, id := range ids(list) {
		i := slices.IndexFunc(s.Configurations, func(c *state.Configuration) bool {
			path := ""
			if source := w.Named[c.Source]; source != nil && c.Kind == state.KindCategory {
				path = source.Path(c.Item)
			}
			return !c.LeftBehind && (c.Item == id || c.ID == id || path == id)
		})
		if i < 0 {
			return nil, fmt.Errorf("there is no remote resource configuration for %s on %s", id, s.Name)
		}
		out = append(out, s.Configurations[i])
	}
	return out, nil
}

// synchronizeNow selects configurations and presses the button: "bulk" (MCS/pages/247047420).
func synchronizeNow(w *state.World, t *state.Server, v map[string]string) (string, error) {
	chosen, err := pick(w, t, v["items"])
	if err != nil {
		return "", err
	}
	for _, c := range chosen {
		c.Wanted, c.Status, c.Reason = true, state.InQueue, ""
	}
	return fmt.Sprintf("started the synchronization of %d configurations on %s", len(chosen), t.Name), nil
}

// deleteConfiguration deletes configurations. Since 2024xR1 the page asks whether to delete only the configuration, or
// the resources too. Before, there is no such question: the resources stay, and so does a record of the configuration,
// until Data Manager deletes them (MCS/pages/247047420). ASSUMED: a configuration that has copied nothing leaves no
// record.
//
// If a person is asked twice to delete the same configuration in the same way, it is already done.
func deleteConfiguration(w *state.World, t *state.Server, v map[string]string) (string, error) {
	keep, err := truth(v, "keep", true)
	if err != nil {
		return "", err
	}
	if !keep && !t.Release.AsksOnDelete() {
		return "", fmt.Errorf("%s has no DELETE ALL, which came with 2024x Refresh1", t.Release)
	}
	var left []string
	for _, id := range ids(v["items"]) {
		if kept, done := t.Deleted[id]; !done || kept != keep {
			left = append(left, id)
		}
	}
	chosen, err := pick(w, t, strings.Join(left, ","))
	if err != nil {
		return "", err
	}
	for _, c := range chosen {
		unconfigure(t, c, keep)
	}
	kept := "the resources stay"
	if !keep {
		kept = "the resources are deleted too"
	}
	return fmt.Sprintf("deleted the configurations of %s on %s; %s", strings.Join(ids(v["items"]), ", "), t.Name,
		kept), nil
}

func unconfigure(s *state.Server, c *state.Configuration, keep bool) {
	if s.Deleted == nil {
		s.Deleted = map[string]bool{}
	}
	s.Deleted[c.Item], s.Deleted[c.ID] = keep, keep
	if !s.Release.AsksOnDelete() && len(c.Members) > 0 {
		c.LeftBehind, c.Wanted, c.Status, c.Reason = true, false, "", ""
		return
	}
	s.Configurations = slices.DeleteFunc(s.Configurations, func(x *state.Configuration) bool { return x == c })
	if !keep {
		for _, id := range slices.Clone(c.Members) {
			machine.Erase(s, id)
		}
	}
}
