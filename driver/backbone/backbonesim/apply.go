package backbonesim

import (
	"fmt"
	"strconv"
)

// apply carries out a message on the connector's Jira as its sync user. An error leaves the issue as it was.
// Lenient leaves out what cannot be applied: somebody has seen to it.
func (w *World) apply(c *connector, m *message, lenient bool) error {
	values := map[string]string{}
	for _, v := range m.values {
		text, use, err := c.translate(v)
		if err != nil && !lenient {
			return err
		}
		if use && err == nil {
			values[v.field] = text
		}
	}
	tab := c.tab()
	if tab == nil {
		return fmt.Errorf("project %s does not exist", c.project)
	}
	p := c.byRemote[m.issue]
	if p == nil {
		return w.applyNew(c, m, values)
	}
	if p.ignored {
		return nil // ASSUMED: a message that is ignored is not counted
	}
	i := tab.byKey[p.local]
	if i == nil {
		return jiraText("Issue Does Not Exist") // W/5.20/cloud/deleting-a-synchronized-issue
	}
	w.write(c, i, p, m, values)
	if m.fresh {
		// Only this side knows that the two are a pair: only one connector's entries have been imported.
		w.put(c, &message{kind: pairedMessage, issue: i.key, partner: m.issue})
	}
	return nil
}

// applyNew creates the partner's issue here, pairs the two and tells the partner.
func (w *World) applyNew(c *connector, m *message, values map[string]string) error {
	if values["summary"] == "" {
		return jiraText("Summary is required")
	}
	tab := c.tab()
	at := w.stamp()
	i := &issue{
		id: next(&c.jira.ids.issue), key: tab.key + "-" + strconv.Itoa(tab.next), typ: m.typ,
		fields:  map[string]string{"status": "Open", "reporter": c.syncUser}, // "unmapped reporter = sync user" (H/5.14/server/user)
		created: at, updated: at, panels: map[string]*panel{},
	}
	tab.add(i)
	tab.changedBy(i, change{at: at, user: c.syncUser, field: "created"})
	p := &pair{local: i.key, remote: m.issue, firstSync: at}
	c.addPair(p)
	w.write(c, i, p, m, values)
	w.put(c, &message{kind: pairedMessage, issue: i.key, partner: m.issue})
	return nil
}

func (w *World) write(c *connector, i *issue, p *pair, m *message, values map[string]string) {
	tab := c.tab()
	for field, text := range values {
		if i.fields[field] != text {
			i.fields[field] = text
		}
	}
	at := w.stamp()
	if len(values) > 0 {
		for _, v := range m.values { // in the message's order: ranging over the map would not be repeatable
			if _, ok := values[v.field]; ok {
				tab.changedBy(i, change{at: at, user: c.syncUser, field: v.field})
			}
		}
	}
	for _, k := range m.comments {
		n := &comment{id: next(&c.jira.ids.comment), author: c.syncUser, body: k.body, created: at}
		i.comments = append(i.comments, n)
		p.comments = append(p.comments, idPair{Remote: k.id, Local: n.id})
		tab.changedBy(i, change{at: at, user: c.syncUser})
	}
	for _, a := range m.attachments {
		n := &attachment{id: next(&c.jira.ids.attachment), filename: a.filename, size: a.size, author: c.syncUser, created: at}
		i.attachments = append(i.attachments, n)
		p.attachments = append(p.attachments, idPair{Remote: a.id, Local: n.id})
		tab.changedBy(i, change{at: at, user: c.syncUser, attachment: n.id})
	}
	p.in++
	p.lastIn = w.stamp()
	panel := i.panel(c.in.panelKey())
	panel.partner, panel.lastGotten = p.remote, p.lastIn
}

// translate gives a field's value on the receiving Jira by the mapping's type; use is false where the field keeps
// what it has. "If no same user exists Backbone raises an error" (H/5.14/server/user); fallbacks are not simulated.
func (c *connector) translate(v value) (text string, use bool, err error) {
	switch v.mapping.typ {
	case "passthrough":
		return v.text, true, nil
	case "to_text":
		if v.user != nil {
			return v.user.display, true, nil
		}
		return v.text, true, nil
	case "correlation", "user_correlation":
		for from, to := range v.mapping.values {
			if !v.forward {
				from, to = to, from
			}
			if from == v.text {
				return to, true, nil
			}
		}
		return "", false, nil // ASSUMED: a value that is not in the list is left alone
	}
	if v.text == "" {
		return "", true, nil
	}
	var found *user
	switch v.mapping.typ {
	case "user_passthrough_by_username":
		found = c.jira.user(v.text) // on a cloud site this is the account id (H/5.14/cloud/user)
	case "user_prefix":
		found = c.jira.user(v.mapping.prefix + v.text) // ASSUMED: the receiver's name is the prefix and the sender's
	case "user_passthrough_by_email":
		if v.user != nil && !v.user.hidden {
			found = c.jira.userByEmail(v.user.email)
		}
		if found != nil && found.hidden { // cloud profiles may hide the email (H/5.14/server/notifications)
			found = nil
		}
	}
	if found == nil {
		return "", false, fmt.Errorf("no user of this Jira corresponds to %q in field %s", v.text, v.field)
	}
	return found.name, true, nil
}
