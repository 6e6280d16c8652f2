package share

import (
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

// Standing is an item of the selection with its state.
type Standing struct {
	*survey.Item

	Op           string // name of the step that configures it as declared
	Appeared     int    // number of its resources that the target has as copies
	Configured   bool   // it has a configuration as declared, as far as known
	Replaces     bool   // an earlier run has configured it differently, and a configuration cannot be edited
	Again        bool   // it is replaced although it is as declared, because that was requested
	Unconfigured bool   // an earlier run has removed its configuration
	Asked        bool   // an earlier run has configured it as declared
	Waits        string // why it cannot be configured yet
}

// stand returns the state of an item: from what the target shows, and from the journal where no server can tell.
func (p *Plan) stand(item *survey.Item) Standing {
	s := Standing{Item: item, Op: opConfigure + item.Key() + "_" + p.configuration()}
	for i := range item.Resources {
		if r := &item.Resources[i]; r.Target.Exists && !r.Target.Removed && (r.Coming || r.Diff.IsCopy()) {
			s.Appeared++
		}
	}
	asked, at := p.lastConfigured(item.Key())
	gone, wasRemoved := p.lastRemoved(item.Key(), keyOf(p.Facts.Items))
	s.Unconfigured = wasRemoved && (asked == "" || gone.After(at))
	s.Asked = asked == s.Op
	expected := len(item.Expected())
	switch {
	case s.Unconfigured:
	case asked == "":
		s.Configured = s.Appeared > 0 && s.Appeared >= expected
	case !s.Asked:
		s.Replaces = true
	default: // if the trigger works by itself, something must have arrived
		s.Configured = p.Sync.Trigger != survey.EveryCommit || s.Appeared > 0 || expected == 0
	}
	if item.Kind == survey.KindResource && item.Coming {
		s.Waits = item.Resources[0].Waits
	}
	return s
}

// doubt resets Configured where that was concluded only from copies that another configuration may have brought: one
// that was declared before, or that of a category which the resource has left.
func (p *Plan) doubt() {
	former := p.former()
	category := slices.ContainsFunc(p.Items, func(s Standing) bool {
		asked, _ := p.lastConfigured(s.Key())
		return s.Kind == survey.KindCategory && (asked != "" || !s.Configured)
	})
	for i := range p.Items {
		s := &p.Items[i]
		if asked, _ := p.lastConfigured(s.Key()); asked != "" || !s.Configured {
			continue
		}
		ids := func(r survey.Resource) bool { return former[survey.ConfigurationKey(survey.KindResource, r.ID, "")] }
		switch s.Kind {
		case survey.KindResource:
			s.Configured = !category && !former[survey.ConfigurationKey(survey.KindCategory, "", s.Path[:max(0,
				strings.LastIndexByte(s.Path, '/'))])]
		case survey.KindCategory:
			s.Configured = !slices.ContainsFunc(s.Resources, ids)
		}
	}
}

// former returns the keys of what earlier runs have configured and is no longer declared.
func (p *Plan) former() map[string]bool {
	out := map[string]bool{}
	for op := range p.confirmed {
		if key, _, ok := strings.Cut(strings.TrimPrefix(op, opConfigure), "_"); ok && strings.HasPrefix(op, opConfigure) {
			out[key] = true
		}
	}
	for i := range p.Items {
		delete(out, p.Items[i].Key())
	}
	return out
}

// lastConfigured returns the step that configured a key last, "" if there is none.
func (p *Plan) lastConfigured(key string) (string, planner.Confirmation) {
	var last string
	var at planner.Confirmation
	for op, c := range p.confirmed {
		if strings.HasPrefix(op, opConfigure+key+"_") && (last == "" || c.After(at)) {
			last, at = op, c
		}
	}
	return last, at
}

// lastRemoved returns when a configuration was removed last, by a step for one of the keys or by a migration.
func (p *Plan) lastRemoved(keys ...string) (planner.Confirmation, bool) {
	at, found := p.confirmed[VerbUnconfigure]
	for _, key := range keys {
		if c, ok := p.confirmed[opUnconfigure+key]; ok && (!found || c.After(at)) {
			at, found = c, true
		}
	}
	return at, found
}

// keyOf returns a fingerprint of all declared items, for the name of a step.
func keyOf(items []survey.Item) string {
	var words []string
	for i := range items {
		words = append(words, items[i].Kind, items[i].Declared)
	}
	return survey.Print(8, words...)
}

// forgotten returns those keys of former whose configuration has not been removed since, sorted.
func (p *Plan) forgotten() []string {
	var out []string
	for key := range p.former() {
		_, at := p.lastConfigured(key)
		if gone, ok := p.lastRemoved(key); !ok || at.After(gone) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
