// Package build makes a world from its seed. It is strict: errors in the seed are reported with their place.
package build

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/engine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

// World makes a World from a seed, which twcsim's package comment describes. Errors in its JSON have line and column,
// others the member.
func World(data []byte) (*state.World, error) {
	var in seedWorld
	if err := seed.Decode(data, &in); err != nil {
		return nil, fmt.Errorf("read the seed of twcsim: %w", err)
	}
	w := &state.World{Named: map[string]*state.Server{}, IDs: map[string]int64{},
		Authorities: map[string]*keystore.Authority{}, Clock: &state.Clock{}}
	if err := build(w, &in); err != nil {
		return nil, fmt.Errorf("read the seed of twcsim: %w", err)
	}
	return w, nil
}

func build(w *state.World, in *seedWorld) error {
	now, err := instant(in.Now, time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	if err != nil {
		return fmt.Errorf("now: %w", err)
	}
	w.SetNow(now)
	if len(in.Servers) == 0 {
		return errors.New("servers: there is none")
	}
	if err := buildAuthorities(w, in.Authorities); err != nil {
		return err
	}
	if err := checkGenerated(in); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(in.Servers))
	for _, name := range names {
		if in.Servers[name] == nil {
			return fmt.Errorf("servers.%s: is null", name)
		}
		s, err := buildServer(w, name, in.Servers[name])
		if err != nil {
			return fmt.Errorf("servers.%s: %w", name, err)
		}
		w.Named[name] = s
	}
	for i, name := range names { // what refers to other servers
		s := w.Named[name]
		for _, other := range names[:i] {
			if strings.EqualFold(w.Named[other].SyncAddress, s.SyncAddress) {
				return fmt.Errorf("servers.%s: sync_address: %s is that of %s", name, s.SyncAddress, other)
			}
		}
		for n, c := range in.Servers[name].Configurations {
			if err := buildConfiguration(w, s, c); err != nil {
				return fmt.Errorf("servers.%s: configurations[%d]: %w", name, n, err)
			}
		}
		alignCopies(s, w)
	}
	return nil
}

// checkGenerated refuses a seed whose generated histories have more than maxGenerated revisions together.
func checkGenerated(in *seedWorld) error {
	left := maxGenerated
	for _, name := range slices.Sorted(maps.Keys(in.Servers)) {
		if in.Servers[name] == nil {
			continue
		}
		for n, r := range in.Servers[name].Resources {
			if r == nil || r.Generate == nil || r.Generate.Revisions < 1 {
				continue
			}
			if r.Generate.Revisions > left && left < maxGenerated {
				return fmt.Errorf("servers.%s: resources[%d]: generate: all together have more than %d revisions", name, n,
					maxGenerated)
			}
			left -= min(left, r.Generate.Revisions)
		}
	}
	return nil
}

// alignCopies takes over the copies in a seed before the world is used. If that were left to the first
// synchronization, IDs of branches would change while somebody reads them. What is not a copy is refused later by the
// engine.
func alignCopies(s *state.Server, w *state.World) {
	for _, c := range s.Configurations {
		source := w.Named[c.Source]
		for _, mine := range s.Resources {
			from := source.Resource(mine.ID)
			if from == nil || from.ID != mine.ID || !mine.ReadOnly || mine.Source != "" || mine.Removed {
				continue
			}
			if c.Item == from.ID || c.Item == from.Category {
				_ = engine.Adopt(mine, from, c.Source)
			}
		}
	}
}

// instant reads a time in the seed, in milliseconds, the precision of the database.
func instant(text string, otherwise time.Time) (time.Time, error) {
	t, err := seed.Instant(text, otherwise)
	if text != "" {
		t = t.UTC().Truncate(time.Millisecond)
	}
	return t, err
}

// within returns the value, or usual if there is none. It returns an error if the value is out of range.
func within(member string, value *int, usual, least, most int) (int, error) {
	if value == nil {
		return usual, nil
	}
	if *value < least || *value > most {
		return 0, fmt.Errorf("%s: %d is not between %d and %d", member, *value, least, most)
	}
	return *value, nil
}

// identified checks an ID, or makes one from a text if there is none.
func identified(id, text string) (string, error) {
	if id == "" {
		return state.UUIDOf(text), nil
	}
	if !state.UUIDForm.MatchString(id) {
		return "", fmt.Errorf("id: %q is not a UUID in small letters", id)
	}
	return id, nil
}

