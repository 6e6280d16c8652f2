package state

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
)

// Statuses in the words of the page (MCS/pages/247047420, since 2024xR1).
const (
	InQueue         = "In queue"
	NotSynchronized = "Not synchronized"
	Synchronized    = "Synchronized"
	Partly          = "Partially synchronized"
	InError         = "Error"
)

// Triggers and kinds of configurations, under the names that seeds and Person use.
const (
	EveryCommit = "every_commit" // "On every new commit"
	CommitTag   = "commit_tag"   // "On specific commit tag"
	ByHand      = "manual"       // "Manual"

	KindResource = "resource"
	KindCategory = "category"
)

// World is a set of simulated Teamwork Cloud servers and the machines behind them. All of its methods may be
// called by several goroutines at once.
type World struct {
	Mu     sync.Mutex
	Now    time.Time
	Clock  *Clock           // the same, for who does not wait
	Ticked bool             // the clock has been set since the seed
	IDs    map[string]int64 // how many of each kind were made while it runs; deterministic
	Named  map[string]*Server

	Authorities map[string]*keystore.Authority
}

// Server is one Teamwork Cloud with its web application.
type Server struct {
	Name        string
	URL         string // of REST, as SetURL gave it
	Release     Release
	VersionText string
	Env         *Env
	SyncAddress string // host by which other servers' configurations name it
	PlainPort   int
	TLSPort     int
	TLS         bool // the encrypted client port is on
	Issued      *Issued
	Presents    *Presented // on the encrypted port; nil: nothing, or as assumed
	// a seed has opened the encrypted port and says nothing of a certificate: one that everybody trusts
	Assumes bool
	Assumed *Presented        // that one, once somebody has looked
	Blocked bool              // a firewall closes the encrypted port
	Ports   map[string]string // plain, tls: where the sandbox takes their connections
	Shape   string            // of ld+json lists: plain or pairs
	Paging  string
	Listing string // how /osmc/resources lists: container or array
	Dates   string

	Licences   int
	SessionFor time.Duration
	Sessions   map[string]*Session // by id

	Users          []*User
	Groups         []*Group
	Roles          []*Role
	Categories     []*Category
	Resources      []*Resource // the removed ones too
	Configurations []*Configuration
	// item -> kept its resources: configurations that the page has deleted, as people remember them
	Deleted  map[string]bool
	Defects  []*Defect
	Machine  *Machine // nil: nobody can reach it over SSH; its services run all the same
	Desk     *Machine // as somebody finds it who stands before it, whether or not it can be reached
	Services *Services
}

// Services are what runs on a server's machine, whether or not it can be reached.
type Services struct {
	Running   map[string]bool // twcloud, webapp, zookeeper, authserver, cassandra
	ReadyAt   time.Time       // when a started server answers
	Started   map[string]time.Time
	Failed    map[string]bool // could not be started
	Boot      time.Time       // of the machine, in whole seconds
	Server    ServerSettings  // as loaded
	Pages     PageSettings
	BackedUp  bool
	Announced bool
}

// Machine is where a server runs: its files, and how it is reached.
type Machine struct {
	home    string
	Sudo    bool // the login may use sudo
	FS      *TimedFiles
	At      Places
	aliases map[string][]string // of the keystores that State has opened, by their bytes
	address string              // as SetSSH gave it
	key     []byte
	known   []byte
}

// Issued is the certificate that a seed gives a server.
type Issued struct {
	*keystore.KeyPair
	By          *keystore.Authority // nil: self-signed
	Names       []string
	KeyType     string
	Env, KeyEnv string

	Password, PasswordEnv string // of the keystore that is installed
}

// Presented is what the encrypted port for clients has been given.
type Presented struct {
	Keystore       []byte
	Name, Password string
	Certificate    tls.Certificate
}

// Session is one login.
type Session struct {
	ID, User string
	Until    time.Time
	Person   bool // a modelling tool's or the web page's, not a REST client's
}

// User is an account with its roles.
type User struct {
	Name, Password string
	Token          string // personal access token
	Oauth          string // OAuth 2.0 access token
	Grants         []Grant
}

// Group is a user group: what it may do, all of its users may do.
type Group struct {
	ID, Name string
	Users    []string // names
	Grants   []Grant
}

// Grant is a role a user has: everywhere, or on categories and resources alone (ids).
type Grant struct {
	Role       string
	Global     bool
	Categories []string
	Resources  []string
}

// Role is a set of permissions.
type Role struct {
	ID, Name    string
	GlobalOnly  bool // it is held everywhere or not at all
	Permissions []Permission
}

