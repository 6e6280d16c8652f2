package backbone

import (
	"context"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// Facts reads the named facts again: PATH.NAME where PATH is "self", "self.master" or "self.slave" for a sync, and
// "from.master", "from.slave" or "to" for a migration, and NAME is integration or connector. It contacts the
// servers of the paths alone.
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range names {
		at := strings.LastIndex(name, ".")
		if at < 0 {
			return nil, fmt.Errorf("reading fact %q: unknown fact", name)
		}
		l, err := d.factEnd(ctx, r, name[:at])
		if err != nil {
			return nil, err
		}
		value, ok := fact(l, name[at+1:])
		if !ok {
			return nil, fmt.Errorf("reading fact %q: unknown fact", name)
		}
		out[name] = value
	}
	return out, nil
}

// fact is "none" where nothing was found.
func fact(l *located, what string) (string, bool) {
	switch {
	case what != "integration" && what != "connector":
		return "", false
	case l == nil || !l.found():
		return "none", true
	case what == "integration":
		return l.Key, true
	}
	return l.First.Key, true
}

// factEnd finds what a fact is about, nil where it is not declared any more.
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