func buildServer(w *state.World, name string, in *seedServer) (*state.Server, error) {
	if name == "" || strings.ContainsAny(name, "/ ") {
		return nil, errors.New("a server's name has no slash and no blank")
	}
	r, ok := state.ParseRelease(in.Version)
	if !ok {
		return nil, fmt.Errorf("version: %q is not a release like 2024x Refresh3", in.Version)
	}
	s := &state.Server{
		Name: name, Release: r, Env: in.Env, TLS: in.TLS, Sessions: map[string]*state.Session{},
		Roles:       state.PredefinedRoles(name),
		SyncAddress: in.SyncAddress, Assumes: in.TLS, Ports: map[string]string{},
	}
	if err := buildSwitches(s, in); err != nil {
		return nil, err
	}
	for n, c := range in.Categories {
		if err := buildCategory(s, c); err != nil {
			return nil, fmt.Errorf("categories[%d]: %w", n, err)
		}
	}
	for n, one := range in.Resources {
		if err := buildResource(w, s, one); err != nil {
			return nil, fmt.Errorf("resources[%d]: %w", n, err)
		}
	}
	for n, u := range in.Users {
		if err := buildUser(s, u); err != nil {
			return nil, fmt.Errorf("users[%d]: %w", n, err)
		}
	}
	for n, g := range in.Groups {
		if err := buildGroup(s, g); err != nil {
			return nil, fmt.Errorf("groups[%d]: %w", n, err)
		}
	}
	for n, d := range in.Defects {
		if d == nil || d.Resource == "" {
			return nil, fmt.Errorf("defects[%d]: needs a resource", n)
		}
		if err := seed.OneOf("what", &d.What, "lose", "author", "truncate", "date", "description", "skip"); err != nil {
			return nil, fmt.Errorf("defects[%d]: %w", n, err)
		}
		s.Defects = append(s.Defects, &state.Defect{Resource: d.Resource, What: d.What, Revision: d.Revision})
	}
	if err := buildEnv(s, in.Machine); err != nil {
		return nil, err
	}
	if err := buildCertificate(w, s, in.Certificate); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := buildMachine(w, s, in.Machine); err != nil {
		return nil, err
	}
	if err := install(s, in.Certificate); err != nil {
		return nil, fmt.Errorf("certificate.installed: %w", err)
	}
	if err := machine.Begin(s, w.Now); err != nil {
		return nil, err
	}
	return s, nil
}

func buildSwitches(s *state.Server, in *seedServer) (err error) {
	for _, err := range []error{
		seed.OneOf("answers", &in.Answers, state.AnswersPlain, state.AnswersPairs),
		seed.OneOf("paging", &in.Paging, state.PagingNumber, state.PagingPosition),
		seed.OneOf("resource_list", &in.ResourceList, state.ListingContainer, state.ListingArray),
		seed.OneOf("dates", &in.Dates, state.DatesSeconds, state.DatesMillis, state.DatesCompact, state.DatesText),
	} {
		if err != nil {
			return err
		}
	}
	s.Shape, s.Paging, s.Dates, s.Listing = in.Answers, in.Paging, in.Dates, in.ResourceList
	s.VersionText = fmt.Sprintf("Teamwork Cloud VERSION %s, OSMC VERSION %s, REVISION 4c1f09a", s.Release, s.Release)
	if in.VersionText != nil {
		s.VersionText = *in.VersionText
	}
	if s.SyncAddress == "" {
		s.SyncAddress = "twc." + strings.ToLower(s.Name) + ".example"
	}
	if !state.HostForm.MatchString(s.SyncAddress) {
		return fmt.Errorf("sync_address: %q is not a host name; ports have a member of their own", s.SyncAddress)
	}
	var plain, encrypted *int
	if in.Ports != nil {
		plain, encrypted = in.Ports.Plain, in.Ports.TLS
	}
	if s.PlainPort, err = within("ports.plain", plain, 3579, 1, 65535); err != nil {
		return err
	}
	if s.TLSPort, err = within("ports.tls", encrypted, 10002, 1, 65535); err != nil {
		return err
	}
	if s.PlainPort == s.TLSPort {
		return fmt.Errorf("ports: both are %d", s.PlainPort)
	}
	if s.Licences, err = within("licences", in.Licences, 10, 0, 100_000); err != nil {
		return err
	}
	minutes, err := within("session_minutes", in.SessionMinutes, 15, 1, 60*24*365)
	s.SessionFor = time.Duration(minutes) * time.Minute
	return err
}

