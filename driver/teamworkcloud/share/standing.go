package share

import (
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

// Standing is how an element of the selection stands.
type Standing struct {
	*survey.Item

	Op           string // the name of the step that configures it as declared
	Appeared     int    // how many of its resources the target has as copies
	Configured   bool   // as far as can be told there is a configuration as declared
	Replaces     bool   // an earlier run has configured it otherwise, and a configuration cannot be edited
	Again        bool   // it is replaced though it is as declared: that was asked for
	Unconfigured bool   // an earlier run has removed its configuration
	Asked        bool   // an earlier run has configured it as declared
	Waits        string // why it cannot be configured yet, in words
}

// stand judges by what the target shows, and by what the journal remembers where no server can tell.
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
	default: // with a trigger that comes by itself, something must show
		s.Configured = p.Sync.Trigger != survey.EveryCommit || s.Appeared > 0 || expected == 0
	}
	if item.Kind == survey.KindResource && item.Coming {
		s.Waits = item.Resources[0].Waits
	}
	return s
}

// doubt takes back what is concluded from copies alone where another configuration may have brought them: one that was
// declared formerly, or that of a category which the resource has left.
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

// former are the keys of what earlier runs have configured and is not declared any more.
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

// lastConfigured is the step that configured it last, "" if none did.
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

// lastRemoved is when a configuration was removed last: by a step of one of the keys, or by a migration.
func (p *Plan) lastRemoved(keys ...string) (planner.Confirmation, bool) {
	at, found := p.confirmed[VerbUnconfigure]
	for _, key := range keys {
		if c, ok := p.confirmed[opUnconfigure+key]; ok && (!found || c.After(at)) {
			at, found = c, true
		}
	}
	return at, found
}

// keyOf stands for all that is declared in the name of a step.
func keyOf(items []survey.Item) string {
	var words []string
	for i := range items {
		words = append(words, items[i].Kind, items[i].Declared)
	}
	return survey.Print(8, words...)
}

// forgotten are those of former whose configuration has not been removed since: keys, sorted.
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
