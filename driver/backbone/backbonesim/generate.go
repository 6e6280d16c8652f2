package backbonesim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// maxGenerated keeps a slip in a seed from filling the memory.
const maxGenerated = 200_000

var (
	places = []string{
		"Checkout", "Invoice export", "Customer search", "Login page", "Order history", "Price list", "Shipping label",
		"Returns form", "Newsletter", "Mobile app", "Warehouse scanner", "Nightly import", "Report of open orders",
		"Address book", "Payment provider", "Support inbox", "Product catalogue", "Stock alert", "Partner portal", "Backup job",
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
		"Could you send us the log of that hour?", "Works for us now, thank you.", "Please raise the priority, two more sites report it.",
		"Waiting for the other team's release.", "We have agreed on a workaround in the call today.",
	}
	files = []string{"screenshot.png", "server.log", "orders.csv", "invoice.pdf", "har-capture.json"}
	ranks = []string{"Highest", "High", "Medium", "Medium", "Medium", "Low"}
)

type generator struct {
	*rand.Rand
	w      *World
	ends   [2]*connector
	people [2][]*user // [k] of one end is [k] of the other, by email
}

// generate makes pairs of issues as a synchronization of some months leaves them, with the entries of section "behind
// firewall": the sender of a comment knows only its local id, the receiver both; the sender of an attachment nothing.
func (w *World) generate(a, b *connector, in *seedGenerate, rng *rand.Rand) error {
	for _, n := range []int{in.Pairs, in.Unpaired} {
		if n < 0 || n > maxGenerated {
			return fmt.Errorf("no more than %d issues", maxGenerated)
		}
	}
	if in.Pairs > 0 && len(a.in.config.issueTypes) == 0 {
		return errors.New("no issue type is mapped")
	}
	g := &generator{Rand: rng, w: w, ends: [2]*connector{a, b}}
	for _, u := range a.jira.users {
		if v := b.jira.userByEmail(u.email); v != nil && u.name != a.syncUser && v.name != b.syncUser {
			g.people[0], g.people[1] = append(g.people[0], u), append(g.people[1], v)
		}
	}
	for n := range in.Pairs {
		g.pair(in, w.now.Add(-time.Duration(in.Pairs-n)*37*time.Minute-time.Hour))
	}
	for n := range in.Unpaired {
		if tab := a.tab(); !slices.Contains(tab.issueTypes, "Epic") {
			return fmt.Errorf("unpaired: %s has no issue type Epic", tab.key)
		}
		g.issue(0, "Epic", fmt.Sprintf("Roadmap %d: %s", n+1, places[g.IntN(len(places))]), w.now.Add(-48*time.Hour), -1)
	}
	return nil
}

func (g *generator) percent(p int) bool { return g.IntN(100) < p }

// issue adds an issue to one end; person is who it is assigned to, or -1.
func (g *generator) issue(end int, typ, summary string, at time.Time, person int) *issue {
	c := g.ends[end]
	tab := c.tab()
	if end == 1 && g.percent(10) {
		tab.next += 1 + g.IntN(3) // deleted issues: the numbers of the two ends drift apart
	}
	i := &issue{
		id: next(&c.jira.ids.issue), key: fmt.Sprintf("%s-%d", tab.key, tab.next), typ: typ, created: at.UnixMilli(),
		updated: at.UnixMilli(), panels: map[string]*panel{}, fields: map[string]string{"summary": summary, "status": "Open"},
	}
	if person >= 0 {
		i.fields["assignee"] = g.people[end][person].name
	}
	tab.add(i)
	return i
}

func (g *generator) pair(in *seedGenerate, at time.Time) {
	origin := g.IntN(2)
	types := g.ends[0].in.config.issueTypes
	t := types[g.IntN(len(types))]
	summary := places[g.IntN(len(places))] + " " + troubles[g.IntN(len(troubles))]
	person := -1
	if len(g.people[0]) > 0 && g.percent(in.AssignedPercent) {
		person = g.IntN(len(g.people[0]))
	}
	issues := [2]*issue{g.issue(0, t.first, summary, at, person), g.issue(1, t.second, summary, at.Add(40*time.Second), person)}
	rank := ranks[g.IntN(len(ranks))]
	issues[0].fields["priority"], issues[1].fields["priority"] = rank, rank
	start := at.UnixMilli() + g.Int64N(1000)
	pairs := [2]*pair{}
	for k := range pairs {
		pairs[k] = &pair{local: issues[k].key, remote: issues[1-k].key, firstSync: start}
	}
	pairs[1-origin].firstSync += 35_000 + g.Int64N(10_000)
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
		issues[k].updated = max(p.lastOut, p.lastIn)
		p.lastSeen = max(p.lastOut, p.lastIn-95)
		p.seen = max(p.firstSync, p.lastOut, p.lastSeen, p.lastIn, issues[k].updated)
		g.ends[k].addPair(p)
	}
}

// message counts one message from one end to the other.
func (g *generator) message(pairs *[2]*pair, from int, at int64) {
	pairs[from].out++
	pairs[from].lastOut = at
	pairs[1-from].in++
	pairs[1-from].lastIn = at + 5_000 + g.Int64N(20_000)
}

func (g *generator) author(end int) string {
	if n := len(g.people[end]); n > 0 {
		return g.people[end][g.IntN(n)].name
	}
	if a := g.ends[end].jira.admin(); a != nil {
		return a.name
	}
	return "unknown"
}

func (g *generator) comment(issues *[2]*issue, pairs *[2]*pair, from int, at int64) {
	body := remarks[g.IntN(len(remarks))]
	mine := &comment{id: next(&g.ends[from].jira.ids.comment), author: g.author(from), body: body, created: at}
	g.message(pairs, from, at+200)
	theirs := &comment{
		id: next(&g.ends[1-from].jira.ids.comment), author: g.ends[1-from].syncUser, body: body, created: pairs[1-from].lastIn,
	}
	issues[from].comments = append(issues[from].comments, mine)
	issues[1-from].comments = append(issues[1-from].comments, theirs)
	pairs[from].comments = append(pairs[from].comments, idPair{Local: mine.id})
	pairs[1-from].comments = append(pairs[1-from].comments, idPair{Remote: mine.id, Local: theirs.id})
}

func (g *generator) attachment(issues *[2]*issue, pairs *[2]*pair, from int, at int64) {
	name, size := files[g.IntN(len(files))], 1000+g.Int64N(900_000)
	mine := &attachment{id: next(&g.ends[from].jira.ids.attachment), filename: name, size: size, author: g.author(from), created: at}
	g.message(pairs, from, at+200)
	theirs := &attachment{
		id: next(&g.ends[1-from].jira.ids.attachment), filename: name, size: size, author: g.ends[1-from].syncUser,
		created: pairs[1-from].lastIn,
	}
	issues[from].attachments = append(issues[from].attachments, mine)
	issues[1-from].attachments = append(issues[1-from].attachments, theirs)
	pairs[1-from].attachments = append(pairs[1-from].attachments, idPair{Remote: mine.id, Local: theirs.id})
}
