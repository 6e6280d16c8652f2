package build

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// maxGenerated keeps a mistake in a seed from filling the memory: a sync generates at most so many pairs, and all
// syncs together generate at most maxItems issues, comments and attachments.
const (
	maxGenerated = 200_000
	maxItems     = 2 * maxGenerated
)

// items estimates how many issues, comments and attachments are generated: a pair with comments has two on average,
// and everything of a pair is at both ends.
func (in *seedGenerate) items() int {
	pairs, unpaired := min(max(0, in.Pairs), 2*maxItems), min(max(0, in.Unpaired), 2*maxItems)
	percent := func(p int) int { return min(max(0, p), 100) }
	return 2*pairs + unpaired + 2*pairs*(2*percent(in.CommentsPercent)+percent(in.AttachmentsPercent))/100
}

var (
	places = []string{
		"Checkout", "Invoice export", "Customer search", "Login page", "Order history", "Price list", "Shipping label",
		"Returns form", "Newsletter", "Mobile app", "Warehouse scanner", "Nightly import", "Report of open orders",
		"Address book", "Payment provider", "Support inbox", "Product catalogue", "Stock alert", "Partner portal",
		"Backup job",
	}
	troubles = []string{
		"total is rounded down when a voucher is used", "shows the previous user's data after signing in again",
		"takes more than ten seconds with many entries", "loses umlauts in the company name",
		"sends two mails for one order", "fails when the postcode starts with a zero", "ignores the time zone of the site",
		"cannot be opened from a bookmark", "needs a hint about the new delivery times", "prints the old logo",
		"stops at the first line that is not valid", "rejects telephone numbers with an extension",
		"should remember the last filter", "counts cancelled orders twice", "is not readable in dark mode",
		"logs the same warning every minute", "asks for the password again after an hour", "sorts numbers as text",
		"needs a column for the cost centre", "does not stop when the network is gone",
	}
	remarks = []string{
		"I can reproduce this with the data of last week.", "Fixed on our test system, please try again.",
		"The customer asks for a date.", "Screenshot attached.", "Happens only for accounts created before 2019.",
		"Could you send us the log of that hour?", "Works for us now, thank you.",
		"Please raise the priority, two more sites report it.",
		"Waiting for the other team's release.", "We have agreed on a workaround in the call today.",
	}
	files = []string{"screenshot.png", "server.log", "orders.csv", "invoice.pdf", "har-capture.json"}
	ranks = []string{"Highest", "High", "Medium", "Medium", "Medium", "Low"}
)

type generator struct {
	*rand.Rand
	w      *state.World
	ends   [2]*state.Connector
	people [2][]*state.User // [k] of both ends is the same person, by email
}

// generate makes pairs of issues as they are after some months of synchronization, with the entries shown in "behind
// firewall": the sender of a comment knows only its local id, the receiver knows both; the sender of an attachment
// knows neither.
func generate(w *state.World, a, b *state.Connector, in *seedGenerate, rng *rand.Rand) error {
	for _, n := range []int{in.Pairs, in.Unpaired} {
		if n < 0 || n > maxGenerated {
			return fmt.Errorf("no more than %d issues", maxGenerated)
		}
	}
	if in.Pairs > 0 && len(a.In.Config.IssueTypes) == 0 {
		return errors.New("no issue type is mapped")
	}
	g := &generator{Rand: rng, w: w, ends: [2]*state.Connector{a, b}}
	for _, u := range a.Jira.Users() {
		if v := b.Jira.UserByEmail(u.Email); v != nil && u.Name != a.SyncUser && v.Name != b.SyncUser {
			g.people[0], g.people[1] = append(g.people[0], u), append(g.people[1], v)
		}
	}
	for n := range in.Pairs {
		g.pair(in, w.Now.Add(-time.Duration(in.Pairs-n)*37*time.Minute-time.Hour))
	}
	for n := range in.Unpaired {
		if tab := a.Tab(); !slices.Contains(tab.IssueTypes, "Epic") {
			return fmt.Errorf("unpaired: %s has no issue type Epic", tab.Key)
		}
		g.issue(0, "Epic", fmt.Sprintf("Roadmap %d: %s", n+1, places[g.IntN(len(places))]), w.Now.Add(-48*time.Hour), -1)
	}
	return nil
}

func (g *generator) percent(p int) bool { return g.IntN(100) < p }

// issue adds an issue to one end. person is the index of its assignee, or -1.
func (g *generator) issue(end int, typ, summary string, at time.Time, person int) *state.Issue {
	c := g.ends[end]
	tab := c.Tab()
	if end == 1 && g.percent(10) {
		tab.Next += 1 + g.IntN(3) // deleted issues: the numbers of the two ends drift apart
	}
	i := &state.Issue{
		ID: state.Next(&c.Jira.IDs.Issue), Key: fmt.Sprintf("%s-%d", tab.Key, tab.Next), Typ: typ, Created: at.UnixMilli(),
		Updated: at.UnixMilli(), Panels: map[string]*state.Panel{},
		Fields: map[string]string{"summary": summary, "status": "Open"},
	}
	if person >= 0 {
		i.Fields["assignee"] = g.people[end][person].Name
	}
	tab.Add(i)
	return i
}

