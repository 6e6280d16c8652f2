package state

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
)

// Statuses, with the words of the page (MCS/pages/247047420, since 2024xR1).
const (
	InQueue         = "In queue"
	NotSynchronized = "Not synchronized"
	Synchronized    = "Synchronized"
	Partly          = "Partially synchronized"
	InError         = "Error"
)

// Triggers and kinds of configurations, with the names that seeds and Person use.
const (
	EveryCommit = "every_commit" // "On every new commit"
	CommitTag   = "commit_tag"   // "On specific commit tag"
	ByHand      = "manual"       // "Manual"

	KindResource = "resource"
	KindCategory = "category"
)

// World is a set of simulated Teamwork Cloud servers and their machines. All of its methods are safe for concurrent
// use.
type World struct {
	Mu     sync.Mutex
	Now    time.Time
	Clock  *Clock           // the same time, for code that does not wait for Mu
	Ticked bool             // the clock was set after the seed
	IDs    map[string]int64 // number of IDs made so far, by kind; deterministic
	Named  map[string]*Server

	Authorities map[string]*keystore.Authority
}

// Server is one Teamwork Cloud with its web application.
type Server struct {
	Name        string
	URL         string // base URL of REST, set by SetURL
	Release     Release
	VersionText string
	Env         *Env
	SyncAddress string // host that other servers' configurations use for it
	PlainPort   int
	TLSPort     int
	TLS         bool // the encrypted port for clients is open
	Issued      *Issued
	Presents    *Presented // what the encrypted port presents; nil: nothing, or Assumed
	// the seed has opened the encrypted port without a certificate, so it presents one that everybody trusts
	Assumes bool
	Assumed *Presented        // that certificate, made when first needed
	Blocked bool              // a firewall closes the encrypted port
	Ports   map[string]string // plain, tls: address at which the sandbox accepts their connections
	Shape   string            // shape of ld+json lists: plain or pairs
	Paging  string
	Listing string // form of /osmc/resources: container or array
	Dates   string

	Licences   int
	SessionFor time.Duration
	Sessions   map[string]*Session // by ID

	Users          []*User
	Groups         []*Group
	Roles          []*Role
	Categories     []*Category
	Resources      []*Resource // including removed ones
	Configurations []*Configuration
	// by item: whether its resources were kept. Configurations that were deleted on the page, as people remember them
	Deleted  map[string]bool
	Defects  []*Defect
	Machine  *Machine // nil: it cannot be reached over SSH; its services run all the same
	Desk     *Machine // the machine as seen by a person in front of it, whether or not it can be reached
	Services *Services
}

// Services is the state of the services on a server's machine, whether or not it can be reached.
type Services struct {
	Running   map[string]bool // twcloud, webapp, zookeeper, authserver, cassandra
	ReadyAt   time.Time       // when a server that was started begins to answer
	Started   map[string]time.Time
	Failed    map[string]bool // services that could not be started
	Boot      time.Time       // start of the machine, in whole seconds
	Server    ServerSettings  // as loaded at start
	Pages     PageSettings
	BackedUp  bool
	Announced bool
}

// Machine is the machine of a server: its files, and how to reach it.
type Machine struct {
	home    string
	Sudo    bool // the login may use sudo
	FS      *TimedFiles
	At      Places
	aliases map[string][]string // aliases of the keystores that State has opened, by their bytes
	address string              // set by SetSSH
	key     []byte
	known   []byte
}

// Issued is the certificate that the seed gives a server.
type Issued struct {
	*keystore.KeyPair
	By          *keystore.Authority // nil: self-signed
	Names       []string
	KeyType     string
	Env, KeyEnv string

	Password, PasswordEnv string // password of the installed keystore
}

// Presented is what was uploaded for the encrypted port.
type Presented struct {
	Keystore       []byte
	Name, Password string
	Certificate    tls.Certificate
}

// Session is one login.
type Session struct {
	ID, User string
	Until    time.Time
	Person   bool // of a modelling tool or web page, not of a REST client
}

// User is an account with its roles.
type User struct {
	Name, Password string
	Token          string // personal access token
	Oauth          string // OAuth 2.0 access token
	Grants         []Grant
}

// Group is a user group. All of its users have its roles.
type Group struct {
	ID, Name string
	Users    []string // names
	Grants   []Grant
}

// Grant is a role of a user: everywhere, or only on categories and resources (IDs).
type Grant struct {
	Role       string
	Global     bool
	Categories []string
	Resources  []string
}

// Role is a set of permissions.
type Role struct {
	ID, Name    string
	GlobalOnly  bool // held everywhere or not at all
	Permissions []Permission
}

