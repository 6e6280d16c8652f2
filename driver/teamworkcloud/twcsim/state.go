package twcsim

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
)

// dump is a JSON object.
type dump = map[string]any

// State gives everything that is in the World, for dumps and comparisons: JSON-encodable, always in the same order, times
// in RFC 3339. Passwords, tokens, ids of sessions, addresses and keys of machines are not in it; sessions are counted by
// user, files of machines have a size and a hash, and their logs are left out. The result shares nothing with the World.
func (w *World) State() any {
	w.mu.Lock()
	defer w.mu.Unlock()
	servers := dump{}
	for name, s := range w.servers {
		s.expire(w.now)
		servers[name] = s.state()
	}
	return dump{"servers": servers}
}

// each makes a list of states, never null. Things are in the order they came, which is the same in each run, or in that of
// the text that by gives: what several people or programs make at the same time comes in any order.
func each[T any](list []T, state func(T) dump, by func(T) string) []any {
	if by != nil {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(by(a), by(b)) })
	}
	out := []any{}
	for _, one := range list {
		out = append(out, state(one))
	}
	return out
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	slices.Sort(out)
	return out
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *server) state() dump {
	sessions := map[string]int{}
	for _, one := range s.sessions {
		sessions[one.user]++
	}
	running := []string{}
	for unit, on := range s.services.running {
		if on {
			running = append(running, unit)
		}
	}
	slices.Sort(running)
	out := dump{
		"version": s.release.String(), "sync_address": s.syncAddress, "client_tls": s.clientTLSState(), "licences": s.licences, "sessions": sessions,
		"services":   dump{"running": running, "backed_up": s.services.backedUp, "announced": s.services.announced},
		"users":      each(s.users, s.userState, func(u *user) string { return u.name }),
		"categories": each(s.categories, s.categoryState, func(c *category) string { return s.path(c.id) }),
		"resources":  each(s.resources, s.resourceState, func(r *resource) string { return r.id }),
		"configurations": each(s.configurations, s.configurationState, func(c *configuration) string {
			return strings.Join([]string{c.source, c.kind, c.item, c.id}, " ")
		}),
	}
	if s.machine != nil {
		out["files"] = s.machine.files()
	}
	return out
}

func (s *server) userState(u *user) dump {
	roles := each(u.grants, func(g grant) dump {
		return dump{
			"role": s.role(g.role).name, "everywhere": g.global, "categories": sorted(g.categories),
			"resources": append([]string{}, g.resources...),
		}
	}, nil)
	return dump{"name": u.name, "roles": roles}
}

func (s *server) categoryState(c *category) dump {
	return dump{"id": c.id, "path": s.path(c.id), "description": c.description}
}

func (s *server) resourceState(r *resource) dump {
	return dump{
		"id": r.id, "project_id": r.projectID, "local_id": r.localID, "name": r.name, "description": r.description,
		"category": s.path(r.category), "removed": r.removed, "read_only": r.readOnly, "source": r.source,
		"branches": each(r.branches, func(b *branch) dump {
			return dump{"id": b.id, "name": b.name, "author": b.author, "from": b.start, "created": moment(b.created)}
		}, nil),
		"revisions": each(r.revisions, func(v *revision) dump {
			return dump{
				"number": v.number, "parent": v.parent, "merged": v.merged, "branch": v.branch, "author": v.author,
				"description": v.description, "created": moment(v.created), "origin": v.origin,
			}
		}, nil),
		"tags": each(r.tags, func(t *tag) dump {
			return dump{"id": t.id, "name": t.name, "description": t.description, "revision": t.revision}
		}, nil),
		"locks": each(r.locks, func(l *lock) dump {
			return dump{"user": l.user, "branch": l.branch, "element": l.element}
		}, nil),
	}
}

func (s *server) configurationState(c *configuration) dump {
	return dump{
		"id": c.id, "source": c.source, "kind": c.kind, "item": c.item, "target_category": s.path(c.targetCategory),
		"trigger": c.trigger, "tag": c.tag, "user": c.user, "owner": c.owner, "tls": c.tls, "port": c.port, "status": c.status,
		"reason": c.reason, "left_behind": c.leftBehind, "members": sorted(c.members),
	}
}

// clientTLSState tells nothing of what is another certificate in each world.
func (s *server) clientTLSState() dump {
	out := dump{"enabled": s.tls, "port": s.tlsPort}
	if s.presents == nil {
		return out
	}
	if c, err := x509.ParseCertificate(s.presents.certificate.Certificate[0]); err == nil {
		out["certificate"] = dump{"subject": c.Subject.String(), "issuer": c.Issuer.String(), "names": sorted(c.DNSNames)}
	}
	return out
}

// files tells files apart without showing what may be secret in them. Logs and backups are left out: they tell when and how often
// something was done, which two runs that end the same do not have in common. Of keystores, which have other bytes each time, there
// are the aliases that can be read without a password.
func (m *machine) files() dump {
	out := dump{}
	err := afero.Walk(m.fs, "/", func(name string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() || path.Base(path.Dir(name)) == "logs" || path.Ext(name) == ".bak" || name == bootFile {
			return err
		}
		content, err := afero.ReadFile(m.fs, name)
		if err != nil {
			return err
		}
		if isKeystore(name, content) {
			out[name] = m.keystoreState(content)
			return nil
		}
		out[name] = dump{"size": len(content), "sha256": fmt.Sprintf("%.6x", sha256.Sum256(content))}
		return nil
	})
	if err != nil {
		out["error"] = err.Error() // a file went away meanwhile: whoever compares sees it
	}
	return out
}

func (m *machine) keystoreState(content []byte) dump {
	out := dump{"kind": "keystore"}
	key := string(content)
	aliases, known := m.aliases[key]
	if !known {
		aliases, _ = aliasesIn(content)
		m.aliases[key] = aliases
	}
	if aliases != nil {
		out["aliases"] = aliases
	}
	return out
}
