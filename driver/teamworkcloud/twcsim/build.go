package twcsim

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/sandbox/seed"
)

// Open makes a World from a seed; doc.go describes it. Errors in its JSON name line and column, others the member.
func Open(data []byte) (*World, error) {
	var in seedWorld
	if err := seed.Decode(data, &in); err != nil {
		return nil, fmt.Errorf("read the seed of twcsim: %w", err)
	}
	w := &World{servers: map[string]*server{}, ids: map[string]int64{}, authorities: map[string]*authority{}, clock: &clock{}}
	if err := w.build(&in); err != nil {
		return nil, fmt.Errorf("read the seed of twcsim: %w", err)
	}
	return w, nil
}

func (w *World) build(in *seedWorld) error {
	now, err := instant(in.Now, time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	if err != nil {
		return fmt.Errorf("now: %w", err)
	}
	w.setNow(now)
	if len(in.Servers) == 0 {
		return errors.New("servers: there is none")
	}
	if err := w.buildAuthorities(in.Authorities); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(in.Servers))
	for _, name := range names {
		if in.Servers[name] == nil {
			return fmt.Errorf("servers.%s: is null", name)
		}
		s, err := w.buildServer(name, in.Servers[name])
		if err != nil {
			return fmt.Errorf("servers.%s: %w", name, err)
		}
		w.servers[name] = s
	}
	for i, name := range names { // what names other servers
		s := w.servers[name]
		for _, other := range names[:i] {
			if strings.EqualFold(w.servers[other].syncAddress, s.syncAddress) {
				return fmt.Errorf("servers.%s: sync_address: %s is that of %s", name, s.syncAddress, other)
			}
		}
		for n, c := range in.Servers[name].Configurations {
			if err := w.buildConfiguration(s, c); err != nil {
				return fmt.Errorf("servers.%s: configurations[%d]: %w", name, n, err)
			}
		}
		s.alignCopies(w)
	}
	return nil
}

// alignCopies takes over what a seed has copied already, before anybody looks: were it left to the first synchronization, ids of
// branches would change under a reader. What is no copy the engine refuses in its time.
func (s *server) alignCopies(w *World) {
	for _, c := range s.configurations {
		source := w.servers[c.source]
		for _, mine := range s.resources {
			from := source.resource(mine.id)
			if from == nil || from.id != mine.id || !mine.readOnly || mine.source != "" || mine.removed {
				continue
			}
			if c.item == from.id || c.item == from.category {
				_ = mine.adopt(from, c.source)
			}
		}
	}
}

// instant reads a time of the seed, to the millisecond as the database keeps it.
func instant(text string, otherwise time.Time) (time.Time, error) {
	t, err := seed.Instant(text, otherwise)
	if text != "" {
		t = t.UTC().Truncate(time.Millisecond)
	}
	return t, err
}

// within limits keeps a number in a range and puts in the usual one where none is given.
func within(member string, value *int, usual, least, most int) (int, error) {
	if value == nil {
		return usual, nil
	}
	if *value < least || *value > most {
		return 0, fmt.Errorf("%s: %d is not between %d and %d", member, *value, least, most)
	}
	return *value, nil
}

