package teamworkcloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
)

// Documents that steps refer to.
const (
	wizardPage = "Creating remote resource configurations, MCS 247047420"
	syncPage   = "Cross-cluster resource synchronization"
)

// releaseFacts: the steps are for the major versions that were seen when planning.
func (p *syncPlan) releaseFacts() []planner.Fact {
	if p.owner != p.sync.Addr.String() || p.facts.Encryption != nil {
		return nil // what a migration relies on it says itself. Servers that are encrypted, or migrated from, stand still at times
	}
	return []planner.Fact{{Name: "source.major", Value: p.facts.Source.Major}, {Name: "target.major", Value: p.facts.Target.Major}}
}

func (p *syncPlan) createCategoryStep() planner.Step {
	missing := p.missingCategories()
	return planner.Step{
		Op: opCreateCategory, Mark: planner.MarkAdd, Repeat: planner.CheckFirst,
		Exclusive: []string{"categories of " + p.facts.Target.Addr}, // several declarations may want the same
		Summary:   fmt.Sprintf("create %s %s on %s", categoryWord(len(missing)), wording.QuotedList(missing), p.facts.Target.Addr) + orBy(p.sharedWith(p.facts.Category.Path, true)),
		Because:   "the copies are to be put into " + strconv.Quote(p.facts.Category.Path) + ", which is not there",
		Args:      map[string]string{"path": p.facts.Category.Path},
		Facts:     p.releaseFacts(),
		Effect:    &planner.Effect{Add: p.countedHere(missing)},
		Undo:      "remove the category in the Resources application; what is in it becomes uncategorized",
	}
}

// sharedWith is the declaration before this one that needs a category of the same target too, "" if none does. Each has a step
// of its own, since each may be carried out alone; whichever comes first makes it, and only the first is counted.
func (p *syncPlan) sharedWith(path string, inside bool) string {
	for _, peer := range activePeers(p.sync) {
		theirs := peer.Text("target_category")
		same := theirs == path || inside && strings.HasPrefix(theirs, path+"/")
		if same && peer.Addr.Name < p.sync.Addr.Name && sameServer(peer.Ref("target"), p.sync.Ref("target")) {
			return peer.Addr.String()
		}
	}
	return ""
}

// orBy says whose step may have done it by then.
func orBy(other string) string {
	if other != "" {
		return ", unless " + other + " has by then"
	}
	return ""
}

func (p *syncPlan) countedHere(missing []string) int {
	n := 0
	for _, path := range missing {
		if p.sharedWith(path, true) == "" {
			n++
		}
	}
	return n
}

func (p *syncPlan) granted() int {
	if p.sharedWith(p.facts.Category.Path, false) != "" {
		return 0
	}
	return 1
}

func categoryWord(n int) string {
	if n == 1 {
		return "category"
	}
	return "categories"
}

// missingCategories are the paths that have to be created, from the top.
func (p *syncPlan) missingCategories() []string {
	words := strings.Split(p.facts.Category.Path, "/")
	var out []string
	for i := range words {
		if path := strings.Join(words[:i+1], "/"); !slices.Contains(p.facts.Category.There, path) {
			out = append(out, path)
		}
	}
	return out
}

func (p *syncPlan) grantRoleStep() planner.Step {
	r := p.facts.Role
	return planner.Step{
		Op: opGrantRole, Mark: planner.MarkChange, Repeat: planner.CheckFirst, Exclusive: []string{"rights on " + p.facts.Target.Addr},
		Summary: fmt.Sprintf("give %s the role %s on category %q of %s", r.User, r.Name, p.facts.Category.Path, p.facts.Target.Addr) + orBy(p.sharedWith(p.facts.Category.Path, false)),
		Because: "whoever makes a remote resource configuration needs the role on the category that the copies are put into (" + wizardPage + ")",
		Args:    map[string]string{"path": p.facts.Category.Path, "user": r.User},
		Facts:   p.releaseFacts(),
		Effect:  &planner.Effect{Change: p.granted()},
		Undo:    fmt.Sprintf("take the role %s on that category from %s again", r.Name, r.User),
	}
}

// page is what is exclusive to one person at a time.
func (p *syncPlan) page() []string {
	return []string{"remote repository management of " + p.facts.Target.Addr}
}

func (p *syncPlan) where() string {
	return webApplication(p.sync.Ref("target")) + ", Settings, Remote repository management"
}

