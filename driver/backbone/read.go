package backbone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Read returns what is there. For a sync: an object in the declaration's shape (state, issue_types, field, ...) and
// "facts"; null when there is none. For a migration: {facts, new}. For a server: an empty object, since it is declared
// to be used, not to be made.
func (d *Driver) Read(ctx context.Context, r *schema.Resource) (cty.Value, error) {
	switch r.Addr.Kind {
	case schema.Sync:
		return d.readSync(ctx, r)
	case schema.Migration:
		return d.readMigration(ctx, r)
	}
	return cty.EmptyObjectVal, nil
}

func (d *Driver) readSync(ctx context.Context, sync *schema.Resource) (cty.Value, error) {
	null := cty.NullVal(cty.EmptyObject)
	var f syncFacts
	var conf configuration
	var name *string
	var status string
	if sync.Text("transport") == direct {
		c, err := d.reader(sync.Ref(first, "server"))
		if err != nil {
			return null, err
		}
		i, err := findDirect(ctx, c, sync)
		if err != nil || i == nil {
			return null, err
		}
		h, err := c.healthOf(ctx, i)
		if err != nil {
			return null, err
		}
		if i, err = c.integration(ctx, i.Key); err != nil {
			return null, err
		}
		if i.Second == nil {
			return null, fmt.Errorf("reading synchronization %s on %s: it has one connector now, and had two in the list", i.Key, c.server.Addr)
		}
		f.New = newSync{Found: true, Key: i.Key, health: h, FirstConnector: i.First.Key, SecondConnector: i.Second.Key}
		conf, name, status = i.config, i.Summary, h.Status
	} else {
		for _, role := range []string{master, slave} {
			h, err := d.readHalf(ctx, sync, role)
			if err != nil {
				return null, err
			}
			f.Ends = append(f.Ends, *h)
		}
		if !f.Ends[0].Found && !f.Ends[1].Found {
			return null, nil
		}
		status = f.Ends[0].Status
		if f.Ends[1].Status != status {
			status = "" // the halves differ: shown for each
		}
		if f.Ends[0].Found {
			c, err := d.reader(sync.Ref(master, "server"))
			if err != nil {
				return null, err
			}
			i, err := c.integration(ctx, f.Ends[0].Key)
			if err != nil {
				return null, err
			}
			conf, name = i.config, i.Summary
		}
	}
	v := actualSync(conf, name, status)
	if sync.Text("transport") != direct { // the master's first and second are the two ends under other names
		v = renameEnds(v)
		if conf.channel != "" {
			v["transport"] = cty.StringVal(strings.ToLower(conf.channel))
		}
	}
	facts, err := pack(f)
	if err != nil {
		return null, err
	}
	v["facts"] = facts
	return cty.ObjectVal(v), nil
}

func renameEnds(v map[string]cty.Value) map[string]cty.Value {
	for from, to := range map[string]string{first: master, second: slave} {
		if e, ok := v[from]; ok {
			v[to] = e
			delete(v, from)
		}
	}
	return v
}

// findDirect finds a direct synchronization by its two projects on the server that configures it, nil if there is none.
// One between the same projects of other Jiras is not the one that is meant: it is never taken for it, and named in the
// error.
func findDirect(ctx context.Context, c *reader, sync *schema.Resource) (*integration, error) {
	a, b := sync.Text(first, "project"), sync.Text(second, "project")
	all, err := c.integrations(ctx, a)
	if err != nil {
		return nil, err
	}
	match := slices.DeleteFunc(all, func(i integration) bool {
		return i.Second == nil || i.First.Project != a || i.Second.Project != b
	})
	i, err := onlyOne(match, sync, first)
	if err != nil || i == nil || sync.Text(first, "key") != "" {
		return i, err // a key that is declared says enough
	}
	for end, have := range map[string]*connector{first: i.First, second: i.Second} {
		want := reveal(sync.Ref(end, "server"), "url")
		if have.URL != "" && !sameURL(have.URL, want) {
			return nil, fmt.Errorf("%s: %s connects project %s with %s, but its %s end is on %s, not on %s (%s): delete it, or set key = %q in the block first if it is the one that is meant",
				sync.Addr, i.Key, a, b, end, have.URL, sync.Ref(end, "server").Addr, sync.Ref(end, "server").Text("url"), i.Key)
		}
	}
	return i, nil
}

// sameURL compares base URLs as Jira does: case of the host and a slash at the end do not matter.
func sameURL(a, b string) bool {
	x, errX := url.Parse(strings.TrimRight(a, "/"))
	y, errY := url.Parse(strings.TrimRight(b, "/"))
	return errX == nil && errY == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host) && x.Path == y.Path
}

