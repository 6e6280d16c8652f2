package teamworkcloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// checkSync checks the rules of a synchronization that do not depend on the state of its servers.
func checkSync(s *survey.Sync) hcl.Diagnostics {
	diags := checkSelected(s)
	diags = append(diags, checkTargetCategory(s)...)
	diags = append(diags, checkTrigger(s)...)
	source, target := s.SourceServer(), s.TargetServer()
	if source == nil || target == nil {
		return diags
	}
	if source.IsSame(target) {
		diags = append(diags, s.Problem("One server twice",
			"Source and target are the same server: resources are synchronized between clusters.", "target"))
	}
	if !source.Has("user") {
		none := s.Problem("No user for the source", fmt.Sprintf("A remote resource configuration logs in to the source "+
			"with a user name and a password, and %s has a token alone: write user beside it.", source.Address()), "source")
		diags = append(diags, schema.WithMissing(none, source.Range(), []string{"user"}))
	}
	if s.OverSites() && source.SyncTLS != nil {
		diags = append(diags, s.Problem("Encryption is not looked after over sites",
			fmt.Sprintf("%s declares sync_tls, which is proved from both ends, and one of them is in a site. Leave "+
				"sync_tls out there; tls = true says that configurations connect encrypted.", source.Address()), "source"))
	}
	diags = append(diags, checkUpstream(s, source)...)
	if s.IsRemoved() || diags.HasErrors() {
		return diags
	}
	diags = append(diags, checkTwice(s, source, target)...)
	return append(diags, checkLoops(s)...)
}

func checkTrigger(s *survey.Sync) hcl.Diagnostics {
	switch {
	case !s.Known("trigger"):
	case s.Trigger == survey.CommitTag && !s.Has("tag"):
		return hcl.Diagnostics{s.Missing("No tag to wait for",
			"With trigger = \"commit_tag\" write the tag that triggers: tag = \"...\".", []string{"trigger"}, []string{"tag"})}
	case s.Trigger != survey.CommitTag && s.Has("tag"):
		return hcl.Diagnostics{s.Problem("A tag that triggers nothing",
			fmt.Sprintf("tag belongs to trigger = \"commit_tag\"; the trigger is %q.", s.Trigger), "tag")}
	case s.Trigger == survey.CommitTag && s.Known("tag") && s.Tag == "":
		return hcl.Diagnostics{s.Problem("No tag to wait for", "tag must not be empty.", "tag")}
	}
	return nil
}

// checkSelected checks that something is selected, and nothing twice.
func checkSelected(s *survey.Sync) hcl.Diagnostics {
	var diags hcl.Diagnostics
	nothing := true
	for _, name := range []string{"categories", "resources"} {
		words := selectedBy(s, name)
		nothing = nothing && (!s.Has(name) || s.Known(name) && len(words) == 0)
		seen := map[string]bool{}
		for i, text := range words {
			at := []string{name, strconv.Itoa(i)}
			switch {
			case !s.Known(at...):
				continue
			case strings.Trim(text, "/ ") != text || text == "":
				diags = append(diags, s.Problem("Invalid name",
					fmt.Sprintf("%q in %s: write a name, a path such as Released/Powertrain, or "+
						"an id, without spaces or slashes around it.", text, name), at...))
			case seen[text]:
				diags = append(diags, s.Problem("Selected twice", fmt.Sprintf("%q stands twice in %s.", text, name), at...))
			}
			seen[text] = true
		}
	}
	if nothing {
		diags = append(diags, s.Problem("Nothing to synchronize", "Write categories or resources, or both."))
	}
	return diags
}

// selectedBy returns the elements of categories or of resources.
func selectedBy(s *survey.Sync, name string) []string {
	if name == "categories" {
		return s.Categories
	}
	return s.Resources
}

func checkTargetCategory(s *survey.Sync) hcl.Diagnostics {
	if !s.Known("target_category") {
		return nil
	}
	words := strings.Split(s.TargetCategory, "/")
	if slices.ContainsFunc(words, func(w string) bool { return strings.TrimSpace(w) != w || w == "" }) {
		return hcl.Diagnostics{s.Problem("Invalid category",
			fmt.Sprintf("%q: write the path of the category, such as Shared/From ACME, or its id.", s.TargetCategory),
			"target_category")}
	}
	return nil
}

func checkUpstream(s *survey.Sync, source *connect.Server) hcl.Diagnostics {
	up := s.UpstreamSync()
	if up == nil {
		return nil
	}
	var diags hcl.Diagnostics
	if t := up.TargetServer(); t != nil && !t.IsSame(source) {
		diags = append(diags, s.Problem("The hops do not meet",
			fmt.Sprintf("%s brings resources to %s, and %s takes them from %s.",
				up.Address(), t.Address(), s.Address(), source.Address()), "upstream"))
	}
	if up.IsRemoved() {
		diags = append(diags, s.Problem("The hop before is removed",
			fmt.Sprintf("%s has state = \"removed\": it no longer brings anything. Leave upstream out.", up.Address()),
			"upstream"))
	}
	return diags
}

