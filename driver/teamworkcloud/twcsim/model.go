package twcsim

import (
	"crypto/tls"
	"sync"
	"time"
)

// World is a set of simulated Teamwork Cloud servers and the machines behind them. All of its methods may be called by
// several goroutines at once.
type World struct {
	mu      sync.Mutex
	now     time.Time
	clock   *clock           // the same, for who does not wait
	ticked  bool             // the clock has been set since the seed
	ids     map[string]int64 // how many of each kind were made while it runs; deterministic
	servers map[string]*server

	authorities map[string]*authority
}

// server is one Teamwork Cloud with its web application.
type server struct {
	name        string
	url         string // of REST, as SetURL gave it
	release     release
	versionText string
	env         *seedEnv
	syncAddress string // host by which other servers' configurations name it
	plainPort   int
	tlsPort     int
	tls         bool // the encrypted client port is on
	issued      *issued
	presents    *presented        // on the encrypted port; nil: nothing, or as assumed
	assumes     bool              // a seed has opened the encrypted port and says nothing of a certificate: one that everybody trusts
	assumed     *presented        // that one, once somebody has looked
	blocked     bool              // a firewall closes the encrypted port
	ports       map[string]string // plain, tls: where the sandbox takes their connections
	shape       string            // of ld+json lists: plain or pairs
	paging      string
	dates       string

	licences   int
	sessionFor time.Duration
	sessions   map[string]*session // by id

	users          []*user
	roles          []*role
	categories     []*category
	resources      []*resource // the removed ones too
	configurations []*configuration
	deleted        map[string]bool // item -> kept its resources: configurations that the page has deleted, as people remember them
	defects        []*defect
	machine        *machine // nil: nobody can reach it over SSH; its services run all the same
	desk           *machine // as somebody finds it who stands before it, whether or not it can be reached
	services       *services
}

// services are what runs on a server's machine, whether or not it can be reached.
type services struct {
	running   map[string]bool // twcloud, webapp, zookeeper, authserver, cassandra
	readyAt   time.Time       // when a started server answers
	started   map[string]time.Time
	failed    map[string]bool // could not be started
	boot      time.Time       // of the machine, in whole seconds
	server    serverSettings  // as loaded
	pages     pageSettings
	backedUp  bool
	announced bool
}

type machine struct {
	home    string
	sudo    bool // the login may use sudo
	fs      *timedFiles
	at      places
	aliases map[string][]string // of the keystores that State has opened, by their bytes
	address string              // as SetSSH gave it
	key     []byte
	known   []byte
}

// issued is the certificate that a seed gives a server.
type issued struct {
	*keyPair
	by          *authority // nil: self-signed
	names       []string
	keyType     string
	env, keyEnv string

	password, passwordEnv string // of the keystore that is installed
}

// presented is what the encrypted port for clients has been given.
type presented struct {
	keystore       []byte
	name, password string
	certificate    tls.Certificate
}

type session struct {
	id, user string
	until    time.Time
	person   bool // a modelling tool's or the web page's, not a REST client's
}

type user struct {
	name, password string
	token          string // personal access token
	oauth          string // OAuth 2.0 access token
	grants         []grant
}

// grant is a role a user has: everywhere, or on categories and resources alone (ids).
type grant struct {
	role       string
	global     bool
	categories []string
	resources  []string
}

type role struct {
	id, name    string
	globalOnly  bool // it is held everywhere or not at all
	permissions []permission
}

type permission struct{ id, name, display string }

type category struct{ id, name, description, parent string }

// resource is a project, on the server it was made on or as a copy.
type resource struct {
	id, projectID, localID string
	name, description      string
	category               string
	removed                bool   // marked as deleted
	readOnly               bool   // a copy that a configuration brought
	source                 string // the server it was copied from; "" for an original
	syncedTo               int    // of a copy: the number, there, of the newest revision that was copied
	branches               []*branch
	revisions              []*revision // by number
	tags                   []*tag
	locks                  []*lock
}

type branch struct {
	id, name, author string
	start            int // the revision it begins after
	created          time.Time
}

type revision struct {
	number, parent, merged int
	branch                 string // id
	author, description    string
	created                time.Time
	origin                 int // the number on the server it was committed on; equal to number there
	copied                 int // of a copy: the number on the server it was copied from; 0 for what was committed here
}

type tag struct {
	id, name, description string
	revision              int
}

type lock struct{ user, branch, element string }

// configuration is a remote resource configuration of a target.
type configuration struct {
	id             string
	source         string // server name
	kind           string // resource or category
	item           string // id on the source
	targetCategory string // id
	trigger, tag   string
	user           string // of the source
	owner          string // of the target: who made it
	tls            bool
	port           int      // of the source, as the person's address led to it; 0: whichever fits
	status, reason string   // the words of the web page
	leftBehind     bool     // deleted on the page of an old release: it syncs no more, and still stands in the way
	wanted         bool     // synchronize now was pressed
	members        []string // resources it keeps in step
}

// defect is what a server's sync engine does wrong on purpose.
type defect struct {
	resource string // name or id
	what     string // lose, author, truncate, date, description, skip
	revision int
}

type release struct{ year, refresh, hotFix int }