// findHalf finds one half of an e-mail or file synchronization, nil if there is none. empty: the list has nothing at all.
func findHalf(ctx context.Context, c *reader, sync *schema.Resource, role string) (i *integration, empty bool, err error) {
	project, partner := sync.Text(role, "project"), sync.Text(other(role), "project")
	all, err := c.integrations(ctx, project)
	if err != nil {
		return nil, false, err
	}
	empty = len(all) == 0
	match := slices.DeleteFunc(all, func(i integration) bool {
		c := i.config
		return i.Second != nil || i.First.Project != project || c.channel == "DIRECT" || c.partner != "" && c.partner != partner
	})
	i, err = onlyOne(match, sync, role)
	return i, empty, err
}

// onlyOne takes the one that is declared. Several that look alike are told apart by their key, never by luck.
func onlyOne(match []integration, sync *schema.Resource, end string) (*integration, error) {
	if key := sync.Text(end, "key"); key != "" {
		match = slices.DeleteFunc(match, func(i integration) bool { return i.Key != key })
	}
	switch len(match) {
	case 0:
		return nil, nil
	case 1:
		return &match[0], nil
	}
	keys := make([]string, len(match))
	for i := range match {
		keys[i] = match[i].String()
	}
	slices.Sort(keys)
	return nil, fmt.Errorf("%s: project %s has %d synchronizations that could be meant (%s): set key in the block %s",
		sync.Addr, sync.Text(end, "project"), len(keys), strings.Join(keys, "; "), end)
}

// readHalf reads one half without its pairs. One that is not there has Found false.
func (d *Driver) readHalf(ctx context.Context, sync *schema.Resource, role string) (*half, error) {
	server := sync.Ref(role, "server")
	h := &half{Server: server.Addr.String(), Project: sync.Text(role, "project")}
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	i, empty, err := findHalf(ctx, c, sync, role)
	if err != nil || i == nil {
		h.Unlisted = empty
		return h, err
	}
	return h, d.fillHalf(ctx, c, i, h)
}

func (d *Driver) fillHalf(ctx context.Context, c *reader, i *integration, h *half) (err error) {
	if h.health, err = c.healthOf(ctx, i); err != nil {
		return err
	}
	if h.Conflicts, h.ConflictsAnswer, err = c.conflicts(ctx, i.Key); err != nil {
		return err
	}
	h.Found, h.Key, h.Connector = true, i.Key, i.First.Key
	h.Channel, h.Role, h.Partner = i.config.channel, i.config.role, i.config.partner
	return nil
}

func (d *Driver) readMigration(ctx context.Context, r *schema.Resource) (cty.Value, error) {
	null := cty.NullVal(cty.EmptyObject)
	var f migrationFacts
	to := r.Ref("to")
	actual, err := d.readSync(ctx, to)
	if err != nil {
		return null, err
	}
	if err := d.readNew(ctx, to, actual, &f.New); err != nil {
		return null, err
	}
	cloud, err := d.reader(to.Ref(second, "server")) // asked now, so that wrong credentials are not found once all stands still
	if err != nil {
		return null, err
	}
	if f.Moved, err = cloud.hasProject(ctx, to.Text(second, "project")); err != nil {
		return null, err
	}
	if from := r.Ref("from"); from == nil {
		f.FromGone = true
	} else if err := d.readOriginal(ctx, from, &f); err != nil {
		return null, err
	}
	facts, err := pack(f)
	if err != nil {
		return null, err
	}
	return cty.ObjectVal(map[string]cty.Value{"facts": facts, "new": actual}), nil
}

func (d *Driver) readNew(ctx context.Context, to *schema.Resource, actual cty.Value, n *newSync) error {
	if actual.IsNull() {
		return nil
	}
	var f syncFacts
	if err := unpack(actual.GetAttr("facts"), &f); err != nil {
		return err
	}
	*n = f.New
	c, err := d.reader(to.Ref(first, "server"))
	if err != nil {
		return err
	}
	for connector, pairs := range map[string]*int{n.FirstConnector: &n.FirstPairs, n.SecondConnector: &n.SecondPairs} {
		tally, err := c.tally(ctx, connector)
		if err != nil {
			return err
		}
		*pairs = tally.Pairs
	}
	return nil
}

// readOriginal reads both halves, and their pairs where both are there: one pass over each.
func (d *Driver) readOriginal(ctx context.Context, from *schema.Resource, f *migrationFacts) error {
	for _, role := range []string{master, slave} {
		h, err := d.readHalf(ctx, from, role)
		if err != nil {
			return err
		}
		*f.end(role) = *h
	}
	if !f.Master.Found || !f.Slave.Found {
		return d.tallyLeft(ctx, from, f)
	}
	var tallies [2]syncinfo.Tally
	drain, err := d.compareEnds(ctx, from, f.Master.Connector, f.Slave.Connector, &tallies)
	if err != nil {
		return err
	}
	for i, h := range []*half{&f.Master, &f.Slave} {
		t := tallies[i]
		h.Pairs, h.Comments, h.HalfComments, h.Attachments, h.HalfAttachments = t.Pairs, t.Comments, t.HalfComments, t.Attachments, t.HalfAttachments
	}
	f.Matched, f.InFlight, f.Unmatched, f.Uncompared = drain.Pairs, drain.InFlight, drain.Unpaired, uncompared(drain)
	for _, e := range drain.First {
		f.Flying = append(f.Flying, e.String())
	}
	if f.Unmatched > 0 {
		f.Lonely, err = d.lonely(ctx, from, &f.Master, &f.Slave)
	}
	return err
}

