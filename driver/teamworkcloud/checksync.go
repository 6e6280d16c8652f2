package teamworkcloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

func checkSync(r *schema.Resource) hcl.Diagnostics {
	diags := checkSelected(r)
	diags = append(diags, checkTargetCategory(r)...)
	diags = append(diags, checkDuration(r, "verify", "within")...)
	switch trigger := r.Text("trigger"); {
	case !known(r.Get("trigger")):
	case trigger == commitTag && !has(r, "tag"):
		diags = append(diags, problem(r, "No tag to wait for", "With trigger = \"commit_tag\" write the tag that triggers: tag = \"...\".", "trigger"))
	case trigger != commitTag && has(r, "tag"):
		diags = append(diags, problem(r, "A tag that triggers nothing", fmt.Sprintf("tag belongs to trigger = \"commit_tag\"; the trigger is %q.", trigger), "tag"))
	case trigger == commitTag && known(r.Get("tag")) && r.Text("tag") == "":
		diags = append(diags, problem(r, "No tag to wait for", "tag must not be empty.", "tag"))
	}
	source, target := r.Ref("source"), r.Ref("target")
	if source == nil || target == nil {
		return diags
	}
	if sameServer(source, target) {
		diags = append(diags, problem(r, "One server twice", "Source and target are the same server: resources are synchronized between clusters.", "target"))
	}
	if !has(source, "user") {
		diags = append(diags, problem(r, "No user for the source", fmt.Sprintf("A remote resource configuration logs in to the source with a user name and a password, and %s has a token alone: write user beside it.", source.Addr), "source"))
	}
	diags = append(diags, checkUpstream(r)...)
	if r.Text("state") == removed || diags.HasErrors() {
		return diags
	}
	diags = append(diags, checkTwice(r)...)
	return append(diags, checkLoops(r)...)
}

// eachText visits the elements of a list of strings that are known.
func eachText(r *schema.Resource, name string, visit func(i int, text string)) {
	v := r.Get(name)
	if schema.IsSensitive(v) || !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return
	}
	i := 0
	for it := v.ElementIterator(); it.Next(); i++ {
		if _, e := it.Element(); known(e) {
			visit(i, e.AsString())
		}
	}
}

// listed are the known elements of a list.
func listed(r *schema.Resource, name string) []string {
	var out []string
	eachText(r, name, func(_ int, text string) { out = append(out, text) })
	return out
}

// checkSelected: something is selected, and nothing twice.
func checkSelected(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	nothing := true
	for _, name := range []string{"categories", "resources"} {
		v := r.Get(name)
		nothing = nothing && (v.IsNull() || known(v) && v.LengthInt() == 0)
		if schema.IsSensitive(v) {
			diags = append(diags, problem(r, "A secret as a name", name+" are shown in plans and on pages, so they cannot be sensitive.", name))
		}
		seen := map[string]bool{}
		eachText(r, name, func(i int, text string) {
			switch {
			case strings.Trim(text, "/ ") != text || text == "":
				diags = append(diags, problem(r, "Not a name", fmt.Sprintf("%q in %s: write a name, a path such as Released/Powertrain, or an id, without spaces or slashes around it.", text, name), name, strconv.Itoa(i)))
			case seen[text]:
				diags = append(diags, problem(r, "Selected twice", fmt.Sprintf("%q stands twice in %s.", text, name), name, strconv.Itoa(i)))
			}
			seen[text] = true
		})
	}
	if nothing {
		diags = append(diags, problem(r, "Nothing to synchronize", "Write categories or resources, or both."))
	}
	return diags
}

func checkTargetCategory(r *schema.Resource) hcl.Diagnostics {
	v := r.Get("target_category")
	if schema.IsSensitive(v) {
		return hcl.Diagnostics{problem(r, "A secret as a name", "target_category is shown in plans and on pages, so it cannot be sensitive.", "target_category")}
	}
	if !known(v) {
		return nil
	}
	text := v.AsString()
	words := strings.Split(text, "/")
	if slices.ContainsFunc(words, func(w string) bool { return strings.TrimSpace(w) != w || w == "" }) {
		return hcl.Diagnostics{problem(r, "Not a category", fmt.Sprintf("%q: write the path of the category, such as Shared/From ACME, or its id.", text), "target_category")}
	}
	return nil
}

func checkUpstream(r *schema.Resource) hcl.Diagnostics {
	up := r.Ref("upstream")
	if up == nil {
		return nil
	}
	var diags hcl.Diagnostics
	if t := up.Ref("target"); t != nil && !sameServer(t, r.Ref("source")) {
		diags = append(diags, problem(r, "The hops do not meet", fmt.Sprintf("%s brings resources to %s, and %s takes them from %s.", up.Addr, t.Addr, r.Addr, r.Ref("source").Addr), "upstream"))
	}
	if up.Text("state") == removed {
		diags = append(diags, problem(r, "The hop before is removed", fmt.Sprintf("%s has state = \"removed\": it brings nothing any more. Leave upstream out.", up.Addr), "upstream"))
	}
	return diags
}