// Permission is one thing that a role allows.
type Permission struct{ ID, Name, Display string }

// Category is a folder of resources.
type Category struct{ ID, Name, Description, Parent string }

// Resource is a project, an original or a copy.
type Resource struct {
	ID, ProjectID, LocalID string
	Name, Description      string
	Category               string
	Removed                bool   // marked as deleted
	ReadOnly               bool   // a copy brought by a configuration
	Source                 string // server it was copied from; "" for an original
	SyncedTo               int    // for a copy: number on the source of the newest copied revision
	Branches               []*Branch
	Revisions              []*Revision // by number
	Tags                   []*Tag
	Locks                  []*Lock
	Uses                   []string // IDs or names of the resources that its model uses on its main branch
}

// Branch is a line of a resource's revisions.
type Branch struct {
	ID, Name, Author string
	Start            int // revision after which it begins
	Created          time.Time
}

// Revision is one commit.
type Revision struct {
	Number, Parent, Merged int
	Branch                 string // id
	Author, Description    string
	Created                time.Time
	Origin                 int // number on the server where it was committed; equal to Number there
	Copied                 int // for a copy: number on the server it was copied from; 0 if committed here
}

// Tag is a name for a revision.
type Tag struct {
	ID, Name, Description string
	Revision              int
}

// Lock is an element that a user has locked.
type Lock struct{ User, Branch, Element string }

// Configuration is a remote resource configuration on a target.
type Configuration struct {
	ID             string
	Source         string // server name
	Kind           string // resource or category
	Item           string // id on the source
	TargetCategory string // id
	Trigger, Tag   string
	User           string // user on the source
	Owner          string // user on the target who created it
	TLS            bool
	Port           int      // port on the source, from the address that the person entered; 0: any that fits
	Status, Reason string   // the words of the web page
	LeftBehind     bool     // deleted on the page of an old release: inactive, but still prevents another one
	Wanted         bool     // a person has pressed Synchronize
	Members        []string // resources it synchronizes
}

// Defect is something that a server's synchronization engine does wrong on purpose.
type Defect struct {
	Resource string // name or id
	What     string // lose, author, truncate, date, description, skip
	Revision int
}

// Release is a version of the product: 2024, 3 and 1 in "2024x Refresh3 Hot Fix 1".
type Release struct{ Year, Refresh, hotFix int }

// The client ports of a server, which the sandbox serves.
const (
	PortPlain = "plain"
	PortTLS   = "tls"
)

// The shapes of ld+json lists. Plain is what the OpenAPI files show and IQ reads: containers of IDs. Pairs is what NB
// and OMBEE-SYNC read with includeBody: each member is a container and the thing itself (facts 2.3, 2.5).
const (
	AnswersPlain = "plain"
	AnswersPairs = "pairs"
)

// The forms of dates (facts 2.5): seconds on real servers (OMBEE-SYNC), the last two in examples of the OpenAPI files.
const (
	DatesSeconds = "seconds"
	DatesMillis  = "millis"  // ASSUMED: as commitDate is
	DatesCompact = "compact" // 20180713082509555; ASSUMED: UTC
	DatesText    = "text"    // Mon Aug 08 13:00:13 ICT 2016; here always UTC
)

// The meaning of page together with items. The OpenAPI files call it a page number and, in the same sentence, a start
// revision.
const (
	PagingNumber   = "number"   // page 2 of 10 items each: the 11th to the 20th newest
	PagingPosition = "position" // page 2 with 10 items: the 2nd to the 11th newest

	ListingContainer = "container"
	ListingArray     = "array" // of IDs
)

// The systemd units of a machine. "systemd units: twcloud zookeeper webapp (+ authserver old, cassandra, lmadmin)",
// from the vendor's own scripts; the licence server is not simulated.
const (
	UnitServer    = "twcloud"
	UnitPages     = "webapp"
	UnitZookeeper = "zookeeper"
	UnitLogin     = "authserver"
	UnitDatabase  = "cassandra"
)

// ServerSettings is what Teamwork Cloud has read at its start.
type ServerSettings struct {
	SyncTLS  bool
	Trust    Authorities // its Java's cacerts
	Keystore Authorities // configuration/keystore.p12
}

// PageSettings is what the web application has read at its start.
type PageSettings struct {
	Values map[string]string
	Trust  Authorities // its Java's cacerts
	Broken string      // why it cannot use its keystore
}

// Authorities returns the certificates in a file that was read when a service started. The file is opened at the first
// call only: that takes long, and the engine needs it at every Tick.
type Authorities func() ([]*x509.Certificate, error)