// tallyLeft counts the pairs of the one half that is there.
func (d *Driver) tallyLeft(ctx context.Context, from *schema.Resource, f *migrationFacts) error {
	for _, role := range []string{master, slave} {
		h := f.end(role)
		if !h.Found {
			continue
		}
		c, err := d.reader(from.Ref(role, "server"))
		if err != nil {
			return err
		}
		t, err := c.tally(ctx, h.Connector)
		if err != nil {
			return err
		}
		h.Pairs = t.Pairs
	}
	return nil
}

// mostLonely is how many pairs without a mirror are named.
const mostLonely = 10

// lonely names pairs that the other end does not have: each end's pairs are looked for, mirrored, among the other's.
func (d *Driver) lonely(ctx context.Context, from *schema.Resource, a, b *half) ([]string, error) {
	var out []string
	for _, ends := range [][2]*half{{a, b}, {b, a}} {
		set := syncinfo.NewSet()
		if err := d.eachPair(ctx, from, ends[0], set.Add); err != nil {
			return nil, err
		}
		if _, _, err := set.Seal(); err != nil {
			return nil, err
		}
		err := d.eachPair(ctx, from, ends[1], func(e *syncinfo.Entry) error {
			m, err := set.MatchMirror(e)
			if err == nil && m.Outcome == syncinfo.Missing && len(out) < mostLonely {
				out = append(out, fmt.Sprintf("%s with %s is on %s only", e.LocalKey, e.RemoteKey, ends[1].Connector))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eachPair reads one end's pairs.
func (d *Driver) eachPair(ctx context.Context, from *schema.Resource, h *half, do func(*syncinfo.Entry) error) error {
	role := master
	if from.Ref(slave, "server").Addr.String() == h.Server && from.Text(slave, "project") == h.Project {
		role = slave
	}
	c, err := d.reader(from.Ref(role, "server"))
	if err != nil {
		return err
	}
	body, err := c.syncInformation(ctx, h.Connector)
	if err != nil {
		return err
	}
	defer body.Close()
	r := syncinfo.NewArrayReader(h.Connector, body)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(e)
		}
		if err != nil {
			return err
		}
	}
}

// compareEnds compares the message numbers of both halves of the original.
func (d *Driver) compareEnds(ctx context.Context, from *schema.Resource, masterKey, slaveKey string, tallies *[2]syncinfo.Tally) (*syncinfo.Drain, error) {
	var ends [2]end
	for i, at := range []struct{ role, connector string }{{master, masterKey}, {slave, slaveKey}} {
		c, err := d.reader(from.Ref(at.role, "server"))
		if err != nil {
			return nil, err
		}
		ends[i] = end{c, at.connector}
	}
	return compareConnectors(ctx, ends, tallies)
}

// end is a connector and the server that has it.
type end struct {
	client    *reader
	connector string
}

// compareConnectors streams both connectors' pairs past each other, one after the other.
func compareConnectors(ctx context.Context, ends [2]end, tallies *[2]syncinfo.Tally) (*syncinfo.Drain, error) {
	var readers [2]*syncinfo.Reader
	var bodies [2]*lazyBody
	for i, e := range ends {
		bodies[i] = &lazyBody{open: func() (io.ReadCloser, error) { return e.client.syncInformation(ctx, e.connector) }}
		readers[i] = syncinfo.NewArrayReader(e.connector, bodies[i], syncinfo.Counting(&tallies[i]))
	}
	drain, err := syncinfo.Drained(ctx, readers[0], readers[1])
	return drain, errors.Join(err, bodies[0].Close(), bodies[1].Close())
}

// uncompared counts the directions of pairs of which nothing can be said, because an end lacks the counter.
func uncompared(d *syncinfo.Drain) int { return 2*d.Pairs - d.Compared }

// lazyBody asks for its data with the first Read, so that no answer waits unread while another one is.
type lazyBody struct {
	open func() (io.ReadCloser, error)
	body io.ReadCloser
}

func (l *lazyBody) Read(p []byte) (int, error) {
	if l.body == nil {
		body, err := l.open()
		if err != nil {
			return 0, err
		}
		l.body = body
	}
	return l.body.Read(p)
}

func (l *lazyBody) Close() error {
	if l.body == nil {
		return nil
	}
	return l.body.Close()
}
