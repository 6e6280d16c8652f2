package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// Kinds of messages. Those between master and slave that are not about an issue are from
// H/5.14/server/synchronization-message-flow.
const (
	issueMessage = "issue"
	// ASSUMED: the answer with the partner's key to the sender of a new issue, which the sequence ids do not count.
	pairedMessage = "paired"
	// The slave introduces itself, the master pings, the slave answers the ping.
	handshakeMessage = "handshake"
	pingMessage      = "ping"
	// The master's changed configuration, and the slave's confirmation that it has adopted it.
	configurationMessage = "configuration"
	updatedMessage       = "updated"
)

// Active reports whether a synchronization works. ASSUMED: one that needs a restart works until it is stopped.
func Active(in *state.Integration) bool {
	return in.Status == state.Running || in.Status == state.RestartRequired
}

// put sends a message: directly to the partner's Jira, or into the folder (or mailbox) of outgoing messages.
func put(w *state.World, c *state.Connector, m *state.Message) {
	m.At = w.Stamp()
	if c.In.Transport != state.Direct {
		c.In.Outbox = append(c.In.Outbox, m)
	} else if to := c.Peer(); to != nil {
		to.Inbox = append(to.Inbox, m)
	}
}

// Deliver simulates the customer's job that moves files, or the mail servers: "moving them is the customer's job"
// (W/5.21/server/connection-modes). It works whether or not a synchronization runs. It returns the number of
// messages.
func Deliver(w *state.World, in *state.Integration, byHand bool) int {
	if in.Transport == state.Direct || in.Partner == nil || in.Manual && !byHand {
		return 0
	}
	newest := max(w.Now.UnixMilli(), w.Last) - in.DeliverAfter
	n := 0
	for n < len(in.Outbox) && (byHand || in.Outbox[n].At <= newest) {
		n++
	}
	to := in.Partner.Connectors[0]
	to.Inbox = append(to.Inbox, in.Outbox[:n]...)
	in.Outbox = slices.Clone(in.Outbox[n:])
	return n
}

// process handles the messages that have arrived at a connector: all that are not about an issue, and at most one
// batch of the others while the synchronization works.
func process(w *state.World, c *state.Connector) {
	var rest []*state.Message
	done := 0
	for n, m := range c.Inbox {
		if done == w.Batch && c.In.Transport == state.Direct {
			rest = c.Inbox[n:] // there are only messages about issues
			break
		}
		switch {
		case m.Kind != issueMessage && m.Kind != pairedMessage:
			control(w, c.In, m)
		case !Active(c.In) || done == w.Batch:
			rest = append(rest, m)
		default:
			done++
			receive(w, c, m)
		}
	}
	c.Inbox = rest
}

func receive(w *state.World, c *state.Connector, m *state.Message) {
	if m.Kind == pairedMessage {
		p := c.Pending[m.Partner]
		delete(c.Pending, m.Partner)
		// otherwise it has been paired by hand meanwhile
		if p != nil && c.ByLocal[p.Local] == nil && c.ByRemote[m.Issue] == nil {
			p.Remote = m.Issue
			c.AddPair(p)
			c.Tab().ByKey[p.Local].Panel(c.In.PanelKey()).Partner = p.Remote
		}
		return
	}
	if e := c.ErrorOf(m.Issue); e != nil {
		e.Queue = append(e.Queue, m)
		return
	}
	if err := apply(w, c, m, false); err != nil {
		e := &state.IssueError{Remote: m.Issue, Text: err.Error(), Occurred: w.Stamp(), Queue: []*state.Message{m}}
		if p := c.ByRemote[m.Issue]; p != nil {
			e.Local = p.Local
		}
		c.Errors = append(c.Errors, e)
	}
}

// Retry applies the waiting messages of an issue in error again, in order, until one fails.
func Retry(w *state.World, c *state.Connector, e *state.IssueError) error {
	if e.Planted && !e.Fixed {
		return fmt.Errorf("%s", e.Text)
	}
	for len(e.Queue) > 0 {
		if err := apply(w, c, e.Queue[0], e.Fixed); err != nil {
			e.Text = err.Error()
			return err
		}
		e.Queue = e.Queue[1:]
	}
	c.Errors = slices.DeleteFunc(c.Errors, func(x *state.IssueError) bool { return x == e })
	return nil
}

// scan looks for issues with something to send. Backbone does so at its outgoing interval of 5 s
// (H/5.7/server/advanced-settings), the simulator in every Tick.
func scan(w *state.World, c *state.Connector) {
	tab := c.Tab()
	if !Active(c.In) || c.Peer() == nil || tab == nil || c.Scanned != 0 && tab.Changed <= c.Scanned {
		return
	}
	shared, err := jql.Parse(c.JQL, c.Jira)
	if err != nil {
		return // an invalid filter selects nothing
	}
	for _, i := range slices.Clone(tab.Issues) {
		if len(i.Changes) == 0 && c.Scanned != 0 || !shared.Match(i) {
			continue
		}
		Look(w, c, i)
	}
	c.Scanned = w.Stamp()
}

