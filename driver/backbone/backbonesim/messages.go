package backbonesim

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds of messages. The ones between master and slave that carry no issue are those of
// H/5.14/server/synchronization-message-flow.
const (
	issueMessage = "issue"
	// ASSUMED: the sender of a new issue learns the partner's key by an answer, which the sequence ids do not count.
	pairedMessage = "paired"
	// The slave introduces itself, the master pings, the slave answers the ping.
	handshakeMessage = "handshake"
	pingMessage      = "ping"
	// The master's changed configuration, and the slave's word that it has been taken over.
	configurationMessage = "configuration"
	updatedMessage       = "updated"
)

type message struct {
	kind        string
	issue       string // the sender's key
	partner     string // of a paired message: the receiver's key
	fresh       bool   // the sender does not know the partner's issue
	seq         int64
	typ         string // the receiver's issue type
	values      []value
	comments    []comment
	attachments []attachment
	at          int64
	config      *config
}

// value is one field on its way: already under the receiver's name for it.
type value struct {
	field, text string
	mapping     fieldMapping
	user        *user // whom text names, on the sender's Jira
	forward     bool  // from the first to the second project
}

// active tells whether a synchronization works. ASSUMED: one that needs a restart goes on until it is stopped.
func (in *integration) active() bool { return in.status == running || in.status == restartRequired }

// put sends a message: directly to the partner's Jira, or into the folder (or mailbox) of outgoing messages.
func (w *World) put(c *connector, m *message) {
	m.at = w.stamp()
	if c.in.transport != direct {
		c.in.outbox = append(c.in.outbox, m)
	} else if to := c.peer(); to != nil {
		to.inbox = append(to.inbox, m)
	}
}

// deliver is the customer's file-moving job, or the mail servers: "moving them is the customer's job"
// (W/5.21/server/connection-modes). It works whether or not a synchronization runs. It returns how many it moved.
func (w *World) deliver(in *integration, byHand bool) int {
	if in.transport == direct || in.partner == nil || in.manual && !byHand {
		return 0
	}
	newest := max(w.now.UnixMilli(), w.last) - in.deliverAfter
	n := 0
	for n < len(in.outbox) && (byHand || in.outbox[n].at <= newest) {
		n++
	}
	to := in.partner.connectors[0]
	to.inbox = append(to.inbox, in.outbox[:n]...)
	in.outbox = slices.Clone(in.outbox[n:])
	return n
}

// process applies what has arrived at a connector, at most one batch of it.
func (w *World) process(c *connector) {
	var rest []*message
	done := 0
	for n, m := range c.inbox {
		if done == w.batch && c.in.transport == direct {
			rest = c.inbox[n:] // nothing but issues in there
			break
		}
		switch {
		case m.kind != issueMessage && m.kind != pairedMessage:
			w.control(c.in, m)
		case !c.in.active() || done == w.batch:
			rest = append(rest, m)
		default:
			done++
			w.receive(c, m)
		}
	}
	c.inbox = rest
}

func (w *World) receive(c *connector, m *message) {
	if m.kind == pairedMessage {
		p := c.pending[m.partner]
		delete(c.pending, m.partner)
		if p != nil && c.byLocal[p.local] == nil && c.byRemote[m.issue] == nil { // else it has been paired by hand meanwhile
			p.remote = m.issue
			c.addPair(p)
			c.tab().byKey[p.local].panel(c.in.panelKey()).partner = p.remote
		}
		return
	}
	if e := c.errorOf(m.issue); e != nil {
		e.queue = append(e.queue, m)
		return
	}
	if err := w.apply(c, m, false); err != nil {
		e := &issueError{remote: m.issue, text: err.Error(), occurred: w.stamp(), queue: []*message{m}}
		if p := c.byRemote[m.issue]; p != nil {
			e.local = p.local
		}
		c.errors = append(c.errors, e)
	}
}

// retry applies the waiting messages of an issue in error again, in order, until one fails.
func (w *World) retry(c *connector, e *issueError) error {
	if e.planted && !e.fixed {
		return fmt.Errorf("%s", e.text)
	}
	for len(e.queue) > 0 {
		if err := w.apply(c, e.queue[0], e.fixed); err != nil {
			e.text = err.Error()
			return err
		}
		e.queue = e.queue[1:]
	}
	c.errors = slices.DeleteFunc(c.errors, func(x *issueError) bool { return x == e })
	return nil
}

// scan looks for issues that have something to send, as the outgoing interval does every 5 s (H/5.7/server/advanced-settings);
// here on every Tick.
func (w *World) scan(c *connector) {
	tab := c.tab()
	if !c.in.active() || c.peer() == nil || tab == nil || c.scanned != 0 && tab.changed <= c.scanned {
		return
	}
	shared, err := parseJQL(c.jql, c.jira)
	if err != nil {
		return // a filter that Jira refuses selects nothing
	}
	for _, i := range slices.Clone(tab.issues) {
		if len(i.changes) == 0 && c.scanned != 0 || !shared.match(i) {
			continue
		}
		w.look(c, i)
	}
	c.scanned = w.stamp()
}