// configureStep: the vendor documents no interface for remote resource configurations but the page, whose fields come here in
// their order.
func (p *syncPlan) configureStep(s *standing) planner.Step {
	because := "it is not there, and is made on the web page only (" + wizardPage + ")"
	switch {
	case s.replace && s.appeared > 0:
		because = "the one there was is made otherwise, and a configuration cannot be edited"
	case s.removed:
		because = "the one there was has been removed"
	case s.asked:
		because = "an earlier run had it made, and nothing has come of it"
	}
	step := planner.Step{
		Op: s.op, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: min(p.within(), planner.Duration(configuredWithin)), Exclusive: p.page(),
		Summary: fmt.Sprintf("on %s, create the remote resource configuration of %s %q of %s: into %q, %s", p.facts.Target.Addr, s.Kind, s.Path, p.facts.Source.Addr, p.facts.Category.Path, p.triggerWords()),
		Because: because,
		Args:    map[string]string{"key": s.key(), "seen": strconv.FormatBool(s.appeared > 0)},
		Facts:   p.releaseFacts(),
		Manual:  p.wizard(s),
		Effect:  &planner.Effect{Add: 1},
		Undo:    "delete the configuration, and with it the copies or not, on the same page",
	}
	if s.appeared > 0 || p.sync.Text("trigger") != survey.EveryCommit || len(s.expected()) == 0 { // nothing will show
		step.Manual.Attest = fmt.Sprintf("the configuration of %s %q is there exactly as described", s.Kind, s.Path)
	}
	return step
}

// configuredWithin is how long a configuration may take until something of it shows: several may stand in the queue.
const configuredWithin = 5 * time.Minute

func (p *syncPlan) triggerWords() string {
	switch p.sync.Text("trigger") {
	case survey.CommitTag:
		return fmt.Sprintf("on commits tagged %q", p.sync.Text("tag"))
	case survey.Manual:
		return "by hand"
	}
	return "on every new commit"
}

