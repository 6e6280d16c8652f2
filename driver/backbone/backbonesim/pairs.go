package backbonesim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pair is one entry of the sync information: which local issue belongs to which remote issue.
type pair struct {
	id                           int64
	local, remote                string
	firstSync, lastOut, lastSeen int64
	lastIn                       int64
	out, in                      int64 // counters of messages
	attachments, comments        []idPair
	ignored                      bool
	extra                        map[string]json.RawMessage // ASSUMED: members nobody knows are kept and given back
	seen                         int64                      // changes up to here have been sent
}

type idPair struct {
	Remote string `json:"remoteId,omitempty"`
	Local  string `json:"localId,omitempty"`
}

// pairJSON is the entry as the behind firewall guide prints it. ASSUMED: a time that never was is absent, as absent
// lists are in the guide's samples.
type pairJSON struct {
	ID          int64    `json:"id"`
	Connector   string   `json:"connectorKey"`
	Local       string   `json:"localIssueKey"`
	Remote      string   `json:"remoteIssueKey"`
	FirstSync   int64    `json:"firstSyncDate,omitempty"`
	LastOut     int64    `json:"lastOutgoingChange,omitempty"`
	LastSeen    int64    `json:"lastChangeSeen,omitempty"`
	Out         int64    `json:"outgoingMessageSequenceId"`
	LastIn      int64    `json:"lastIncomingChange,omitempty"`
	In          int64    `json:"incomingMessageSequenceId"`
	Attachments []idPair `json:"attachments,omitempty"`
	Comments    []idPair `json:"comments,omitempty"`
	Ignored     bool     `json:"incomingChangesIgnored"`
}

func (p *pair) encode(connectorKey string) json.RawMessage {
	out, err := json.Marshal(pairJSON{
		p.id, connectorKey, p.local, p.remote, p.firstSync, p.lastOut, p.lastSeen, p.out, p.lastIn, p.in,
		p.attachments, p.comments, p.ignored,
	})
	if err != nil {
		panic(err) // numbers, strings and booleans only
	}
	for _, name := range slices.Sorted(maps.Keys(p.extra)) {
		quoted, _ := json.Marshal(name)
		out = slices.Concat(out[:len(out)-1], []byte(","), quoted, []byte(":"), p.extra[name], []byte("}"))
	}
	return out
}

// parsePair reads one entry. Keys are required; everything else may be missing.
func parsePair(raw json.RawMessage) (*pair, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, errors.New("is not an object")
	}
	p := &pair{}
	var connector string
	for _, m := range []struct {
		name string
		into any
	}{
		{"id", &p.id}, {"connectorKey", &connector}, {"localIssueKey", &p.local}, {"remoteIssueKey", &p.remote},
		{"firstSyncDate", &p.firstSync}, {"lastOutgoingChange", &p.lastOut}, {"lastChangeSeen", &p.lastSeen},
		{"outgoingMessageSequenceId", &p.out}, {"lastIncomingChange", &p.lastIn}, {"incomingMessageSequenceId", &p.in},
		{"attachments", &p.attachments}, {"comments", &p.comments}, {"incomingChangesIgnored", &p.ignored},
	} {
		value, ok := members[m.name]
		delete(members, m.name)
		if ok && json.Unmarshal(value, m.into) != nil {
			return nil, fmt.Errorf("member %q has the wrong type", m.name)
		}
	}
	for _, key := range []string{p.local, p.remote} {
		if n, err := strconv.Atoi(key[strings.LastIndexByte(key, '-')+1:]); err != nil || n < 1 || projectOf(key) == "" {
			return nil, errors.New(`needs an issue key in "localIssueKey" and in "remoteIssueKey"`)
		}
	}
	if min(p.id, p.firstSync, p.lastOut, p.lastSeen, p.lastIn, p.out, p.in) < 0 {
		return nil, errors.New("has a negative number")
	}
	if len(members) > 0 {
		p.extra = members
		for name, value := range members {
			var small bytes.Buffer
			if err := json.Compact(&small, value); err != nil {
				return nil, fmt.Errorf("member %q: %w", name, err)
			}
			members[name] = small.Bytes()
		}
	}
	p.seen = max(p.firstSync, p.lastOut, p.lastSeen, p.lastIn)
	return p, nil
}

func (c *connector) addPair(p *pair) {
	if p.id == 0 {
		c.in.server.ids.pair++
		p.id = c.in.server.ids.pair
	}
	c.in.server.ids.pair = max(c.in.server.ids.pair, p.id)
	c.byLocal[p.local], c.byRemote[p.remote] = p, p
	at, _ := slices.BinarySearchFunc(c.pairs, p.id, func(x *pair, id int64) int { return int(x.id - id) })
	c.pairs = slices.Insert(c.pairs, at, p)
}

func (c *connector) removePair(p *pair) {
	delete(c.byLocal, p.local)
	delete(c.byRemote, p.remote)
	c.pairs = slices.DeleteFunc(c.pairs, func(x *pair) bool { return x == p })
}

// duplicateError says that an issue is paired already.
type duplicateError struct{ text string }

func (e *duplicateError) Error() string { return e.text }

// checkPairs reads entries that shall be imported into c, all or none of them.
//
// ASSUMED, the page only says "an array of sync information": an entry may carry the connectorKey and id of an older
// synchronization (the guide's merged file keeps both), row ids are given anew, both issues must exist, and an issue
// that is paired already, or named twice, is refused.
func (c *connector) checkPairs(entries []json.RawMessage) ([]*pair, error) {
	other := c.peer()
	out := make([]*pair, 0, len(entries))
	local, remote := map[string]bool{}, map[string]bool{}
	for n, raw := range entries {
		p, err := parsePair(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d %w", n, err)
		}
		if projectOf(p.local) != c.project {
			return nil, fmt.Errorf("entry %d: issue %s is not in project %s of connector %s", n, p.local, c.project, c.key)
		}
		if c.jira.issue(p.local) == nil {
			return nil, fmt.Errorf("entry %d: issue %s does not exist", n, p.local)
		}
		if other != nil && (projectOf(p.remote) != other.project || other.jira.issue(p.remote) == nil) {
			return nil, fmt.Errorf("entry %d: issue %s does not exist in project %s of the partner", n, p.remote, other.project)
		}
		if local[p.local] || remote[p.remote] {
			return nil, fmt.Errorf("entry %d: %s or %s is named twice", n, p.local, p.remote)
		}
		if c.byLocal[p.local] != nil || c.byRemote[p.remote] != nil {
			return nil, &duplicateError{fmt.Sprintf("entry %d: %s or %s is paired already", n, p.local, p.remote)}
		}
		local[p.local], remote[p.remote] = true, true
		p.id = 0
		out = append(out, p)
	}
	return out, nil
}