var (
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// identified checks an id and makes one from a text where none is given.
func identified(id, text string) (string, error) {
	if id == "" {
		return uuidOf(text), nil
	}
	if !uuidForm.MatchString(id) {
		return "", fmt.Errorf("id: %q is no UUID in small letters", id)
	}
	return id, nil
}

func (w *World) buildServer(name string, in *seedServer) (*server, error) {
	if name == "" || strings.ContainsAny(name, "/ ") {
		return nil, errors.New("a server's name has no slash and no blank")
	}
	r, ok := parseRelease(in.Version)
	if !ok {
		return nil, fmt.Errorf("version: %q is no release like 2024x Refresh3", in.Version)
	}
	s := &server{
		name: name, release: r, env: in.Env, tls: in.TLS, sessions: map[string]*session{}, roles: predefinedRoles(name),
		syncAddress: in.SyncAddress, assumes: in.TLS, ports: map[string]string{},
	}
	if err := s.buildSwitches(in); err != nil {
		return nil, err
	}
	for n, c := range in.Categories {
		if err := s.buildCategory(c); err != nil {
			return nil, fmt.Errorf("categories[%d]: %w", n, err)
		}
	}
	for n, one := range in.Resources {
		if err := w.buildResource(s, one); err != nil {
			return nil, fmt.Errorf("resources[%d]: %w", n, err)
		}
	}
	for n, u := range in.Users {
		if err := s.buildUser(u); err != nil {
			return nil, fmt.Errorf("users[%d]: %w", n, err)
		}
	}
	for n, d := range in.Defects {
		if d == nil || d.Resource == "" {
			return nil, fmt.Errorf("defects[%d]: needs a resource", n)
		}
		if err := seed.OneOf("what", &d.What, "lose", "author", "truncate", "date", "description", "skip"); err != nil {
			return nil, fmt.Errorf("defects[%d]: %w", n, err)
		}
		s.defects = append(s.defects, &defect{resource: d.Resource, what: d.What, revision: d.Revision})
	}
	if err := s.buildEnv(in.Machine); err != nil {
		return nil, err
	}
	if err := w.buildCertificate(s, in.Certificate); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := w.buildMachine(s, in.Machine); err != nil {
		return nil, err
	}
	if err := s.install(in.Certificate); err != nil {
		return nil, fmt.Errorf("certificate.installed: %w", err)
	}
	if err := s.begin(w.now); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *server) buildSwitches(in *seedServer) (err error) {
	for _, err := range []error{
		seed.OneOf("answers", &in.Answers, answersPlain, answersPairs),
		seed.OneOf("paging", &in.Paging, pagingNumber, pagingPosition),
		seed.OneOf("dates", &in.Dates, datesSeconds, datesMillis, datesCompact, datesText),
	} {
		if err != nil {
			return err
		}
	}
	s.shape, s.paging, s.dates = in.Answers, in.Paging, in.Dates
	s.versionText = fmt.Sprintf("Teamwork Cloud VERSION %s, OSMC VERSION %s, REVISION 4c1f09a", s.release, s.release)
	if in.VersionText != nil {
		s.versionText = *in.VersionText
	}
	if s.syncAddress == "" {
		s.syncAddress = "twc." + strings.ToLower(s.name) + ".example"
	}
	if !hostForm.MatchString(s.syncAddress) {
		return fmt.Errorf("sync_address: %q is no host name; ports have a member of their own", s.syncAddress)
	}
	var plain, encrypted *int
	if in.Ports != nil {
		plain, encrypted = in.Ports.Plain, in.Ports.TLS
	}
	if s.plainPort, err = within("ports.plain", plain, 3579, 1, 65535); err != nil {
		return err
	}
	if s.tlsPort, err = within("ports.tls", encrypted, 10002, 1, 65535); err != nil {
		return err
	}
	if s.plainPort == s.tlsPort {
		return fmt.Errorf("ports: both are %d", s.plainPort)
	}
	if s.licences, err = within("licences", in.Licences, 10, 0, 100_000); err != nil {
		return err
	}
	minutes, err := within("session_minutes", in.SessionMinutes, 15, 1, 60*24*365)
	s.sessionFor = time.Duration(minutes) * time.Minute
	return err
}

// buildCategory makes a category and those it is in, where they are not there.
func (s *server) buildCategory(in *seedCategory) error {
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
		if c := s.categoryByPath(path); c != nil && !last {
			parent = c.id
			continue
		} else if c != nil {
			return fmt.Errorf("path: %s is there twice, or after one that is in it", in.Path)
		}
		c := &category{name: name, parent: parent, id: uuidOf("category " + s.name + " " + path)}
		if last {
			var err error
			if c.id, err = identified(in.ID, "category "+s.name+" "+path); err != nil {
				return err
			}
			c.description = in.Description
		}
		if s.category(c.id) != nil {
			return fmt.Errorf("id: %s is there twice", c.id)
		}
		s.categories = append(s.categories, c)
		parent = c.id
	}
	return nil
}

func (s *server) buildUser(in *seedUser) error {
	if in == nil || in.Name == "" || strings.ContainsAny(in.Name, ",: ") {
		return errors.New("needs a name without comma, colon and blank")
	}
	if s.user(in.Name) != nil {
		return fmt.Errorf("%s is there twice", in.Name)
	}
	for _, u := range s.users {
		if in.Token != "" && u.token == in.Token || in.OAuth != "" && u.oauth == in.OAuth {
			return fmt.Errorf("%s has the token of %s", in.Name, u.name)
		}
	}
	if in.OAuth != "" && !s.release.since(2024, 1, 0) { // facts 2.1: OAuth 2.0 since 2024xR1
		return errors.New("oauth_token: it came with 2024x Refresh1")
	}
	u := &user{name: in.Name, password: in.Password, token: in.Token, oauth: in.OAuth}
	for n, r := range in.Roles {
		if err := s.buildGrant(u, r); err != nil {
			return fmt.Errorf("roles[%d]: %w", n, err)
		}
	}
	s.users = append(s.users, u)
	return nil
}

func (s *server) buildGrant(u *user, in *seedRole) error {
	if in == nil || s.role(in.Role) == nil {
		return errors.New("role: it is none of the predefined ones")
	}
	g := grant{role: s.role(in.Role).id, global: len(in.Categories)+len(in.Resources) == 0}
	if !g.global && s.role(in.Role).globalOnly {
		return fmt.Errorf("role: %s has no categories and resources", in.Role)
	}
	for _, path := range in.Categories {
		c := s.categoryByPath(path)
		if c == nil {
			return fmt.Errorf("categories: there is no %s", path)
		}
		g.categories = append(g.categories, c.id)
	}
	for _, name := range in.Resources {
		r := s.resource(name)
		if r == nil {
			return fmt.Errorf("resources: there is no %s", name)
		}
		g.resources = append(g.resources, r.id)
	}
	u.grants = append(u.grants, g)
	return nil
}

func (s *server) buildEnv(m *seedMachine) error {
	if s.env == nil {
		return nil
	}
	if s.env.Account == "" && len(s.users) > 0 {
		s.env.Account = s.users[0].name
	}
	u := s.user(s.env.Account)
	if u == nil {
		return fmt.Errorf("env: there is no user %q whose credentials could be given", s.env.Account)
	}
	if s.env.Password != "" && u.password == "" || s.env.Token != "" && u.token+u.oauth == "" {
		return fmt.Errorf("env: %s has no such credentials", u.name)
	}
	if m == nil && s.env.SSH+s.env.SSHKey+s.env.KnownHosts != "" {
		return errors.New("env: there is no machine to reach over SSH")
	}
	return nil
}
