package state

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
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
)

// dump is a JSON object.
type dump = map[string]any

// State returns everything in the World, for dumps and comparisons: JSON-encodable, always in the same order, with
// times in RFC 3339. It leaves out passwords, tokens, session IDs, and addresses and keys of machines. Sessions are
// counted by user, files of machines have a size and a hash, and logs are left out. The result shares nothing with the
// World.
func (w *World) State() any {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	servers := dump{}
	for name, s := range w.Named {
		s.Expire(w.Now)
		servers[name] = s.state()
	}
	return dump{"servers": servers}
}

// each returns a list of states, never nil. They are sorted by the text that by returns, because things that several
// people or programs create at the same time have no fixed order. If by is nil, they keep their order, which is the
// same in each run.
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

func (s *Server) state() dump {
	sessions := map[string]int{}
	for _, one := range s.Sessions {
		sessions[one.User]++
	}
	running := []string{}
	for unit, on := range s.Services.Running {
		if on {
			running = append(running, unit)
		}
	}
	slices.Sort(running)
	out := dump{
		"version": s.Release.String(), "sync_address": s.SyncAddress, "client_tls": s.clientTLSState(),
		"licences": s.Licences, "sessions": sessions,
		"services":   dump{"running": running, "backed_up": s.Services.BackedUp, "announced": s.Services.Announced},
		"users":      each(s.Users, s.userState, func(u *User) string { return u.Name }),
		"categories": each(s.Categories, s.categoryState, func(c *Category) string { return s.Path(c.ID) }),
		"resources":  each(s.Resources, s.resourceState, func(r *Resource) string { return r.ID }),
		"configurations": each(s.Configurations, s.configurationState, func(c *Configuration) string {
			return strings.Join([]string{c.Source, c.Kind, c.Item, c.ID}, " ")
		}),
	}
	if len(s.Groups) > 0 {
		out["groups"] = each(s.Groups, func(g *Group) dump {
			return dump{"name": g.Name, "users": sorted(g.Users), "roles": s.grantsState(g.Grants)}
		}, func(g *Group) string { return g.Name })
	}
	if s.Machine != nil {
		out["files"] = s.Machine.files()
	}
	return out
}

func (s *Server) userState(u *User) dump {
	return dump{"name": u.Name, "roles": s.grantsState(u.Grants)}
}

func (s *Server) grantsState(grants []Grant) []any {
	return each(grants, func(g Grant) dump {
		return dump{
			"role": s.Role(g.Role).Name, "everywhere": g.Global, "categories": sorted(g.Categories),
			"resources": append([]string{}, g.Resources...),
		}
	}, nil)
}

func (s *Server) categoryState(c *Category) dump {
	return dump{"id": c.ID, "path": s.Path(c.ID), "description": c.Description}
}

func (s *Server) resourceState(r *Resource) dump {
	return dump{
		"id": r.ID, "project_id": r.ProjectID, "local_id": r.LocalID, "name": r.Name, "description": r.Description,
		"category": s.Path(r.Category), "removed": r.Removed, "read_only": r.ReadOnly, "source": r.Source,
		"branches": each(r.Branches, func(b *Branch) dump {
			return dump{"id": b.ID, "name": b.Name, "author": b.Author, "from": b.Start, "created": moment(b.Created)}
		}, nil),
		"revisions": each(r.Revisions, func(v *Revision) dump {
			return dump{
				"number": v.Number, "parent": v.Parent, "merged": v.Merged, "branch": v.Branch, "author": v.Author,
				"description": v.Description, "created": moment(v.Created), "origin": v.Origin,
			}
		}, nil),
		"tags": each(r.Tags, func(t *Tag) dump {
			return dump{"id": t.ID, "name": t.Name, "description": t.Description, "revision": t.Revision}
		}, nil),
		"locks": each(r.Locks, func(l *Lock) dump {
			return dump{"user": l.User, "branch": l.Branch, "element": l.Element}
		}, nil),
	}
}

func (s *Server) configurationState(c *Configuration) dump {
	return dump{
		"id": c.ID, "source": c.Source, "kind": c.Kind, "item": c.Item, "target_category": s.Path(c.TargetCategory),
		"trigger": c.Trigger, "tag": c.Tag, "user": c.User, "owner": c.Owner, "tls": c.TLS, "port": c.Port,
		"status": c.Status,
		"reason": c.Reason, "left_behind": c.LeftBehind, "members": sorted(c.Members),
	}
}

// clientTLSState leaves out what differs between worlds, because each has other certificates.
func (s *Server) clientTLSState() dump {
	out := dump{"enabled": s.TLS, "port": s.TLSPort}
	if s.Presents == nil {
		return out
	}
	if c, err := x509.ParseCertificate(s.Presents.Certificate.Certificate[0]); err == nil {
		out["certificate"] = dump{"subject": c.Subject.String(), "issuer": c.Issuer.String(), "names": sorted(c.DNSNames)}
	}
	return out
}

// files describes files so that different ones can be distinguished, but without showing possible secrets. It leaves
// out logs and backups, which say when and how often something was done: that differs between two runs with the same
// result. Keystores have different bytes each time, so it shows the aliases that can be read without a password.
func (m *Machine) files() dump {
	out := dump{}
	err := afero.Walk(m.FS, "/", func(name string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() || path.Base(path.Dir(name)) == "logs" || path.Ext(name) == ".bak" ||
			name == bootFile {
			return err
		}
		content, err := afero.ReadFile(m.FS, name)
		if err != nil {
			return err
		}
		if IsKeystore(name, content) {
			out[name] = m.keystoreState(content)
			return nil
		}
		out[name] = dump{"size": len(content), "sha256": fmt.Sprintf("%.6x", sha256.Sum256(content))}
		return nil
	})
	if err != nil {
		out["error"] = err.Error() // a file was removed meanwhile: whoever compares sees it
	}
	return out
}

func (m *Machine) keystoreState(content []byte) dump {
	out := dump{"kind": "keystore"}
	key := string(content)
	aliases, known := m.aliases[key]
	if !known {
		aliases, _ = keystore.AliasesIn(content)
		m.aliases[key] = aliases
	}
	if aliases != nil {
		out["aliases"] = aliases
	}
	return out
}