// checkTwice checks that no two declarations bring to one server what they select by the same words.
func checkTwice(s *survey.Sync, source, target *connect.Server) hcl.Diagnostics {
	var diags hcl.Diagnostics
	words := wordsOf(s)
	for _, name := range []string{"categories", "resources"} {
		for i, text := range selectedBy(s, name) {
			first := words.brought[broughtWord{source.Identity(), target.Identity(), name, text}]
			if text != "" && first != nil && first.Address() < s.Address() { // reported at each later one
				diags = append(diags, s.Problem("Synchronized twice", fmt.Sprintf("%q is brought to %s by %s already.",
					text, target.Address(), first.Address()), name, strconv.Itoa(i)))
			}
		}
	}
	return diags
}

// words finds the synchronizations that are not removed by the words with which they select.
type words struct {
	brought map[broughtWord]*survey.Sync // the first by address
	from    map[sourceWord][]*survey.Sync
}

type (
	broughtWord struct{ source, target, list, text string }
	sourceWord  struct{ source, list, text string } // text is the last word of a resource's path, or a whole category
	wordsKey    struct{}
)

// wordsOf returns the words of all declarations. They are made only once.
func wordsOf(s *survey.Sync) *words {
	return s.Resource().PeerMemo(wordsKey{}, func() any {
		w := &words{brought: map[broughtWord]*survey.Sync{}, from: map[sourceWord][]*survey.Sync{}}
		w.add(s)
		for p := range s.ActivePeers() {
			w.add(p)
		}
		return w
	}).(*words)
}

func (w *words) add(p *survey.Sync) {
	source, target := p.SourceServer().Identity(), p.TargetServer().Identity()
	for _, name := range []string{"categories", "resources"} {
		for _, text := range selectedBy(p, name) {
			b := broughtWord{source, target, name, text}
			if had := w.brought[b]; had == nil || p.Address() < had.Address() {
				w.brought[b] = p
			}
			if name == "resources" {
				text = lastWord(text)
			}
			at := sourceWord{source, name, text}
			if n := len(w.from[at]); n == 0 || w.from[at][n-1] != p {
				w.from[at] = append(w.from[at], p)
			}
		}
	}
}

// carried is what hops pass on, as far as the files show it: resources, by the words that select them, and everything
// in one category.
type carried struct {
	resources []string
	category  string // path or ID; "" if unknown
}

// checkLoops follows the selected resources over the hops of other declarations: they must not return to their source.
func checkLoops(s *survey.Sync) hcl.Diagnostics {
	start := carried{resources: s.Resources, category: s.TargetCategory}
	chain, at := wordsOf(s).findLoop([]*survey.Sync{s}, start)
	if len(chain) == 0 || chain[0] != firstOfLoop(chain) {
		return nil // reported once, at the first of the loop
	}
	var words []string
	for _, c := range chain {
		words = append(words, c.Address())
	}
	what := "what they bring"
	if len(at.resources) > 0 {
		what = wording.QuotedList(at.resources)
	}
	return hcl.Diagnostics{s.Problem("Synchronized in a circle",
		fmt.Sprintf("%s would come back to %s: %s. A resource is synchronized in one direction (%s).",
			what, s.SourceServer().Address(), strings.Join(words, " -> "), share.SyncPage), "target")}
}

func (w *words) findLoop(chain []*survey.Sync, have carried) ([]*survey.Sync, carried) {
	for _, p := range w.next(chain[len(chain)-1].TargetServer(), have) {
		if slices.Contains(chain, p) {
			continue
		}
		on, ok := have.through(p)
		if !ok {
			continue
		}
		longer := append(slices.Clone(chain), p)
		if p.TargetServer().IsSame(chain[0].SourceServer()) {
			return longer, on
		}
		if found, at := w.findLoop(longer, on); found != nil {
			return found, at
		}
	}
	return nil, carried{}
}

// next returns the synchronizations from a server that may pass on what is carried there, sorted by address.
func (w *words) next(at *connect.Server, have carried) []*survey.Sync {
	source := at.Identity()
	out := slices.Clone(w.from[sourceWord{source, "categories", have.category}])
	for _, r := range have.resources {
		out = append(out, w.from[sourceWord{source, "resources", lastWord(r)}]...)
	}
	slices.SortFunc(out, func(a, b *survey.Sync) int { return strings.Compare(a.Address(), b.Address()) })
	return slices.Compact(out)
}

// through returns what the next hop passes on. It returns false if that is nothing, as far as the files show.
func (c carried) through(p *survey.Sync) (carried, bool) {
	next := carried{category: p.TargetCategory}
	if c.category != "" && slices.Contains(p.Categories, c.category) {
		next.resources = c.resources
		return next, true
	}
	for _, r := range c.resources {
		if slices.ContainsFunc(p.Resources, func(t string) bool { return t != "" && lastWord(t) == lastWord(r) }) {
			next.resources = append(next.resources, r)
		}
	}
	if len(next.resources) == 0 {
		return next, false
	}
	next.category = "" // only some of its resources
	return next, true
}

// lastWord returns the name at the end of a path: on the next server the same resource is in another category.
func lastWord(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func firstOfLoop(chain []*survey.Sync) *survey.Sync {
	return slices.MinFunc(chain, func(a, b *survey.Sync) int { return strings.Compare(a.Address(), b.Address()) })
}