// wizard is the page's dialogue (facts: the fields in their order since 2022x; the switch for TLS since 2024x Refresh1).
func (p *syncPlan) wizard(s *standing) *planner.Manual {
	address, encrypted := p.sourceAddress()
	user := p.facts.Source.User
	trigger := map[string]string{survey.EveryCommit: "On every new commit", survey.CommitTag: "On specific commit tag", survey.Manual: "Manual"}[p.sync.Text("trigger")]
	m := &planner.Manual{
		Where: p.where(), Action: "create_configuration",
		Do: []string{
			fmt.Sprintf("Log in as %s. If the list has a configuration of this %s with these values already, leave it as it is and come back.", p.facts.Target.User, s.Kind),
			"Press + and enter the source's address, user name and password.",
		},
		Values: []planner.Value{
			{Name: "target", Label: "Target server", Value: p.sync.Ref("target").Text("url")},
			{Name: "source_address", Label: "Source Teamwork Cloud address", Value: address},
			{Name: "username", Label: "Username", Value: user},
			{Name: "password", Label: "Password", Value: fmt.Sprintf("the password of %s on %s", user, p.facts.Source.Addr)},
		},
	}
	if !p.oldTarget() {
		m.Do = append(m.Do, fmt.Sprintf("Switch Use Secure Connection (TLS) %s.", onOff(encrypted)))
		m.Values = append(m.Values, planner.Value{Name: "tls", Label: "Use Secure Connection (TLS)", Value: strconv.FormatBool(encrypted), Shown: onOff(encrypted)})
	}
	m.Do = append(m.Do, fmt.Sprintf("Select the %s alone, then the target category and the synchronization trigger, and press Create: it makes one configuration for each selected resource or category.", s.Kind))
	item, category := s.ID, p.facts.Category.ID
	if item == "" {
		item = s.Path // it gets its id when the hop before this one makes it
	}
	if category == "" {
		category = p.facts.Category.Path
	}
	m.Values = append(m.Values,
		planner.Value{Name: "kind", Label: "Select", Value: s.Kind, Shown: "a " + s.Kind},
		planner.Value{Name: "item_name", Label: strings.ToUpper(s.Kind[:1]) + s.Kind[1:], Value: s.Name, Shown: s.Path},
		planner.Value{Name: "item", Label: "Its id", Value: item},
		planner.Value{Name: "target_category", Label: "Target category", Value: category, Shown: p.facts.Category.Path},
		planner.Value{Name: "trigger", Label: "Synchronization trigger", Value: p.sync.Text("trigger"), Shown: trigger},
	)
	if tag := p.sync.Text("tag"); tag != "" {
		m.Values = append(m.Values, planner.Value{Name: "tag", Label: "Commit tag", Value: tag})
	}
	return m
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// synchronizeStep: a configuration with a manual trigger brings nothing before somebody asks.
func (p *syncPlan) synchronizeStep(items []*standing) planner.Step {
	return planner.Step{
		Op: opSynchronize, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: p.within(), Exclusive: p.page(),
		Summary: fmt.Sprintf("on %s, synchronize %s for the first time", p.facts.Target.Addr, itemWords(items)),
		Because: "the trigger is manual, and nothing of it has arrived yet (" + syncPage + ")",
		Args:    p.demanded(items),
		Manual: &planner.Manual{
			Where: p.where(), Action: "synchronize",
			Do:     []string{"Tick the configurations of what is named below and press the button Synchronize at the top right."},
			Values: p.itemValues(items),
		},
		Effect: &planner.Effect{},
	}
}

func (p *syncPlan) itemValues(items []*standing) []planner.Value {
	var ids, paths []string
	for _, s := range items {
		id := s.ID
		if id == "" {
			id = s.Path
		}
		ids, paths = append(ids, id), append(paths, s.Path)
	}
	return []planner.Value{
		{Name: "target", Label: "Target server", Value: p.sync.Ref("target").Text("url")},
		{Name: "items", Label: "Configurations of", Value: strings.Join(ids, ","), Shown: strings.Join(paths, ", ")},
	}
}

func itemWords(items []*standing) string {
	var out []string
	for _, s := range items {
		out = append(out, fmt.Sprintf("%s %q", s.Kind, s.Path))
	}
	return wording.List(out)
}

// arrivedStep verifies what has been copied. exact: to the last revision and tag that the source has when it is verified, which
// is what something is removed on the strength of; otherwise what the source had when planning, since somebody may commit
// at any time.
func (p *syncPlan) arrivedStep(exact bool, items ...*standing) planner.Step {
	n := 0
	for _, s := range items {
		n += len(s.expected())
	}
	if exact {
		n = len(p.facts.resources())
	}
	step := planner.Step{
		Op: opArrived, Mark: planner.MarkCheck, Repeat: planner.Idempotent, Within: p.within(),
		Summary: fmt.Sprintf("%s has %s of %s with all branches, revisions and tags that the trigger brings, compared one by one: branch, order%s",
			p.facts.Target.Addr, wording.Plural(n, "resource"), p.facts.Source.Addr, revision.List(declaredParts(p.sync))),
		Because: "a synchronization shows in what arrives, and nowhere else",
		Args:    p.demanded(items),
	}
	if exact {
		step.Summary = fmt.Sprintf("%s has every branch, revision and tag of %s of %s, compared one by one: branch, order%s",
			p.facts.Target.Addr, wording.Plural(n, "resource"), p.facts.Source.Addr, revision.List(declaredParts(p.sync)))
		step.Args = map[string]string{"exact": "true"}
	}
	return step
}

// demanded are the elements that something is verified of, and when.
func (p *syncPlan) demanded(items []*standing) map[string]string {
	args := map[string]string{}
	if p.facts.AsOf != "" {
		args["as_of"] = p.facts.AsOf
	}
	var keys []string
	for _, s := range items {
		keys = append(keys, s.key())
	}
	if len(keys) < len(p.items) && len(keys) <= mostKeys {
		args["keys"] = strings.Join(keys, ",")
	}
	return args
}

// mostKeys keeps a step's arguments small; where there are more, all of the declaration is verified.
const mostKeys = 80

// removeStep has a person delete configurations and keep what they have brought.
func (p *syncPlan) removeStep(key, because string, items ...*standing) planner.Step {
	held := 0
	for _, s := range items {
		held += s.appeared
	}
	return p.removal(opRemoveConfiguration+"_"+key, because, itemWords(items), p.itemValues(items), len(items), held)
}

// removeAllStep is a migration's: all configurations of its sync go, once everything has been verified.
func (p *syncPlan) removeAllStep(because string) planner.Step {
	var items []*standing
	for i := range p.items {
		items = append(items, &p.items[i])
	}
	s := p.removal(opRemoveConfiguration, because, itemWords(items), p.itemValues(items), len(items), 0)
	delete(s.Args, "held") // what arrived has been recorded
	return s
}

// removeForgotten is about what an earlier run has configured and nobody declares any more.
func (p *syncPlan) removeForgotten(key string, k knownFacts) planner.Step {
	values := []planner.Value{
		{Name: "target", Label: "Target server", Value: p.sync.Ref("target").Text("url")},
		{Name: "items", Label: "Configurations of", Value: k.ID, Shown: k.Path},
	}
	return p.removal(opRemoveConfiguration+"_"+key, "an earlier run made it, and it is not declared any more", fmt.Sprintf("%s %q", k.Kind, k.Path), values, 1, 0)
}

func (p *syncPlan) removal(op, because, what string, values []planner.Value, n, held int) planner.Step {
	do := []string{
		"Tick the configurations of what is named below and delete them.",
		"Choose DELETE CONFIGURATION ONLY. Never DELETE ALL: it removes the copies too.",
	}
	if p.oldTarget() {
		do = []string{
			"Tick the configurations of what is named below and delete them. The copies stay.",
			"Before 2024x Refresh1 a record of them stays behind: the same can be configured again only once Data Manager has removed the copies.",
		}
	}
	return planner.Step{
		Op: op, Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Exclusive: p.page(), Within: planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("on %s, delete the remote resource configuration of %s and keep the data", p.facts.Target.Addr, what),
		Because: because,
		Args:    map[string]string{"held": number(held)},
		Manual: &planner.Manual{
			Where: p.where(), Action: "delete_configuration", Do: do,
			Values: append(values, planner.Value{Name: "keep", Label: "Delete", Value: "true", Shown: "the configuration only"}),
			Attest: "the configurations are gone from the list",
		},
		Effect: &planner.Effect{Destroy: n},
		Undo:   "create them again; what is there stays and is synchronized further",
	}
}