// checkTwice: what is selected by the same words cannot be brought to one server by two declarations.
func checkTwice(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range activePeers(r) {
		if p.Addr.Name > r.Addr.Name || !sameServer(p.Ref("source"), r.Ref("source")) || !sameServer(p.Ref("target"), r.Ref("target")) {
			continue // each pair is told once, at the later one
		}
		for _, name := range []string{"categories", "resources"} {
			theirs := listed(p, name)
			eachText(r, name, func(i int, text string) {
				if slices.Contains(theirs, text) {
					diags = append(diags, problem(r, "Synchronized twice", fmt.Sprintf("%q is brought to %s by %s already.", text, r.Ref("target").Addr, p.Addr), name, strconv.Itoa(i)))
				}
			})
		}
	}
	return diags
}

// carried is what hops carry on, as far as the files tell: resources by the words that select them, and everything that is in
// one category.
type carried struct {
	resources []string
	category  string // path or id; "" when that is not known
}

// checkLoops follows what is selected over the hops of the other declarations: it must not come back to where it starts.
func checkLoops(r *schema.Resource) hcl.Diagnostics {
	start := carried{resources: listed(r, "resources"), category: textOf(r, "target_category")}
	chain, at := findLoop([]*schema.Resource{r}, start, activePeers(r))
	if len(chain) == 0 || chain[0] != firstOfLoop(chain) {
		return nil // told once, at the first of the loop
	}
	var words []string
	for _, c := range chain {
		words = append(words, c.Addr.String())
	}
	what := "what they bring"
	if len(at.resources) > 0 {
		what = wording.QuotedList(at.resources)
	}
	return hcl.Diagnostics{problem(r, "Synchronized in a circle",
		fmt.Sprintf("%s would come back to %s: %s. A resource is synchronized in one direction (%s).", what, r.Ref("source").Addr, strings.Join(words, " -> "), syncPage), "target")}
}

func textOf(r *schema.Resource, name string) string {
	if v := r.Get(name); known(v) {
		return v.AsString()
	}
	return ""
}

func findLoop(chain []*schema.Resource, have carried, peers []*schema.Resource) ([]*schema.Resource, carried) {
	for _, p := range peers {
		if slices.Contains(chain, p) || !sameServer(p.Ref("source"), chain[len(chain)-1].Ref("target")) {
			continue
		}
		on, ok := have.through(p)
		if !ok {
			continue
		}
		longer := append(slices.Clone(chain), p)
		if sameServer(p.Ref("target"), chain[0].Ref("source")) {
			return longer, on
		}
		if found, at := findLoop(longer, on, peers); found != nil {
			return found, at
		}
	}
	return nil, carried{}
}

// through is what of it the next hop takes on, false if nothing as far as the files tell.
func (c carried) through(p *schema.Resource) (carried, bool) {
	next := carried{category: textOf(p, "target_category")}
	if c.category != "" && slices.Contains(listed(p, "categories"), c.category) {
		next.resources = c.resources
		return next, true
	}
	theirs := listed(p, "resources")
	for _, r := range c.resources {
		if slices.ContainsFunc(theirs, func(t string) bool { return lastWord(t) == lastWord(r) }) {
			next.resources = append(next.resources, r)
		}
	}
	if len(next.resources) == 0 {
		return next, false
	}
	next.category = "" // only some of what is in it
	return next, true
}

// lastWord is the name at the end of a path: on the next server the same resource is in another category.
func lastWord(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func firstOfLoop(chain []*schema.Resource) *schema.Resource {
	return slices.MinFunc(chain, func(a, b *schema.Resource) int { return strings.Compare(a.Addr.Name, b.Addr.Name) })
}

// checkOffload holds what can be known of an offload from the files alone.
func checkOffload(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if isTrue(r, "reactivate") && isFalse(r, "remove_configuration") {
		diags = append(diags, problem(r, "Editable while it is synchronized", "What a configuration still synchronizes must stay read-only (\""+syncPage+"\"): with reactivate = true, remove_configuration must be true.", "reactivate"))
	}
	sync := r.Ref("sync")
	if sync == nil {
		return diags
	}
	if v := sync.Get("trigger"); known(v) && v.AsString() != everyCommit {
		diags = append(diags, problem(r, "The trigger must be every commit", fmt.Sprintf("%s has trigger = %q. Resources are offloaded with a configuration for every new commit (%s).", sync.Addr, v.AsString(), syncPage), "sync"))
	}
	if sync.Text("state") == removed {
		diags = append(diags, problem(r, "The synchronization is removed", fmt.Sprintf("%s has state = \"removed\". The migration itself looks after its configurations: leave state out.", sync.Addr), "sync"))
	}
	if !known(sync.Get("verify", "compare")) || isFalse(r, "remove_configuration") || r.Get("remove_from_source").IsNull() {
		return diags
	}
	if missing := slices.DeleteFunc(compareParts(), func(c string) bool { return slices.Contains(listedIn(sync, "verify", "compare"), c) }); len(missing) > 0 {
		d := problem(r, "Not everything is verified before it is removed", fmt.Sprintf("verify { compare } of %s leaves out %s: what is lost there is not seen before the source is gone.", sync.Addr, strings.Join(missing, ", ")), "remove_from_source")
		d.Severity = hcl.DiagWarning
		diags = append(diags, d)
	}
	return diags
}

func listedIn(r *schema.Resource, path ...string) []string { return texts(r.Get(path...)) }

func isFalse(r *schema.Resource, path ...string) bool {
	v := r.Get(path...)
	return known(v) && v.False()
}
