package backbone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

var _ driver.Importer = (*Driver)(nil)

// Import drafts the synchronizations on a server that nobody has declared.
func (d *Driver) Import(ctx context.Context, of driver.ImportRequest) ([]schema.Draft, error) {
	server, all := of.Server, of.Declared
	if len(of.From) > 0 {
		return nil, errors.New("a synchronization names both its ends: say from which Jira it is imported, and no other one")
	}
	x := &importer{d: d, servers: map[string]cty.Value{}}
	var err error
	if x.here, err = d.openJira(server); err != nil {
		return nil, err
	}
	if x.here.client.cloud() {
		return []schema.Draft{{Addr: server.Addr, Comments: []string{
			server.Addr.String() + ": nothing was read. Backbone in the cloud has no documented interface.",
		}}}, nil
	}
	if x.here.list, err = x.here.client.integrations(ctx, ""); err != nil {
		return nil, err
	}
	if x.known, err = declaredKeys(x.here, all); err != nil {
		return nil, err
	}
	if len(x.here.list) == 0 {
		return []schema.Draft{{Addr: server.Addr, Comments: []string{server.Addr.String() + ": it lists no " +
			"synchronization. " + partly}}}, nil
	}
	left := slices.DeleteFunc(slices.Clone(x.here.list), func(i integration) bool { return x.known[i.Key] })
	if len(left) == 0 {
		return nil, nil
	}
	slices.SortFunc(left, func(a, b integration) int {
		return cmp.Or(cmp.Compare(len(a.Key), len(b.Key)), strings.Compare(a.Key, b.Key))
	})
	x.lookElsewhere(ctx, all)
	x.drafts = append(x.drafts, schema.Draft{Addr: server.Addr, Comments: []string{
		fmt.Sprintf("What Backbone on %s shows of its synchronizations. Values of correlations, workflows, "+
			"versions, notifications and advanced settings cannot be declared, and stay as they are. %s",
			server.Addr, partly),
	}})
	for i := range left {
		if x.known[left[i].Key] {
			continue // it was drafted together with its other half
		}
		if err := x.add(ctx, &left[i]); err != nil {
			return nil, err
		}
	}
	return x.drafts, nil
}

// partly says what a list does not prove. A project administrator has to ask for each project (H/5.14, projectKey),
// and what such a user gets without a project is not documented.
const partly = "Whether that is all is known only if the user administers Jira, not just projects."

// jira is a declared Jira with its list of synchronizations.
type jira struct {
	*serverBlock

	client *reader
	list   []integration

	byProject map[string][]*integration // by the project of its first end
}

// at returns the synchronizations whose first end is the given project.
func (j *jira) at(project string) []*integration {
	if j.byProject == nil {
		j.byProject = map[string][]*integration{}
		for i := range j.list {
			at := j.list[i].First.Project
			j.byProject[at] = append(j.byProject[at], &j.list[i])
		}
	}
	return j.byProject[project]
}

func (d *Driver) openJira(r *schema.Resource) (*jira, error) {
	server, err := declared(declare.Decode[serverBlock], r)
	if err != nil {
		return nil, err
	}
	c, err := d.reader(server)
	return &jira{serverBlock: server, client: c}, err
}

func (j *jira) ref() cty.Value { return cty.StringVal(j.Addr().String()) }

// declaredKeys returns the keys of the synchronizations on a Jira that are already declared.
func declaredKeys(j *jira, all []*schema.Resource) (map[string]bool, error) {
	known := map[string]bool{}
	for _, r := range all {
		if r.Addr.Kind != schema.Sync || r.Addr.Type != "backbone" {
			continue
		}
		s, err := declared(decodeSync, r)
		if err != nil {
			return nil, err
		}
		for _, e := range s.holders() {
			if e.server.Addr() != j.Addr() {
				continue
			}
			var list []integration
			for _, i := range j.at(e.Project) {
				list = append(list, *i)
			}
			i, err := pick(s, e, list)
			if err != nil {
				return nil, fmt.Errorf("telling what is declared already: %w", err)
			}
			if i != nil {
				known[i.Key] = true
			}
		}
	}
	return known, nil
}

