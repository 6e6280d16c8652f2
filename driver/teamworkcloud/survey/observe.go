package survey

import (
	"cmp"
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/planner"
)

// What is observed of a server, with the type of the observation's body.
const (
	AboutServer    = "server"    // Server
	AboutInventory = "inventory" // Inventory
	AboutReadable  = "readable"  // Readable, by category ID
	AboutHistory   = "history"   // History, by resource ID
	AboutRole      = "role"      // Rights, by category ID, or "" while the category does not exist
	AboutUsers     = "logged_in" // machine.LoggedIn
	AboutLocks     = "locks"     // Locks, by resource ID
	AboutUses      = "uses"      // Uses, by resource ID
)

// What is observed only for verifications, by Listings.
const (
	aboutListing    = "listing"     // Inventory: the cached listing
	aboutRecent     = "recent"      // Inventory: see listing.recent
	aboutListed     = "listed"      // Inventory: see View.Listed
	aboutCategories = "categories"  // Inventory of categories only; with reread, the details of all of them are read
	aboutResource   = "resource"    // Found, by resource ID
	aboutCategory   = "category"    // In, by category ID
	aboutUsesLately = "uses lately" // Uses, by resource ID: see lately

	reread = "reread"
)

// Server is what a server reports about itself.
type Server struct {
	Addr      string       // address of the declaration
	Text      string       // the answer of /osmc/version
	Release   osmc.Release // zero: unknown
	Keyspace  string       // keyspace of the database
	Major     string       // "2024x": from the release, else from the keyspace; "": unknown
	PlainPort int
	TLSPort   int    // 0: unknown, or not open
	Ports     bool   // the server reports the ports of every node
	Nodes     int    // nodes of the cluster; 0: unknown
	User      string // the user that the client works as; "": unknown
}

// String returns the server's address and version.
func (s *Server) String() string {
	if s.Release.IsZero() {
		if s.Major != "" {
			return fmt.Sprintf("%s (%s by its database %s)", s.Addr, s.Major, s.Keyspace)
		}
		return s.Addr + " (version unknown)"
	}
	return fmt.Sprintf("%s (%s)", s.Addr, s.Release)
}

// Readable lists the resources of a category that the user may read.
type Readable struct {
	Known bool // false: the server does not say
	IDs   []string
}

// History is the history of a resource.
type History struct {
	Refused bool              // the user may not read the resource
	History *revision.History // nil if refused
}

// Locks lists what is locked in a resource.
type Locks struct{ Locks []osmc.Lock }

// Uses lists the addresses of the projects that a resource's model uses.
type Uses struct {
	Why  string // why they are unknown; "" if they are known
	URIs []string
}

// Observe makes one observation of a server.
func Observe(ctx context.Context, c osmc.Reader, server *connect.Server, n planner.Need) (any, error) {
	return named(n, func() (any, error) { return observe(ctx, c, server, n) })
}

// named adds to an error what was to be read.
func named[T any](n planner.Need, read func() (T, error)) (any, error) {
	body, err := read()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", n, err)
	}
	return body, nil
}

func observe(ctx context.Context, c osmc.Reader, server *connect.Server, n planner.Need) (any, error) {
	switch n.What {
	case AboutServer:
		return ReadServer(ctx, c, server)
	case AboutReadable:
		ids, err := c.ReadableResources(ctx, n.Of)
		if osmc.NotAllowed(err) || osmc.IsGone(err) { // the histories show it when they are read
			return &Readable{}, nil
		}
		return &Readable{Known: true, IDs: ids}, err
	case aboutResource:
		return readFound(ctx, c, n.Of)
	case aboutCategory:
		return readIn(ctx, c, n.Of)
	case AboutHistory:
		h, err := revision.Read(ctx, c, n.Of)
		if osmc.NotAllowed(err) {
			return &History{Refused: true}, nil
		}
		return &History{History: h}, err
	case AboutSelection, AboutCopies, AboutPrints:
		return observeOfSite(ctx, c, n)
	case AboutRole:
		return readRights(ctx, c, server, n.Of)
	case AboutUsers:
		return readUsers(ctx, c, server)
	case AboutLocks:
		locks, err := c.Locks(ctx, n.Of)
		return &Locks{Locks: locks}, err
	case AboutUses:
		uris, why, err := c.Uses(ctx, n.Of)
		list, _ := uris.Get()
		return &Uses{Why: why, URIs: list}, err
	}
	return nil, fmt.Errorf("Teamwork Cloud has no observation %q", n.What)
}

// ReadMajor returns the major version of a server, for facts.
func ReadMajor(ctx context.Context, c osmc.Reader, server *connect.Server) (string, error) {
	about, err := ReadServer(ctx, c, server)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", server.Address(), err)
	}
	return about.Major, nil
}

// ReadServer returns what a server reports about itself. If the user may not see the server's health, what comes from
// it is unknown.
func ReadServer(ctx context.Context, c osmc.Reader, server *connect.Server) (*Server, error) {
	s := &Server{Addr: server.Address(), User: server.User.String()}
	var err error
	if s.Text, s.Release, err = c.Version(ctx); err != nil {
		return nil, fmt.Errorf("asking for its version: %w", err)
	}
	if !s.Release.IsZero() {
		s.Major = s.Release.Major()
	}
	health, err := c.Health(ctx)
	switch {
	case osmc.NotAllowed(err) ||
		osmc.IsGone(err): // health needs more rights than everything else, and exists only since some release
	case err != nil:
		return nil, fmt.Errorf("asking for its health: %w", err)
	default:
		s.Keyspace, s.Nodes, s.Ports = health.Keyspace, len(health.Nodes), len(health.Nodes) > 0
		s.Major = cmp.Or(s.Major, health.Major())
		for _, n := range health.Nodes {
			plain, plainKnown := n.PlainPort.Get()
			tls, tlsKnown := n.TLSPort.Get()
			s.PlainPort, s.TLSPort, s.Ports = cmp.Or(s.PlainPort, plain), cmp.Or(s.TLSPort, tls), s.Ports && plainKnown &&
				tlsKnown
		}
	}
	if s.User != "" {
		return s, nil
	}
	s.User, err = userOfToken(ctx, c)
	return s, err
}

// userOfToken returns the user whose token the client uses, or "" if the server does not allow the question.
func userOfToken(ctx context.Context, c osmc.Reader) (string, error) {
	user, err := c.CurrentUser(ctx)
	switch {
	case osmc.NotAllowed(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("asking whose token it is: %w", err)
	}
	return user.Name, nil
}

func readUsers(ctx context.Context, c osmc.Reader, server *connect.Server) (*machine.LoggedIn, error) {
	own := server.User.String()
	if own == "" {
		var err error
		if own, err = userOfToken(ctx, c); err != nil {
			return nil, err
		}
	}
	in, err := machine.ReadLoggedIn(ctx, c, server.Address(), own)
	return &in, err
}