func (g *generator) pair(in *seedGenerate, at time.Time) {
	origin := g.IntN(2)
	types := g.ends[0].In.Config.IssueTypes
	t := types[g.IntN(len(types))]
	summary := places[g.IntN(len(places))] + " " + troubles[g.IntN(len(troubles))]
	person := -1
	if len(g.people[0]) > 0 && g.percent(in.AssignedPercent) {
		person = g.IntN(len(g.people[0]))
	}
	issues := [2]*state.Issue{g.issue(0, t.First, summary, at, person),
		g.issue(1, t.Second, summary, at.Add(40*time.Second), person)}
	rank := ranks[g.IntN(len(ranks))]
	issues[0].Fields["priority"], issues[1].Fields["priority"] = rank, rank
	start := at.UnixMilli() + g.Int64N(1000)
	pairs := [2]*state.Pair{}
	for k := range pairs {
		pairs[k] = &state.Pair{Local: issues[k].Key, Remote: issues[1-k].Key, FirstSync: start}
	}
	pairs[1-origin].FirstSync += 35_000 + g.Int64N(10_000)
	g.message(&pairs, origin, start+500)
	clock := start + 60_000
	if g.percent(in.CommentsPercent) {
		for range 1 + g.IntN(3) {
			clock += 60_000 + g.Int64N(600_000)
			g.comment(&issues, &pairs, g.IntN(2), clock)
		}
	}
	if g.percent(in.AttachmentsPercent) {
		clock += 60_000 + g.Int64N(600_000)
		g.attachment(&issues, &pairs, g.IntN(2), clock)
	}
	for range g.IntN(3) {
		clock += 60_000 + g.Int64N(60_000)
		g.message(&pairs, g.IntN(2), clock)
	}
	for k, p := range pairs {
		issues[k].Updated = max(p.LastOut, p.LastIn)
		p.LastSeen = max(p.LastOut, p.LastIn-95)
		p.Seen = max(p.FirstSync, p.LastOut, p.LastSeen, p.LastIn, issues[k].Updated)
		g.ends[k].AddPair(p)
	}
}

// message counts one message from one end to the other.
func (g *generator) message(pairs *[2]*state.Pair, from int, at int64) {
	pairs[from].Out++
	pairs[from].LastOut = at
	pairs[1-from].In++
	pairs[1-from].LastIn = at + 5_000 + g.Int64N(20_000)
}

func (g *generator) author(end int) string {
	if n := len(g.people[end]); n > 0 {
		return g.people[end][g.IntN(n)].Name
	}
	if a := g.ends[end].Jira.Admin(); a != nil {
		return a.Name
	}
	return "unknown"
}

func (g *generator) comment(issues *[2]*state.Issue, pairs *[2]*state.Pair, from int, at int64) {
	body := remarks[g.IntN(len(remarks))]
	mine := &state.Comment{ID: state.Next(&g.ends[from].Jira.IDs.Comment), Author: g.author(from), Body: body,
		Created: at}
	g.message(pairs, from, at+200)
	theirs := &state.Comment{
		ID: state.Next(&g.ends[1-from].Jira.IDs.Comment), Author: g.ends[1-from].SyncUser, Body: body,
		Created: pairs[1-from].LastIn,
	}
	issues[from].Comments = append(issues[from].Comments, mine)
	issues[1-from].Comments = append(issues[1-from].Comments, theirs)
	pairs[from].Comments = append(pairs[from].Comments, state.IDPair{Local: mine.ID})
	pairs[1-from].Comments = append(pairs[1-from].Comments, state.IDPair{Remote: mine.ID, Local: theirs.ID})
}

func (g *generator) attachment(issues *[2]*state.Issue, pairs *[2]*state.Pair, from int, at int64) {
	name, size := files[g.IntN(len(files))], 1000+g.Int64N(900_000)
	mine := &state.Attachment{ID: state.Next(&g.ends[from].Jira.IDs.Attachment), Filename: name, Size: size,
		Author: g.author(from), Created: at}
	g.message(pairs, from, at+200)
	theirs := &state.Attachment{
		ID: state.Next(&g.ends[1-from].Jira.IDs.Attachment), Filename: name, Size: size, Author: g.ends[1-from].SyncUser,
		Created: pairs[1-from].LastIn,
	}
	issues[from].Attachments = append(issues[from].Attachments, mine)
	issues[1-from].Attachments = append(issues[1-from].Attachments, theirs)
	pairs[1-from].Attachments = append(pairs[1-from].Attachments, state.IDPair{Remote: mine.ID, Local: theirs.ID})
}
