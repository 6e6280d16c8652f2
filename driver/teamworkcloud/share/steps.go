package share

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// Documents that steps mention.
const (
	WizardPage = "Creating remote resource configurations, MCS 247047420"
	SyncPage   = "Cross-cluster resource synchronization"
)

// The ends of a synchronization.
const (
	atSource = survey.AtSource
	atTarget = survey.AtTarget
)

// releaseFacts returns the major versions that were seen when planning, as facts of a step. Each step names those of
// the servers that it contacts.
func (p *Plan) releaseFacts(ends ...string) []planner.Fact {
	if p.owner != p.Sync.Address() || p.pair != nil {
		return nil // a migration has its own facts, and the services of encrypted servers are stopped at times
	}
	var out []planner.Fact
	for _, end := range ends {
		if p.Sync.OverSites() && end == atSource && len(ends) > 1 {
			continue // the step that writes down what the source has depends on it
		}
		server := p.Facts.Source
		if end == atTarget {
			server = p.Facts.Target
		}
		out = append(out, planner.Fact{Name: end + ".major", Value: server.Major})
	}
	return out
}

// page returns what only one person may use at a time.
func (p *Plan) page() []string {
	return []string{"remote repository management of " + p.Facts.Target.Addr}
}

func (p *Plan) where() string {
	return p.Sync.TargetServer().WebPage() + ", Settings, Remote repository management"
}

func (p *Plan) itemValues(items []*Standing) []planner.Value {
	var ids, paths []string
	for _, s := range items {
		id := s.ID
		if id == "" {
			id = s.Path
		}
		ids, paths = append(ids, id), append(paths, s.Path)
	}
	return []planner.Value{
		{Name: "target", Label: "Target server", Value: p.Sync.TargetServer().URL.String()},
		{Name: "items", Label: "Configurations of", Value: strings.Join(ids, ","), Shown: strings.Join(paths, ", ")},
	}
}

func itemWords(items []*Standing) string {
	var out []string
	for _, s := range items {
		out = append(out, fmt.Sprintf("%s %q", s.Kind, s.Path))
	}
	return wording.List(out)
}

// demanded returns the arguments that say which items a step verifies, and as of when.
func (p *Plan) demanded(items []*Standing) map[string]string {
	args := map[string]string{}
	if p.Facts.AsOf != "" {
		args["as_of"] = p.Facts.AsOf
	}
	var keys []string
	for _, s := range items {
		keys = append(keys, s.Key())
	}
	if len(keys) < len(p.Items) && len(keys) <= mostKeys {
		args["keys"] = strings.Join(keys, ",")
	}
	return args
}

// mostKeys keeps a step's arguments small. If there are more items, all of the declaration is verified.
const mostKeys = 80

// copies reads the copies as they are now.
func (w *Sharing) copies(ctx context.Context, asOf time.Time) (f *survey.Facts, err error) {
	err = survey.Gather(ctx, w.Observe.In(survey.Near), func(v *survey.View) { f = v.Copies(w.Sync, asOf, nil) })
	return f, err
}
