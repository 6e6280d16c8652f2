package state

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

// Pair is one entry of the sync information: a local issue and the remote issue that it is paired with.
type Pair struct {
	ID                           int64
	Local, Remote                string
	FirstSync, LastOut, LastSeen int64
	LastIn                       int64
	Out, In                      int64 // counters of messages
	Attachments, Comments        []IDPair
	Ignored                      bool
	extra                        map[string]json.RawMessage // ASSUMED: unknown members are kept and returned
	Seen                         int64                      // changes up to here have been sent
}

// IDPair is a comment or an attachment on both Jiras.
type IDPair struct {
	Remote string `json:"remoteId,omitempty"`
	Local  string `json:"localId,omitempty"`
}

// pairJSON is the entry as the behind firewall guide prints it. ASSUMED: a time of something that has not happened is
// absent, as empty lists are in the guide's samples.
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
	Attachments []IDPair `json:"attachments,omitempty"`
	Comments    []IDPair `json:"comments,omitempty"`
	Ignored     bool     `json:"incomingChangesIgnored"`
}

// Encode returns the pair in the form of GET syncInformation.
func (p *Pair) Encode(connectorKey string) json.RawMessage {
	out, err := json.Marshal(pairJSON{
		p.ID, connectorKey, p.Local, p.Remote, p.FirstSync, p.LastOut, p.LastSeen, p.Out, p.LastIn, p.In,
		p.Attachments, p.Comments, p.Ignored,
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

// ParsePair reads one entry. The two issue keys are required; everything else may be missing.
func ParsePair(raw json.RawMessage) (*Pair, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, errors.New("is not an object")
	}
	p := &Pair{}
	var connector string
	for _, m := range []struct {
		name string
		into any
	}{
		{"id", &p.ID}, {"connectorKey", &connector}, {"localIssueKey", &p.Local}, {"remoteIssueKey", &p.Remote},
		{"firstSyncDate", &p.FirstSync}, {"lastOutgoingChange", &p.LastOut}, {"lastChangeSeen", &p.LastSeen},
		{"outgoingMessageSequenceId", &p.Out}, {"lastIncomingChange", &p.LastIn}, {"incomingMessageSequenceId", &p.In},
		{"attachments", &p.Attachments}, {"comments", &p.Comments}, {"incomingChangesIgnored", &p.Ignored},
	} {
		value, ok := members[m.name]
		delete(members, m.name)
		if ok && json.Unmarshal(value, m.into) != nil {
			return nil, fmt.Errorf("member %q has the wrong type", m.name)
		}
	}
	for _, key := range []string{p.Local, p.Remote} {
		if n, err := strconv.Atoi(key[strings.LastIndexByte(key, '-')+1:]); err != nil || n < 1 || ProjectOf(key) == "" {
			return nil, errors.New(`needs an issue key in "localIssueKey" and in "remoteIssueKey"`)
		}
	}
	if min(p.ID, p.FirstSync, p.LastOut, p.LastSeen, p.LastIn, p.Out, p.In) < 0 {
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
	p.Seen = max(p.FirstSync, p.LastOut, p.LastSeen, p.LastIn)
	return p, nil
}

// AddPair adds a pair. A pair without an id gets the next one.
func (c *Connector) AddPair(p *Pair) {
	if p.ID == 0 {
		c.In.Server.IDs.pair++
		p.ID = c.In.Server.IDs.pair
	}
	c.In.Server.IDs.pair = max(c.In.Server.IDs.pair, p.ID)
	c.ByLocal[p.Local], c.ByRemote[p.Remote] = p, p
	at, _ := slices.BinarySearchFunc(c.Pairs, p.ID, func(x *Pair, id int64) int { return int(x.ID - id) })
	c.Pairs = slices.Insert(c.Pairs, at, p)
}

// RemovePair removes a pair.
func (c *Connector) RemovePair(p *Pair) {
	delete(c.ByLocal, p.Local)
	delete(c.ByRemote, p.Remote)
	c.Pairs = slices.DeleteFunc(c.Pairs, func(x *Pair) bool { return x == p })
}

// DuplicateError says that an issue is already paired.
type DuplicateError struct{ text string }

// Error implements error.
func (e *DuplicateError) Error() string { return e.text }

// CheckPairs reads entries that are to be imported into c, all or none of them. It does not add them.
//
// ASSUMED, as the page only says "an array of sync information": an entry may have the connectorKey and id of an
// older synchronization (the guide's merged file keeps both), entries get new ids, both issues must exist, and an
// issue that is already paired, or named twice, is refused.
func (c *Connector) CheckPairs(entries []json.RawMessage) ([]*Pair, error) {
	other := c.Peer()
	out := make([]*Pair, 0, len(entries))
	local, remote := map[string]bool{}, map[string]bool{}
	for n, raw := range entries {
		p, err := ParsePair(raw)
		if err != nil {
			return nil, fmt.Errorf("entry %d %w", n, err)
		}
		if ProjectOf(p.Local) != c.Project {
			return nil, fmt.Errorf("entry %d: issue %s is not in project %s of connector %s", n, p.Local, c.Project, c.Key)
		}
		if c.Jira.Issue(p.Local) == nil {
			return nil, fmt.Errorf("entry %d: issue %s does not exist", n, p.Local)
		}
		if other != nil && (ProjectOf(p.Remote) != other.Project || other.Jira.Issue(p.Remote) == nil) {
			return nil, fmt.Errorf("entry %d: issue %s does not exist in project %s of the partner", n, p.Remote,
				other.Project)
		}
		if local[p.Local] || remote[p.Remote] {
			return nil, fmt.Errorf("entry %d: %s or %s is named twice", n, p.Local, p.Remote)
		}
		if c.ByLocal[p.Local] != nil || c.ByRemote[p.Remote] != nil {
			return nil, &DuplicateError{fmt.Sprintf("entry %d: %s or %s is paired already", n, p.Local, p.Remote)}
		}
		local[p.Local], remote[p.Remote] = true, true
		p.ID = 0
		out = append(out, p)
	}
	return out, nil
}
