package backbone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// Facts reads the named facts again. A name is PATH.NAME. PATH is "self", "self.master" or "self.slave" for a sync,
// and "from.master", "from.slave" or "to" for a migration. NAME is integration, connector or configuration. Facts
// contacts only the servers of these paths.
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out, found := map[string]string{}, map[string]*located{} // the latter by path
	for _, name := range names {
		at := strings.LastIndex(name, ".")
		if at < 0 {
			return nil, fmt.Errorf("reading fact %q: unknown fact", name)
		}
		l, known := found[name[:at]]
		if !known {
			var err error
			if l, err = d.factEnd(ctx, r, name[:at]); err != nil {
				return nil, err
			}
			found[name[:at]] = l
		}
		var err error
		if out[name], err = fact(ctx, l, name[at+1:]); err != nil {
			return nil, fmt.Errorf("reading fact %q: %w", name, err)
		}
	}
	return out, nil
}

// configurationFact is the fact with the digest of a synchronization's configuration.
const configurationFact = "configuration"

// fact returns the value of one fact, "none" if nothing was found.
func fact(ctx context.Context, l *located, what string) (string, error) {
	switch {
	case what != "integration" && what != "connector" && what != configurationFact:
		return "", errors.New("unknown fact")
	case l == nil || !l.found():
		return "none", nil
	case what == "integration":
		return l.Key, nil
	case what == "connector":
		return l.First.Key, nil
	}
	i, c, err := l.client.integration(ctx, l.Key)
	if err != nil {
		return "", err
	}
	return (&syncSeen{integration: *i, Configuration: c}).digest(), nil
}

// unknownFact is the value of a fact that cannot be read. No step is planned with it.
const unknownFact = "unknown"

// digest returns a digest of the configuration, the role and the channel, to notice a change. If a part of them
// cannot be read, it includes the time of the last change. If that is unknown too, it returns unknownFact.
func (s *syncSeen) digest() string {
	parts := []any{s.Role, s.Channel, s.Configuration}
	if !s.readWhole() {
		if s.Changed.IsZero() {
			return unknownFact
		}
		parts = append(parts, s.Changed.UTC())
	}
	sum := sha256.Sum256([]byte(jsonText(parts)))
	return hex.EncodeToString(sum[:16])
}

// readWhole reports whether every part that digest compares is known.
func (s *syncSeen) readWhole() bool {
	c := s.Configuration
	return s.Role != "" && s.Channel != "" && c.IssueTypes != nil && c.Fields != nil && c.Comments != nil &&
		c.Attachments != nil && c.FirstJQL != nil && (s.Second == nil || c.SecondJQL != nil) &&
		!slices.ContainsFunc(c.Fields, func(f field) bool { return f.Direction == "" })
}

// factEnd finds the synchronization that a fact is about. It returns nil if it is no longer declared.
func (d *Driver) factEnd(ctx context.Context, r *schema.Resource, path string) (*located, error) {
	root, end, _ := strings.Cut(path, ".")
	if root == "self" {
		s, err := declared(decodeSync, r)
		if err != nil {
			return nil, err
		}
		return d.find(ctx, s, end)
	}
	m, err := declared(decodeMigration, r)
	switch {
	case err != nil:
		return nil, err
	case root == "to":
		return d.find(ctx, m.to, first)
	case root != "from" || end != master && end != slave:
		return nil, fmt.Errorf("reading facts: %s has no end %q", r.Addr, path)
	case m.from == nil:
		return nil, nil
	}
	return d.find(ctx, m.from, end)
}