// importer is an import in progress.
type importer struct {
	d      *Driver
	here   *jira
	known  map[string]bool // the keys on this Jira that are declared or already drafted
	others []*jira         // the other declared Jiras, by address; with their lists where needed and readable
	unread []string        // the Jiras that could not be asked, and why
	drafts []schema.Draft

	servers map[string]cty.Value // references to the drafted servers, by name
}

// lookElsewhere reads the lists of the other declared Jiras. One that cannot be reached can still be the second end
// of a synchronization, by its declared address; a comment says that it could not be asked.
func (x *importer) lookElsewhere(ctx context.Context, all []*schema.Resource) {
	for _, r := range all {
		if r.Addr.Kind != schema.Server || r.Addr.Type != "backbone" || r.Addr == x.here.Addr() {
			continue
		}
		other, err := x.d.openJira(r)
		if err == nil && !other.client.cloud() && x.hasHalves() {
			if other.list, err = other.client.integrations(ctx, ""); err == nil && len(other.list) == 0 {
				err = errors.New("it lists no synchronization, which proves nothing")
			}
		}
		if err != nil {
			x.unread = append(x.unread, r.Addr.String()+" could not be asked: "+wording.OneLine(err.Error())+".")
		}
		if other != nil { // its address is in its declaration
			x.others = append(x.others, other)
		}
	}
	slices.SortFunc(x.others, func(a, b *jira) int { return strings.Compare(a.Addr().String(), b.Addr().String()) })
	slices.Sort(x.unread)
}

func (x *importer) hasHalves() bool {
	return slices.ContainsFunc(x.here.list, func(i integration) bool { return i.Second == nil && !x.known[i.Key] })
}

// add drafts one synchronization, or says why it cannot be declared.
func (x *importer) add(ctx context.Context, i *integration) error {
	seen, err := x.see(ctx, x.here, i)
	if err != nil {
		return err
	}
	i = &seen.integration
	s := &drafted{integration: &seen.integration, values: map[string]cty.Value{}, notes: map[string]string{}}
	half := i.Channel == "EMAIL" || i.Channel == "FILE"
	switch {
	case i.Second != nil && !half:
		x.direct(s, seen)
	case i.Second == nil && half && (i.Role == "MASTER" || i.Role == "SLAVE"):
		if err := x.half(ctx, s, seen); err != nil {
			return err
		}
	default:
		x.drafts = append(x.drafts, schema.Draft{Addr: s.addr(), ID: i.Key, Comments: []string{fmt.Sprintf(
			"%s on %s cannot be declared: how its ends talk, and which end it is, could not be read.", i, x.here.Addr())}})
		return nil
	}
	x.drafts = append(x.drafts, schema.Draft{Addr: s.addr(), Value: cty.ObjectVal(s.values), Notes: s.notes,
		Doubtful: s.restless, ID: i.Key, With: s.with,
		Comments: append([]string{fmt.Sprintf("%s on %s", i.Key, x.here.Addr())}, s.comments...)})
	return nil
}

// see reads a synchronization from a list.
func (x *importer) see(ctx context.Context, j *jira, i *integration) (*syncSeen, error) {
	seen, err := j.client.see(ctx, i.Key)
	if err == nil && (seen.ends() != i.ends() || seen.Role != i.Role || seen.Channel != i.Channel) {
		err = fmt.Errorf("reading %s on %s: it has other ends than in the list", i.Key, j.Addr())
	}
	return seen, err
}

// drafted is a synchronization that is being drafted.
type drafted struct {
	*integration

	values   map[string]cty.Value
	notes    map[string]string
	comments []string
	with     []string // the key of its other half, if it is on this Jira too
	restless bool     // its state cannot be declared, and without one it would be started
}

