package state

import (
	"fmt"
	"strconv"
	"strings"
)

// NewProject adds an empty project.
func (s *Server) NewProject(key, name string, types []string) *Project {
	if name == "" {
		name = key
	}
	p := &Project{ID: fmt.Sprint(10100 + len(s.Projects)), Key: key, Name: name, IssueTypes: types,
		ByKey: map[string]*Issue{}, Next: 1}
	s.Projects[key] = p
	return p
}

// Permissions of users.
const (
	SystemAdmin  = "system_admin"
	ProjectAdmin = "project_admin"
	NoPermission = "none"
)

// Env names the environment variables that tell a configuration about a server.
type Env struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Account  string `json:"account"`
}

// Server is one Jira, with its Backbone if it has one.
type Server struct {
	Name          string
	URL           string // with the context path
	ContextPath   string
	Cloud         bool
	Backbone      string // version, empty without Backbone
	Jira          string
	Verbs         []string
	RequireXSRF   bool
	StatusInLists bool
	SearchPage    int // the most issues on a page of a search; 0: Jira's own limits
	StatusEnum    bool
	RefuseRepeat  bool
	RefuseAdmins  bool
	SyncUser      string
	Env           *Env
	Projects      map[string]*Project
	Integrations  []*Integration
	IDs           Counters

	users   []*User
	byName  map[string]*User
	byEmail map[string]*User // by folded
	admin   *User            // the first system administrator
}

// Counters holds the last id that was used in each table of one Jira's database.
type Counters struct {
	Issue, Comment, Attachment, Integration, Connector, pair, Mapping int64
}

// Next increments a counter and returns the new id.
func Next(counter *int64) string {
	*counter++
	return strconv.FormatInt(*counter, 10)
}

// Taken advances a counter past an id that is in use.
func Taken(counter *int64, id string) {
	if n, err := strconv.ParseInt(id, 10, 48); err == nil {
		*counter = max(*counter, n)
	}
}

// User is an account of a Jira.
type User struct {
	Name, Display, Email, Password, Token string
	Hidden                                bool
	Permission                            string
	Projects                              []string
}

// AddUser adds a user. The name must not be in use, and neither it nor the email address changes later.
func (s *Server) AddUser(u *User) {
	if s.byName == nil {
		s.byName, s.byEmail = map[string]*User{}, map[string]*User{}
	}
	s.users = append(s.users, u)
	s.byName[u.Name] = u
	if email := folded(u.Email); email != "" && s.byEmail[email] == nil {
		s.byEmail[email] = u
	}
	if s.admin == nil && u.Permission == SystemAdmin {
		s.admin = u
	}
}

// folded returns an email address in the form in which it is compared: case does not count.
func folded(email string) string { return strings.ToLower(strings.ToUpper(email)) }

// Users returns the users in the order in which they were added.
func (s *Server) Users() []*User { return s.users }

// User returns a user by name, or nil if there is none.
func (s *Server) User(name string) *User { return s.byName[name] }

// UserByEmail returns the first user with an email address, or nil if there is none.
func (s *Server) UserByEmail(email string) *User { return s.byEmail[folded(email)] }

// Admin returns the first system administrator, or nil if there is none.
func (s *Server) Admin() *User { return s.admin }

// Integration returns a synchronization by its key, or nil if there is none.
func (s *Server) Integration(key string) *Integration {
	for _, in := range s.Integrations {
		if in.Key == key {
			return in
		}
	}
	return nil
}

// Connector returns a connector by its key, or nil if there is none.
func (s *Server) Connector(key string) *Connector {
	for _, in := range s.Integrations {
		for _, c := range in.Connectors {
			if c.Key == key {
				return c
			}
		}
	}
	return nil
}