// Look sends the changes of one issue to its partner.
func Look(w *state.World, c *state.Connector, i *state.Issue) {
	p := Known(c, i)
	if p == nil {
		// Not paired: the partner gets a new issue. If the partner already has such issues, this duplicates them,
		// which pairing before the start prevents. ASSUMED: the first start sends every issue that matches.
		m := Compose(c, i, func(state.FieldMapping) bool { return true })
		if m != nil {
			p = &state.Pair{Local: i.Key, FirstSync: w.Stamp()}
			c.Pending[i.Key] = p
			m.Fresh = true
			sendChange(w, c, i, p, m, i.Attachments)
		}
		return
	}
	fields, files, any := map[string]bool{}, []*state.Attachment{}, false
	for _, ch := range i.Changes {
		// "Changes made by the synchronization user are never synchronized"
		// (H/3.6/server/configuring-the-synchronization-user-154866675.html).
		if ch.At <= p.Seen || ch.User == c.SyncUser {
			continue
		}
		any = true
		p.LastSeen = ch.At
		fields[ch.Field] = true
		for _, a := range i.Attachments {
			if a.ID == ch.Attachment {
				files = append(files, a)
			}
		}
	}
	if !any {
		return
	}
	m := Compose(c, i, func(f state.FieldMapping) bool { return fields[Local(c, f)] })
	if m != nil {
		sendChange(w, c, i, p, m, files)
	}
}

// Known returns the entry of an issue that is paired, or waits to be paired.
func Known(c *state.Connector, i *state.Issue) *state.Pair {
	if p := c.ByLocal[i.Key]; p != nil {
		return p
	}
	return c.Pending[i.Key]
}

// sendChange adds comments and attachments to a message and sends it, if it is not empty.
//
// It sends every comment that the sync user did not write and whose local id is not in the entry. That is how
// comments get duplicated after a move to the cloud (BAC-1449): they have new ids there, and the old sync user's
// comments are not the new one's. ASSUMED, from "Backbone uses the synchronization user to identify which changes
// have been performed by backbone" (HC/5.2/server/connection).
func sendChange(w *state.World, c *state.Connector, i *state.Issue, p *state.Pair, m *state.Message,
	files []*state.Attachment) {
	if c.In.Config.Comments {
		for _, k := range i.Comments {
			if k.Author == c.SyncUser || slices.ContainsFunc(p.Comments,
				func(x state.IDPair) bool { return x.Local == k.ID }) {
				continue
			}
			m.Comments = append(m.Comments, *k)
			// The sender records a comment with its local id only (behind firewall, master file example).
			p.Comments = append(p.Comments, state.IDPair{Local: k.ID})
		}
	}
	if c.In.Config.Attachments {
		for _, a := range files {
			if a.Author != c.SyncUser {
				m.Attachments = append(m.Attachments, *a) // and the sender records nothing: same example
			}
		}
	}
	if len(m.Values)+len(m.Comments)+len(m.Attachments) == 0 && c.Pending[i.Key] != p {
		p.Seen = w.Stamp()
		return
	}
	Send(w, c, i, p, m)
}

// Send sends a message and counts it.
func Send(w *state.World, c *state.Connector, i *state.Issue, p *state.Pair, m *state.Message) {
	p.Out++
	m.Seq = p.Out
	put(w, c, m)
	p.LastOut = m.At
	p.Seen = m.At
	panel := i.Panel(c.In.PanelKey())
	panel.Partner, panel.LastSent = p.Remote, m.At
}

// Local and remote return a mapping's field on this connector's side and on the partner's.
func Local(c *state.Connector, f state.FieldMapping) string {
	if c.First {
		return f.First
	}
	return f.Second
}

func remote(c *state.Connector, f state.FieldMapping) string {
	if c.First {
		return f.Second
	}
	return f.First
}

// Compose returns a message about an issue with the chosen fields, or nil if the issue's type is not mapped.
func Compose(c *state.Connector, i *state.Issue, chosen func(state.FieldMapping) bool) *state.Message {
	m := &state.Message{Kind: issueMessage, Issue: i.Key}
	for _, t := range c.In.Config.IssueTypes {
		if c.First && t.First == i.Typ {
			m.Typ = t.Second
		} else if !c.First && t.Second == i.Typ {
			m.Typ = t.First
		}
	}
	if m.Typ == "" {
		return nil
	}
	for _, f := range c.In.Config.Fields {
		away := c.First && f.Direction != "second_to_first" || !c.First && f.Direction != "first_to_second"
		if !away || !chosen(f) {
			continue
		}
		v := state.Value{Field: remote(c, f), Text: i.Fields[Local(c, f)], Mapping: f, Forward: c.First}
		if strings.HasPrefix(f.Typ, "user_") || Local(c, f) == "assignee" || Local(c, f) == "reporter" {
			v.User = c.Jira.User(v.Text)
		}
		m.Values = append(m.Values, v)
	}
	return m
}