// look sends what one issue has to tell its partner.
func (w *World) look(c *connector, i *issue) {
	p := c.known(i)
	if p == nil {
		// Not paired: the partner gets a new issue. For issues that are there already, this is the disaster that
		// pairing before the start prevents. ASSUMED: the first start sends every issue that matches.
		m := c.compose(i, func(fieldMapping) bool { return true })
		if m != nil {
			p = &pair{local: i.key, firstSync: w.stamp()}
			c.pending[i.key] = p
			m.fresh = true
			w.sendChange(c, i, p, m, i.attachments)
		}
		return
	}
	fields, files, any := map[string]bool{}, []*attachment{}, false
	for _, ch := range i.changes {
		// "Changes made by the synchronization user are never synchronized"
		// (H/3.6/server/configuring-the-synchronization-user-154866675.html).
		if ch.at <= p.seen || ch.user == c.syncUser {
			continue
		}
		any = true
		p.lastSeen = ch.at
		fields[ch.field] = true
		for _, a := range i.attachments {
			if a.id == ch.attachment {
				files = append(files, a)
			}
		}
	}
	if !any {
		return
	}
	m := c.compose(i, func(f fieldMapping) bool { return fields[c.local(f)] })
	if m != nil {
		w.sendChange(c, i, p, m, files)
	}
}

// known gives the entry of an issue that is paired, or about to be.
func (c *connector) known(i *issue) *pair {
	if p := c.byLocal[i.key]; p != nil {
		return p
	}
	return c.pending[i.key]
}

// sendChange completes a message with comments and attachments and sends it, if there is anything in it.
//
// Every comment is sent that the entry does not know by its local id and that the sync user did not write. That is how
// comments get duplicated after a move to the cloud (BAC-1449): ids are new there, and the old sync user's comments
// are not the new one's own. ASSUMED, from "Backbone uses the synchronization user to identify which changes have been
// performed by backbone" (HC/5.2/server/connection).
func (w *World) sendChange(c *connector, i *issue, p *pair, m *message, files []*attachment) {
	if c.in.config.comments {
		for _, k := range i.comments {
			if k.author == c.syncUser || slices.ContainsFunc(p.comments, func(x idPair) bool { return x.Local == k.id }) {
				continue
			}
			m.comments = append(m.comments, *k)
			// The sender notes a comment with its local id only (behind firewall, master file example).
			p.comments = append(p.comments, idPair{Local: k.id})
		}
	}
	if c.in.config.attachments {
		for _, a := range files {
			if a.author != c.syncUser {
				m.attachments = append(m.attachments, *a) // and the sender notes nothing: same example
			}
		}
	}
	if len(m.values)+len(m.comments)+len(m.attachments) == 0 && c.pending[i.key] != p {
		p.seen = w.stamp()
		return
	}
	w.send(c, i, p, m)
}

func (w *World) send(c *connector, i *issue, p *pair, m *message) {
	p.out++
	m.seq = p.out
	w.put(c, m)
	p.lastOut = m.at
	p.seen = m.at
	panel := i.panel(c.in.panelKey())
	panel.partner, panel.lastSent = p.remote, m.at
}

// local and remote name a mapping's field on this connector's side and on the partner's.
func (c *connector) local(f fieldMapping) string {
	if c.first {
		return f.first
	}
	return f.second
}

func (c *connector) remote(f fieldMapping) string {
	if c.first {
		return f.second
	}
	return f.first
}

// compose makes a message of an issue with the chosen fields; nil if the issue's type is not mapped.
func (c *connector) compose(i *issue, chosen func(fieldMapping) bool) *message {
	m := &message{kind: issueMessage, issue: i.key}
	for _, t := range c.in.config.issueTypes {
		if c.first && t.first == i.typ {
			m.typ = t.second
		} else if !c.first && t.second == i.typ {
			m.typ = t.first
		}
	}
	if m.typ == "" {
		return nil
	}
	for _, f := range c.in.config.fields {
		away := c.first && f.direction != "second_to_first" || !c.first && f.direction != "first_to_second"
		if !away || !chosen(f) {
			continue
		}
		v := value{field: c.remote(f), text: i.fields[c.local(f)], mapping: f, forward: c.first}
		if strings.HasPrefix(f.typ, "user_") || c.local(f) == "assignee" || c.local(f) == "reporter" {
			v.user = c.jira.user(v.text)
		}
		m.values = append(m.values, v)
	}
	return m
}
