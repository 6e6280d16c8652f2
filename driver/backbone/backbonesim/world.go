package backbonesim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// World is a set of simulated Jiras. All of its methods may be called by several goroutines at once.
type World struct {
	mu      sync.Mutex
	now     time.Time
	last    int64 // the newest stamp, epoch milliseconds
	servers map[string]*server
	assumed bool
	layout  string // of Backbone's dates
	batch   int
}

// Servers gives the names of the simulated Jiras, sorted.
func (w *World) Servers() []string {
	return slices.Sorted(maps.Keys(w.servers))
}

// SetURL tells a server the base URL that it is served under, without its context path. Unknown servers are ignored.
func (w *World) SetURL(name, url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[name]; s != nil {
		url = strings.TrimRight(url, "/")
		s.url = strings.TrimSuffix(url, s.contextPath) + s.contextPath
	}
}

// Environment gives the environment variables through which a configuration learns a server's base URL and
// credentials, as the seed names them. It is the only method that hands out secrets.
func (w *World) Environment(name string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.servers[name]
	out := map[string]string{}
	if s == nil || s.env == nil {
		return out
	}
	u := s.user(s.env.Account)
	login := u.name
	if s.cloud {
		login = u.email
	}
	for variable, value := range map[string]string{
		s.env.URL: s.url, s.env.User: login, s.env.Password: u.password, s.env.Token: u.token,
	} {
		if variable != "" {
			out[variable] = value
		}
	}
	return out
}

// Tick lets time pass up to now, never back: the customer's job carries messages between the halves of email and file
// synchronizations, and every running synchronization looks for changes and applies what has arrived.
func (w *World) Tick(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.After(w.now) {
		w.now = now
	}
	integrations := w.integrations()
	for _, in := range integrations {
		w.deliver(in, false)
	}
	for _, in := range integrations {
		for _, c := range in.connectors {
			w.process(c)
		}
	}
	for _, in := range integrations {
		for _, c := range in.connectors {
			w.scan(c)
		}
	}
}

// integrations lists every synchronization of every server in a fixed order.
func (w *World) integrations() []*integration {
	var out []*integration
	for _, name := range w.Servers() {
		out = append(out, w.servers[name].integrations...)
	}
	return out
}

// stamp gives the time in epoch milliseconds, each time a later one: what has happened can then be told apart from
// what has been sent by its time alone, as Backbone's own pair data does.
func (w *World) stamp() int64 {
	w.last = max(w.now.UnixMilli(), w.last+1)
	return w.last
}

type server struct {
	name          string
	url           string // with the context path
	contextPath   string
	cloud         bool
	backbone      string // version, empty without Backbone
	jira          string
	verbs         []string
	requireXSRF   bool
	statusInLists bool
	statusEnum    bool
	refuseRepeat  bool
	refuseAdmins  bool
	syncUser      string
	env           *seedEnv
	users         []*user
	projects      map[string]*project
	integrations  []*integration
	ids           counters
}

// counters hold the last id given out by each table of one Jira's database.
type counters struct {
	issue, comment, attachment, integration, connector, pair, mapping int64
}

func next(counter *int64) string {
	*counter++
	return strconv.FormatInt(*counter, 10)
}

// taken moves a counter past an id that is in use.
func taken(counter *int64, id string) {
	if n, err := strconv.ParseInt(id, 10, 48); err == nil {
		*counter = max(*counter, n)
	}
}

type user struct {
	name, display, email, password, token string
	hidden                                bool
	permission                            string
	projects                              []string
}

func (s *server) user(name string) *user {
	for _, u := range s.users {
		if u.name == name {
			return u
		}
	}
	return nil
}

func (s *server) userByEmail(email string) *user {
	for _, u := range s.users {
		if email != "" && strings.EqualFold(u.email, email) {
			return u
		}
	}
	return nil
}

func (s *server) admin() *user {
	for _, u := range s.users {
		if u.permission == systemAdmin {
			return u
		}
	}
	return nil
}

func (s *server) integration(key string) *integration {
	for _, in := range s.integrations {
		if in.key == key {
			return in
		}
	}
	return nil
}

func (s *server) connector(key string) *connector {
	for _, in := range s.integrations {
		for _, c := range in.connectors {
			if c.key == key {
				return c
			}
		}
	}
	return nil
}

// issue finds an issue by its key; nil if there is none.
func (s *server) issue(key string) *issue {
	if p := s.projects[projectOf(key)]; p != nil {
		return p.byKey[key]
	}
	return nil
}

// projectOf is the part of an issue key before the number: "SAM2" of "SAM2-1".
func projectOf(issueKey string) string {
	i := strings.LastIndexByte(issueKey, '-')
	if i < 0 {
		return ""
	}
	return issueKey[:i]
}

type project struct {
	id         string
	key, name  string
	issueTypes []string
	issues     []*issue // by number
	byKey      map[string]*issue
	next       int
	changed    int64 // stamp of the newest change
}

func (p *project) add(i *issue) {
	n, _ := strconv.Atoi(i.key[len(p.key)+1:])
	i.number = n
	p.next = max(p.next, n+1)
	p.byKey[i.key] = i
	at, _ := slices.BinarySearchFunc(p.issues, n, func(x *issue, n int) int { return x.number - n })
	p.issues = slices.Insert(p.issues, at, i)
}

type issue struct {
	id, key, typ string
	number       int
	fields       map[string]string // status, summary, assignee, ...: by Jira's names
	created      int64
	updated      int64
	comments     []*comment
	attachments  []*attachment
	changes      []change
	panels       map[string]*panel // by server and integration key
}

type comment struct {
	id, author, body string
	created          int64
}

type attachment struct {
	id, filename, author string
	size, created        int64
}

// change is what a Backbone could have to send. Field is "" for a comment.
type change struct {
	at         int64
	user       string
	field      string
	attachment string
}

// panel is what the sync info panel of an issue shows about one synchronization (W/5.22/cloud/sync-panel).
type panel struct {
	partner              string
	lastSent, lastGotten int64
}

func (p *project) changedBy(i *issue, c change) {
	i.changes = append(i.changes, c)
	i.updated = c.at
	p.changed = c.at
}

func (i *issue) panel(key string) *panel {
	if i.panels[key] == nil {
		i.panels[key] = &panel{}
	}
	return i.panels[key]
}
