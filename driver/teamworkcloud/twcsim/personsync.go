package twcsim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// createConfiguration goes through the wizard of "Remote repository management" (MCS/pages/247047420): the address of the
// source, a login there, an item that this user sees, a category of the target, a trigger. One configuration is made for
// one item.
//
// ASSUMED: the wizard refuses what it needs to go on, and what cannot be created; everything else shows as the status of
// the configuration. It does not ask for a password here.
func (w *World) createConfiguration(t *server, v map[string]string) (string, error) {
	c, source, err := w.wizardLogin(t, v)
	if err != nil {
		return "", err
	}
	if err := c.choose(source, v); err != nil {
		return "", err
	}
	category := t.categoryByPath(v["target_category"])
	if category == nil {
		return "", fmt.Errorf("there is no category %s on %s", v["target_category"], t.name)
	}
	c.targetCategory = category.id
	if err := c.setTrigger(v); err != nil {
		return "", err
	}
	if t.hasConfigured(c) {
		return fmt.Sprintf("the remote resource configuration for %s %s is on %s already", c.kind, c.item, t.name), nil
	}
	if err := t.mayConfigure(c); err != nil {
		return "", err
	}
	c.id = w.newID("configuration " + t.name + " " + c.source + " " + c.kind + " " + c.item) // the same whatever else is made when
	t.configurations = append(t.configurations, c)
	delete(t.deleted, c.item)
	return fmt.Sprintf("created a remote resource configuration on %s: %s %s from %s into %s", t.name, c.kind, c.item, source.name, t.path(category.id)), nil
}

// wizardLogin is the first half of the wizard. Without a port the target's own is used for the source, too (seed: "it will
// use the target server's TLS port to log in to the source server"). ASSUMED: the same holds for the port that is not
// encrypted, and in 2022x, whose page wants the port to be given.
func (w *World) wizardLogin(t *server, v map[string]string) (*configuration, *server, error) {
	if !t.release.synchronizes() {
		return nil, nil, fmt.Errorf("%s has no Remote repository management, which came with 2021x Refresh2", t.release)
	}
	tls, err := truth(v, "tls", false)
	if err != nil {
		return nil, nil, err
	}
	if tls && !t.release.switches() {
		return nil, nil, fmt.Errorf("%s has no switch Use Secure Connection (TLS), which came with 2024x Refresh1", t.release)
	}
	source, given := w.serverAt(v["source_address"])
	tls, port := t.wantsEncryption(tls)
	if given != "" {
		if port, err = strconv.Atoi(given); err != nil {
			return nil, nil, fmt.Errorf("source address %s: the port is not a number", v["source_address"])
		}
	}
	switch {
	case source == nil || !source.works(w.now) || !source.accepts(port, tls):
		return nil, nil, fmt.Errorf("could not connect to %s, port %d, encrypted: %t", v["source_address"], port, tls)
	case source == t:
		return nil, nil, errors.New("source and target are the same server")
	case source.user(v["username"]) == nil:
		return nil, nil, fmt.Errorf("login of %s to %s failed", v["username"], source.name)
	}
	c := &configuration{source: source.name, user: v["username"], owner: t.account(v["as"]), tls: tls, port: port}
	return c, source, nil
}

// account is who works with the web application: the one named, else the one whose credentials the environment has.
func (s *server) account(named string) string {
	if named == "" && s.env != nil {
		return s.env.Account
	}
	return named
}

// choose picks the item from what the user of the source is shown. ASSUMED: that is what he may read; what is marked as
// deleted is not shown; a category shows whatever he may read in it.
func (c *configuration) choose(source *server, v map[string]string) error {
	name, shown := v["item_name"], []string{}
	switch v["kind"] {
	case kindResource:
		r := source.resource(v["item"])
		if r == nil || r.id != v["item"] || r.removed || !source.canRead(source.user(c.user), r) {
			return fmt.Errorf("%s shows %s no resource %s", source.name, c.user, v["item"])
		}
		shown = append(shown, r.name)
		c.item = r.id
	case kindCategory: // people pick it by its path; its id need not be known
		k := source.categoryByPath(v["item"])
		if k == nil {
			return fmt.Errorf("%s shows %s no category %s", source.name, c.user, v["item"])
		}
		shown = append(shown, k.name, source.path(k.id))
		c.item = k.id
	default:
		return fmt.Errorf("kind: want resource or category, got %q", v["kind"])
	}
	if name != "" && !slices.Contains(shown, name) {
		return fmt.Errorf("%s %s is called %s on %s, not %s", v["kind"], v["item"], shown[0], source.name, name)
	}
	c.kind = v["kind"]
	return nil
}

