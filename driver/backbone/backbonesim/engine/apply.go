package engine

import (
	"fmt"
	"strconv"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/jql"
	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// apply applies a message to the connector's Jira as its sync user. After an error the issue is unchanged. If lenient
// is true, values that cannot be applied are left out: a person has dealt with the error.
func apply(w *state.World, c *state.Connector, m *state.Message, lenient bool) error {
	values := map[string]string{}
	for _, v := range m.Values {
		text, use, err := Translate(c, v)
		if err != nil && !lenient {
			return err
		}
		if use && err == nil {
			values[v.Field] = text
		}
	}
	tab := c.Tab()
	if tab == nil {
		return fmt.Errorf("project %s does not exist", c.Project)
	}
	p := c.ByRemote[m.Issue]
	if p == nil {
		return applyNew(w, c, m, values)
	}
	if p.Ignored {
		return nil // ASSUMED: an ignored message is not counted
	}
	i := tab.ByKey[p.Local]
	if i == nil {
		return jql.JiraText("Issue Does Not Exist") // W/5.20/cloud/deleting-a-synchronized-issue
	}
	write(w, c, i, p, m, values)
	if m.Fresh {
		// Only this side knows the pair, because the entries of only one connector were imported.
		put(w, c, &state.Message{Kind: pairedMessage, Issue: i.Key, Partner: m.Issue})
	}
	return nil
}

// applyNew creates the partner's issue here, pairs both issues and tells the partner.
func applyNew(w *state.World, c *state.Connector, m *state.Message, values map[string]string) error {
	if values["summary"] == "" {
		return jql.JiraText("Summary is required")
	}
	tab := c.Tab()
	at := w.Stamp()
	i := &state.Issue{
		ID: state.Next(&c.Jira.IDs.Issue), Key: tab.Key + "-" + strconv.Itoa(tab.Next), Typ: m.Typ,
		// "unmapped reporter = sync user" (H/5.14/server/user)
		Fields:  map[string]string{"status": "Open", "reporter": c.SyncUser},
		Created: at, Updated: at, Panels: map[string]*state.Panel{},
	}
	tab.Add(i)
	tab.ChangedBy(i, state.Change{At: at, User: c.SyncUser, Field: "created"})
	p := &state.Pair{Local: i.Key, Remote: m.Issue, FirstSync: at}
	c.AddPair(p)
	write(w, c, i, p, m, values)
	put(w, c, &state.Message{Kind: pairedMessage, Issue: i.Key, Partner: m.Issue})
	return nil
}

func write(w *state.World, c *state.Connector, i *state.Issue, p *state.Pair, m *state.Message,
	values map[string]string) {
	tab := c.Tab()
	for field, text := range values {
		if i.Fields[field] != text {
			i.Fields[field] = text
		}
	}
	at := w.Stamp()
	if len(values) > 0 {
		for _, v := range m.Values { // in the message's order: the order of the map is random
			if _, ok := values[v.Field]; ok {
				tab.ChangedBy(i, state.Change{At: at, User: c.SyncUser, Field: v.Field})
			}
		}
	}
	for _, k := range m.Comments {
		n := &state.Comment{ID: state.Next(&c.Jira.IDs.Comment), Author: c.SyncUser, Body: k.Body, Created: at}
		i.Comments = append(i.Comments, n)
		p.Comments = append(p.Comments, state.IDPair{Remote: k.ID, Local: n.ID})
		tab.ChangedBy(i, state.Change{At: at, User: c.SyncUser})
	}
	for _, a := range m.Attachments {
		n := &state.Attachment{ID: state.Next(&c.Jira.IDs.Attachment), Filename: a.Filename, Size: a.Size,
			Author: c.SyncUser, Created: at}
		i.Attachments = append(i.Attachments, n)
		p.Attachments = append(p.Attachments, state.IDPair{Remote: a.ID, Local: n.ID})
		tab.ChangedBy(i, state.Change{At: at, User: c.SyncUser, Attachment: n.ID})
	}
	p.In++
	p.LastIn = w.Stamp()
	panel := i.Panel(c.In.PanelKey())
	panel.Partner, panel.LastGotten = p.Remote, p.LastIn
}

// Translate returns a field's value on the receiving Jira, by the mapping's type. If use is false, the field keeps
// its value. "If no same user exists Backbone raises an error" (H/5.14/server/user); fallbacks are not simulated.
func Translate(c *state.Connector, v state.Value) (text string, use bool, err error) {
	switch v.Mapping.Typ {
	case "passthrough":
		return v.Text, true, nil
	case "to_text":
		if v.User != nil {
			return v.User.Display, true, nil
		}
		return v.Text, true, nil
	case "correlation", "user_correlation":
		for from, to := range v.Mapping.Values {
			if !v.Forward {
				from, to = to, from
			}
			if from == v.Text {
				return to, true, nil
			}
		}
		return "", false, nil // ASSUMED: a value that is not in the list is ignored
	}
	if v.Text == "" {
		return "", true, nil
	}
	var found *state.User
	switch v.Mapping.Typ {
	case "user_passthrough_by_username":
		found = c.Jira.User(v.Text) // on a cloud site this is the account id (H/5.14/cloud/user)
	case "user_prefix":
		found = c.Jira.User(v.Mapping.Prefix + v.Text) // ASSUMED: the receiver's name is the prefix plus the sender's
	case "user_passthrough_by_email":
		if v.User != nil && !v.User.Hidden {
			found = c.Jira.UserByEmail(v.User.Email)
		}
		if found != nil && found.Hidden { // cloud profiles may hide the email (H/5.14/server/notifications)
			found = nil
		}
	}
	if found == nil {
		return "", false, fmt.Errorf("no user of this Jira corresponds to %q in field %s", v.Text, v.Field)
	}
	return found.Name, true, nil
}
