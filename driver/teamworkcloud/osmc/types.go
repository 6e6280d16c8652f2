package osmc

import "time"

// Health is the state of the cluster (GET /osmc/admin/health).
type Health struct {
	Keyspace             string // keyspace of the database: "esi2024x0"
	Nodes                []Node
	CassandraLive        []string // sorted
	CassandraUnreachable []string // sorted
}

// Node is a node of Teamwork Cloud. Port 0 means closed.
type Node struct {
	Name      string
	Status    string     // "UP"
	PlainPort Known[int] // port for clients without encryption, usually 3579
	TLSPort   Known[int] // port for clients with encryption, usually 10002
}

// User is an account of the server.
type User struct {
	Name             string
	RoleAssignments  []RoleAssignment // sorted by role ID, without those of its groups; nil: unknown
	Groups           []string         // ids of its user groups; nil: unknown
	Permissions      []Permission     // sorted by ID; empty if PermissionsKnown is false
	PermissionsKnown bool             // the server showed which permissions the user has
}

// RoleAssignment is a role of a user.
type RoleAssignment struct {
	RoleID  string
	Objects Known[[]ProtectedObject] // what the role applies to; an empty list: everything
}

// ProtectedObject is something that a role applies to.
type ProtectedObject struct {
	ID   string
	Type string // "com.nomagic.esi.resource"
}

// Role is a set of permissions.
type Role struct {
	ID          string
	Name        string // for example "Resource Synchronization Manager"
	Permissions []Permission
}

// Permission is one thing that a role allows. Name and DisplayName may be empty.
type Permission struct {
	ID          string
	Name        string // "com.nomagic.esi.resource_read.resource"
	DisplayName string // "Read Resources"
}

// Category is a category of resources. REST calls it a workspace.
type Category struct {
	ID        string
	Name      string
	Parent    string   // ID of the category that contains it; "" at the top
	Resources []string // IDs, sorted, without resources marked as removed
}

// Resource is a project.
type Resource struct {
	ID         string // the resource id, a UUID
	Title      string // as the server names it
	Name       string // the project's name: Title or metadata.name without what the server appends (".MASTER")
	ProjectID  string // ID of the project in the modelling tool; "": unknown
	Category   string // id; "": unknown
	Removed    bool   // marked as deleted; set only by lists, which make sure of it
	Unreadable bool   // the server does not show it to the user: only its id is known
}

// Branch is a line of revisions.
type Branch struct {
	ID      string
	Name    string    // "trunk" is the main branch
	Start   int       // the revision it was made from; for the trunk its own first revision, 1; 0: unknown
	Latest  int       // its newest revision
	Author  string    // "": unknown
	Created time.Time // UTC; zero: unknown
}

// Revision is one commit. A member that the server does not show is unknown, which is not the same as empty.
type Revision struct {
	Number       int
	Branch       string    // id
	BranchName   string    // "": unknown
	Author       string    // "": unknown
	Created      time.Time // UTC
	Description  string
	Parent       int    // the revision before it; 0 for the first
	MergedParent int    // the revision merged into it; 0: none
	Type         string // "NORMAL"

	DescriptionKnown, ParentKnown, MergedParentKnown bool // the server showed the member

	RootObjects     []string // ids of the model's root objects, sorted; nil: unknown
	ElementPackages []string // ids of the packages of its elements (EPackageIDs), sorted; nil: unknown
}

// Tag is a name given to a revision.
type Tag struct {
	ID          string
	Name        string
	Description string // "": empty or unknown; only a comparison of a server with itself may ignore the difference
	Revision    int
}

// Lock protects something from changes by users other than its own.
type Lock struct {
	User       string
	Branch     string // id; "": unknown
	BranchName string // "": unknown
	Element    string // id; "": unknown
}