// buildCategory adds a category, and its ancestors unless they exist.
func buildCategory(s *state.Server, in *seedCategory) error {
	if in == nil || in.Path == "" {
		return errors.New("needs a path")
	}
	parent, path := "", ""
	names := strings.Split(in.Path, "/")
	for i, name := range names {
		if strings.TrimSpace(name) != name || name == "" {
			return fmt.Errorf("path: %q has an empty name, or blanks around one", in.Path)
		}
		last := i == len(names)-1
		path = strings.TrimPrefix(path+"/"+name, "/")
		if c := s.CategoryByPath(path); c != nil && !last {
			parent = c.ID
			continue
		} else if c != nil {
			return fmt.Errorf("path: %s appears twice, or after one that is in it", in.Path)
		}
		c := &state.Category{Name: name, Parent: parent, ID: state.UUIDOf("category " + s.Name + " " + path)}
		if last {
			var err error
			if c.ID, err = identified(in.ID, "category "+s.Name+" "+path); err != nil {
				return err
			}
			c.Description = in.Description
		}
		if s.Category(c.ID) != nil {
			return fmt.Errorf("id: %s appears twice", c.ID)
		}
		s.Categories = append(s.Categories, c)
		parent = c.ID
	}
	return nil
}

func buildUser(s *state.Server, in *seedUser) error {
	if in == nil || in.Name == "" || strings.ContainsAny(in.Name, ",: ") {
		return errors.New("needs a name without comma, colon and blank")
	}
	if s.User(in.Name) != nil {
		return fmt.Errorf("%s appears twice", in.Name)
	}
	for _, u := range s.Users {
		if in.Token != "" && u.Token == in.Token || in.OAuth != "" && u.Oauth == in.OAuth {
			return fmt.Errorf("%s has the token of %s", in.Name, u.Name)
		}
	}
	if in.OAuth != "" && !s.Release.Since(2024, 1, 0) { // facts 2.1: OAuth 2.0 since 2024xR1
		return errors.New("oauth_token: it came with 2024x Refresh1")
	}
	u := &state.User{Name: in.Name, Password: in.Password, Token: in.Token, Oauth: in.OAuth}
	var err error
	u.Grants, err = buildGrants(s, in.Roles)
	s.Users = append(s.Users, u)
	return err
}

func buildGroup(s *state.Server, in *seedGroup) error {
	if in == nil || in.Name == "" {
		return errors.New("needs a name")
	}
	id, err := identified(in.ID, "group "+s.Name+" "+in.Name)
	if err != nil {
		return err
	}
	if s.Group(id) != nil {
		return fmt.Errorf("%s appears twice", in.Name)
	}
	for _, name := range in.Users {
		if s.User(name) == nil {
			return fmt.Errorf("users: there is no %s", name)
		}
	}
	g := &state.Group{ID: id, Name: in.Name, Users: in.Users}
	g.Grants, err = buildGrants(s, in.Roles)
	s.Groups = append(s.Groups, g)
	return err
}

func buildGrants(s *state.Server, in []*seedRole) (out []state.Grant, err error) {
	for n, r := range in {
		g, err := buildGrant(s, r)
		if err != nil {
			return nil, fmt.Errorf("roles[%d]: %w", n, err)
		}
		out = append(out, g)
	}
	return out, nil
}

func buildGrant(s *state.Server, in *seedRole) (g state.Grant, err error) {
	if in == nil || s.Role(in.Role) == nil {
		return g, errors.New("role: it is not one of the predefined ones")
	}
	g = state.Grant{Role: s.Role(in.Role).ID, Global: len(in.Categories)+len(in.Resources) == 0}
	if !g.Global && s.Role(in.Role).GlobalOnly {
		return g, fmt.Errorf("role: %s has no categories and resources", in.Role)
	}
	for _, path := range in.Categories {
		c := s.CategoryByPath(path)
		if c == nil {
			return g, fmt.Errorf("categories: there is no %s", path)
		}
		g.Categories = append(g.Categories, c.ID)
	}
	for _, name := range in.Resources {
		r := s.Resource(name)
		if r == nil {
			return g, fmt.Errorf("resources: there is no %s", name)
		}
		g.Resources = append(g.Resources, r.ID)
	}
	return g, nil
}

func buildEnv(s *state.Server, m *seedMachine) error {
	if s.Env == nil {
		return nil
	}
	if s.Env.Account == "" && len(s.Users) > 0 {
		s.Env.Account = s.Users[0].Name
	}
	u := s.User(s.Env.Account)
	if u == nil {
		return fmt.Errorf("env: there is no user %q whose credentials could be given", s.Env.Account)
	}
	if s.Env.Password != "" && u.Password == "" || s.Env.Token != "" && u.Token+u.Oauth == "" {
		return fmt.Errorf("env: %s has no such credentials", u.Name)
	}
	if m == nil && s.Env.SSH+s.Env.SSHKey+s.Env.KnownHosts != "" {
		return errors.New("env: there is no machine to reach over SSH")
	}
	return nil
}