// Permission is one thing that may be done, under its id.
type Permission struct{ ID, Name, Display string }

// Category is a folder of resources.
type Category struct{ ID, Name, Description, Parent string }

// Resource is a project, on the server it was made on or as a copy.
type Resource struct {
	ID, ProjectID, LocalID string
	Name, Description      string
	Category               string
	Removed                bool   // marked as deleted
	ReadOnly               bool   // a copy that a configuration brought
	Source                 string // the server it was copied from; "" for an original
	SyncedTo               int    // of a copy: the number, there, of the newest revision that was copied
	Branches               []*Branch
	Revisions              []*Revision // by number
	Tags                   []*Tag
	Locks                  []*Lock
	Uses                   []string // ids or names of the resources that its model uses, on its main branch
}

// Branch is a line of a resource's revisions.
type Branch struct {
	ID, Name, Author string
	Start            int // the revision it begins after
	Created          time.Time
}

// Revision is one commit.
type Revision struct {
	Number, Parent, Merged int
	Branch                 string // id
	Author, Description    string
	Created                time.Time
	Origin                 int // the number on the server it was committed on; equal to number there
	Copied                 int // of a copy: the number on the server it was copied from; 0 for what was committed here
}

// Tag is a name for a revision.
type Tag struct {
	ID, Name, Description string
	Revision              int
}

// Lock is an element that a user has locked.
type Lock struct{ User, Branch, Element string }

// Configuration is a remote resource configuration of a target.
type Configuration struct {
	ID             string
	Source         string // server name
	Kind           string // resource or category
	Item           string // id on the source
	TargetCategory string // id
	Trigger, Tag   string
	User           string // of the source
	Owner          string // of the target: who made it
	TLS            bool
	Port           int      // of the source, as the person's address led to it; 0: whichever fits
	Status, Reason string   // the words of the web page
	LeftBehind     bool     // deleted on the page of an old release: it syncs no more, and still stands in the way
	Wanted         bool     // synchronize now was pressed
	Members        []string // resources it keeps in step
}

// Defect is what a server's sync engine does wrong on purpose.
type Defect struct {
	Resource string // name or id
	What     string // lose, author, truncate, date, description, skip
	Revision int
}

// Release is a version of the product: 2024, 3 and 1 of "2024x Refresh3 Hot Fix 1".
type Release struct{ Year, Refresh, hotFix int }

// The ports of a server that are served as such: those for clients.
const (
	PortPlain = "plain"
	PortTLS   = "tls"
)

// The shapes of ld+json lists. Plain is what the OpenAPI files show and IQ reads: containers of ids. Pairs is
// what NB and OMBEE-SYNC read with includeBody: each member as a container and the thing itself (facts 2.3, 2.5).
const (
	AnswersPlain = "plain"
	AnswersPairs = "pairs"
)

// How dates are written (facts 2.5): seconds on real servers (OMBEE-SYNC), the last two in examples of the
// OpenAPI files.
const (
	DatesSeconds = "seconds"
	DatesMillis  = "millis"  // ASSUMED: as commitDate is
	DatesCompact = "compact" // 20180713082509555; ASSUMED: UTC
	DatesText    = "text"    // Mon Aug 08 13:00:13 ICT 2016; here always UTC
)

// What page means together with items. The OpenAPI files call it a page number and, in the same breath, a start
// revision.
const (
	PagingNumber   = "number"   // page 2 of 10 items each: the 11th to the 20th newest
	PagingPosition = "position" // page 2 with 10 items: the 2nd to the 11th newest

	ListingContainer = "container"
	ListingArray     = "array" // of ids
)

// The units of a machine. "systemd units: twcloud zookeeper webapp (+ authserver old, cassandra, lmadmin)", from
// the vendor's own scripts; the licence server is not simulated.
const (
	UnitServer    = "twcloud"
	UnitPages     = "webapp"
	UnitZookeeper = "zookeeper"
	UnitLogin     = "authserver"
	UnitDatabase  = "cassandra"
)

// ServerSettings are what Teamwork Cloud has read when it was started.
type ServerSettings struct {
	SyncTLS  bool
	Trust    Authorities // its Java's cacerts
	Keystore Authorities // configuration/keystore.p12
}

// PageSettings are what the web application has read when it was started.
type PageSettings struct {
	Values map[string]string
	Trust  Authorities // its Java's cacerts
	Broken string      // why it cannot use its keystore
}

// Authorities are the certificates of a file that was read when a service started. It is opened when somebody
// asks, and once: that takes long, and the engine asks at every Tick.
type Authorities func() ([]*x509.Certificate, error)