func (s *drafted) addr() schema.Addr {
	name := s.First.Project
	switch {
	case s.Summary != nil && *s.Summary != "":
		name = *s.Summary
	case s.Second != nil:
		name += "_" + s.Second.Project
	case s.Partner != "":
		name += "_" + s.Partner
	}
	return schema.Addr{Kind: schema.Sync, Type: "backbone", Name: name}
}

// end adds an end to the draft. A key or filter that is "" is left out.
func (s *drafted) end(name string, server, project cty.Value, key string, jql *string) {
	v := map[string]cty.Value{"server": server, "project": project}
	if key != "" {
		v["key"] = cty.StringVal(key)
	}
	if jql != nil && *jql != "" {
		v["jql"] = cty.StringVal(*jql)
	}
	s.values[name] = cty.ObjectVal(v)
}

// direct drafts a direct synchronization.
func (x *importer) direct(s *drafted, seen *syncSeen) {
	s.values["transport"] = cty.StringVal(direct)
	key := ""
	switch {
	case alike(x.here, s.First.Project, func(i *integration) bool {
		return i.connects(s.First.Project, s.Second.Project)
	}) > 1:
		key = s.Key
	case s.First.URL != "" && !sameURL(s.First.URL, x.here.URL.Reveal()):
		key = s.Key
		s.notes[first+".server"] = "Backbone gives this Jira another address."
	}
	there, known := x.secondServer(s)
	if !known && key == "" {
		key = s.Key
	}
	s.end(first, x.here.ref(), cty.StringVal(s.First.Project), key, seen.Configuration.FirstJQL)
	s.end(second, there, cty.StringVal(s.Second.Project), "", seen.Configuration.SecondJQL)
	s.jqlNote(first, seen.Configuration.FirstJQL)
	s.jqlNote(second, seen.Configuration.SecondJQL)
	s.state("", seen.Status)
	s.configuration(seen)
}

func (s *drafted) jqlNote(end string, jql *string) {
	if jql == nil {
		s.notes[end+".jql"] = "The filter of this end could not be read."
	}
}

// secondServer returns a reference to the Jira of the second end: a declared one, or a draft. known reports whether
// its address was read.
func (x *importer) secondServer(s *drafted) (ref cty.Value, known bool) {
	address := s.Second.URL
	for _, j := range append([]*jira{x.here}, x.others...) {
		if address != "" && sameURL(address, j.URL.Reveal()) {
			return j.ref(), true
		}
	}
	u, err := url.Parse(address)
	if address == "" || err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" {
		text := fmt.Sprintf("The second end of %s. Its address could not be read.", s.Key)
		if err == nil && u.Host != "" { // without the user part, which may have a password
			text = fmt.Sprintf("The second end of %s, which Backbone gives as a page of %s.", s.Key, wording.Quote(u.Host))
		}
		return x.draftServer(x.otherEnd(s, s.Second.Project), "", cty.UnknownVal(cty.String), text), false
	}
	name := strings.ToLower(u.Host) + "/" + strings.Trim(u.Path, "/") // as sameURL compares; never a declared name
	if ref, ok := x.servers[name]; ok {
		return ref, true
	}
	deployment := cty.UnknownVal(cty.String)
	if strings.HasSuffix(strings.ToLower(u.Hostname()), ".atlassian.net") { // the vendor's own domain
		deployment = cty.StringVal(cloud)
	}
	x.servers[name] = x.draftServer(name, address, deployment, fmt.Sprintf("The second end of %s. Whom it "+
		"lets in no interface shows.", s.Key))
	return x.servers[name], true
}

// otherEnd returns the name for a drafted Jira whose address is unknown. It includes this Jira's name and the key of
// the synchronization, because other Jiras have synchronizations with the same keys.
func (x *importer) otherEnd(s *drafted, which string) string {
	here := x.here.Addr()
	return strings.TrimSpace(here.Module+" "+here.Name+here.Index) + " " + s.Key + " " + which
}