func (c *configuration) setTrigger(v map[string]string) error {
	c.trigger, c.tag, c.status = v["trigger"], v["tag"], notSynchronized
	switch {
	case !slices.Contains([]string{everyCommit, commitTag, byHand}, c.trigger):
		return fmt.Errorf("trigger: want every_commit, commit_tag or manual, got %q", c.trigger)
	case c.trigger == commitTag && c.tag == "":
		return errors.New("the trigger On specific commit tag wants a tag")
	case c.trigger != commitTag && c.tag != "":
		return fmt.Errorf("the trigger %s has no tag", c.trigger)
	case c.trigger == everyCommit:
		c.status = inQueue
	}
	return nil
}

// hasConfigured: somebody who is asked twice to create the same configuration finds it in the list.
func (s *server) hasConfigured(c *configuration) bool {
	return slices.ContainsFunc(s.configurations, func(x *configuration) bool {
		return !x.leftBehind && x.source == c.source && x.kind == c.kind && x.item == c.item && x.targetCategory == c.targetCategory &&
			x.trigger == c.trigger && x.tag == c.tag && x.user == c.user && x.tls == c.tls
	})
}

// mayConfigure: one item has one configuration (ASSUMED, see configuredBefore). "In 2024x and older, deleting the
// configuration alone was not enough to create another one for the same resource" (MCS/pages/247047420): it has to be
// deleted by Data Manager as well.
func (s *server) mayConfigure(c *configuration) error {
	for _, old := range s.configurations {
		same := old.kind == c.kind && old.item == c.item
		switch {
		case old.leftBehind && (same || slices.Contains(old.members, c.item)):
			return fmt.Errorf("%s %s was configured before; delete its resources with Data Manager first", c.kind, c.item)
		case same && !old.leftBehind:
			return fmt.Errorf("%s %s is configured already", c.kind, c.item)
		}
	}
	return nil
}

// pick finds configurations by their items, a category by its path on the source too, or by their own ids. Nothing is done when
// one is missing.
func (w *World) pick(s *server, list string) ([]*configuration, error) {
	var out []*configuration
	for _, id := range ids(list) {
		i := slices.IndexFunc(s.configurations, func(c *configuration) bool {
			path := ""
			if source := w.servers[c.source]; source != nil && c.kind == kindCategory {
				path = source.path(c.item)
			}
			return !c.leftBehind && (c.item == id || c.id == id || path == id)
		})
		if i < 0 {
			return nil, fmt.Errorf("there is no remote resource configuration for %s on %s", id, s.name)
		}
		out = append(out, s.configurations[i])
	}
	return out, nil
}

// synchronizeNow ticks configurations and presses the button: "bulk" (MCS/pages/247047420).
func (w *World) synchronizeNow(t *server, v map[string]string) (string, error) {
	chosen, err := w.pick(t, v["items"])
	if err != nil {
		return "", err
	}
	for _, c := range chosen {
		c.wanted, c.status, c.reason = true, inQueue, ""
	}
	return fmt.Sprintf("started the synchronization of %d configurations on %s", len(chosen), t.name), nil
}

// deleteConfiguration: since 2024xR1 the page asks whether to delete the configuration only or all of it, resources too.
// Before there is no such question: the resources stay, and so does a trace of the configuration, until Data Manager
// deletes them (MCS/pages/247047420). ASSUMED: a configuration that has copied nothing leaves no trace.
//
// Somebody who is asked twice to delete the same configuration in the same way knows that it is done.
func (w *World) deleteConfiguration(t *server, v map[string]string) (string, error) {
	keep, err := truth(v, "keep", true)
	if err != nil {
		return "", err
	}
	if !keep && !t.release.asksOnDelete() {
		return "", fmt.Errorf("%s has no DELETE ALL, which came with 2024x Refresh1", t.release)
	}
	var left []string
	for _, id := range ids(v["items"]) {
		if kept, done := t.deleted[id]; !done || kept != keep {
			left = append(left, id)
		}
	}
	chosen, err := w.pick(t, strings.Join(left, ","))
	if err != nil {
		return "", err
	}
	for _, c := range chosen {
		t.unconfigure(c, keep)
	}
	kept := "the resources stay"
	if !keep {
		kept = "the resources are deleted too"
	}
	return fmt.Sprintf("deleted the configurations of %s on %s; %s", strings.Join(ids(v["items"]), ", "), t.name, kept), nil
}

func (s *server) unconfigure(c *configuration, keep bool) {
	if s.deleted == nil {
		s.deleted = map[string]bool{}
	}
	s.deleted[c.item], s.deleted[c.id] = keep, keep
	if !s.release.asksOnDelete() && len(c.members) > 0 {
		c.leftBehind, c.wanted, c.status, c.reason = true, false, "", ""
		return
	}
	s.configurations = slices.DeleteFunc(s.configurations, func(x *configuration) bool { return x == c })
	if !keep {
		for _, id := range slices.Clone(c.members) {
			s.erase(id)
		}
	}
}