// draftServer drafts a Jira about which at most the address and the deployment are known.
func (x *importer) draftServer(name, address string, deployment cty.Value, text string) cty.Value {
	unknown := cty.UnknownVal(cty.String)
	v := map[string]cty.Value{"url": unknown, "user": unknown, "password": unknown, "deployment": deployment}
	if address != "" {
		v["url"] = cty.StringVal(address)
	}
	if deployment.IsKnown() && deployment.AsString() == cloud {
		v["token"] = unknown
		delete(v, "password")
	}
	addr := schema.Addr{Kind: schema.Server, Type: "backbone", Name: name}
	x.drafts = append(x.drafts, schema.Draft{Addr: addr, Value: cty.ObjectVal(v), Comments: []string{text}})
	return cty.StringVal(addr.String())
}

// alike counts the synchronizations of a project that fit a declaration without a key.
func alike(j *jira, project string, fits func(*integration) bool) int {
	n := 0
	for _, i := range j.at(project) {
		if fits(i) {
			n++
		}
	}
	return n
}

// state adds the state to the draft. role is "" if the state is that of the whole synchronization, else the half
// whose state was read.
func (s *drafted) state(role, status string) {
	word := stateWord(status)
	if word != running && word != stopped {
		s.notes["state"] = fmt.Sprintf("Its state is %s. Without state it is to be running.", shownStatus(status))
		s.restless = true
		return
	}
	s.values["state"] = cty.StringVal(word)
	if role != "" {
		s.notes["state"] = fmt.Sprintf("The %s is %s; of the %s it could not be read.", role, word, other(role))
	}
}

func shownStatus(status string) string { return cmp.Or(status, "unknown") }

// configuration adds the parts of the configuration that could be read, and notes those that could not.
func (s *drafted) configuration(seen *syncSeen) {
	c := seen.Configuration
	if seen.Summary != nil {
		s.values["name"] = cty.StringVal(*seen.Summary)
	}
	if len(c.IssueTypes) > 0 {
		types := map[string]cty.Value{}
		for a, b := range c.IssueTypes {
			types[a] = cty.StringVal(b)
		}
		s.values["issue_types"] = mapOf(types, cty.String)
	}
	for name, on := range map[string]*bool{"comments": c.Comments, "attachments": c.Attachments} {
		if on != nil {
			s.values[name] = cty.BoolVal(*on)
		}
	}
	for name, unknown := range map[string]bool{
		"name": seen.Summary == nil, "issue_types": c.IssueTypes == nil, "comments": c.Comments == nil,
		"attachments": c.Attachments == nil, "field": c.Fields == nil,
	} {
		if unknown {
			s.notes[name] = fmt.Sprintf("%s could not be read.", name)
		}
	}
	if c.IssueTypes != nil && len(c.IssueTypes) == 0 {
		s.notes["issue_types"] = "No issue type is mapped."
	}
	fields := map[string]cty.Value{}
	for _, f := range c.Fields {
		if !slices.Contains(mappings(), f.Mapping) {
			s.notes["field"] = fmt.Sprintf("The field mappings cannot be declared: %s is of a kind that is not known.", f)
			return
		}
		v := map[string]cty.Value{"mapping": cty.StringVal(f.Mapping), "to": cty.NullVal(cty.String),
			"direction": cty.NullVal(cty.String)}
		switch f.Direction {
		case bidirectional:
		case "":
			s.notes[schema.BlockPath("field", f.First)] = "Its direction could not be read. Without direction it goes both ways."
		default:
			v["direction"] = cty.StringVal(f.Direction)
		}
		if f.Second != f.First {
			v["to"] = cty.StringVal(f.Second)
		}
		fields[f.First] = cty.ObjectVal(v)
	}
	if len(fields) > 0 {
		s.values["field"] = cty.MapVal(fields)
	}
}
