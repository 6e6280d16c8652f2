package osmc

import "time"

// Health is what GET /osmc/admin/health says of the cluster.
type Health struct {
	Keyspace             string // of the database: "esi2024x0"
	Nodes                []Node
	CassandraLive        []string // sorted
	CassandraUnreachable []string // sorted
}

// Node is one Teamwork Cloud node. A port of 0 is closed.
type Node struct {
	Name      string
	Status    string     // "UP"
	PlainPort Known[int] // clients without encryption, usually 3579
	TLSPort   Known[int] // clients with encryption, usually 10002
}

// User is an account of the server.
type User struct {
	Name             string
	RoleAssignments  []RoleAssignment // by role id; those of its groups are not among them; nil: unknown
	Groups           []string         // ids of its user groups; nil: unknown
	Permissions      []Permission     // by id; empty when PermissionsKnown is false
	PermissionsKnown bool             // the server said which permissions the user has
}

// RoleAssignment is a role of a user.
type RoleAssignment struct {
	RoleID  string
	Objects Known[[]ProtectedObject] // what it is for; an empty list: everything
}

// ProtectedObject is what a role is assigned for.
type ProtectedObject struct {
	ID   string
	Type string // "com.nomagic.esi.resource"
}

// Role is a set of permissions.
type Role struct {
	ID          string
	Name        string // "Resource Synchronization Manager"
	Permissions []Permission
}

// Permission is one thing that a role allows. Name and DisplayName may be empty.
type Permission struct {
	ID          string
	Name        string // "com.nomagic.esi.resource_read.resource"
	DisplayName string // "Read Resources"
}

// Category is what REST calls a workspace.
type Category struct {
	ID        string
	Name      string
	Parent    string   // the id of the category it is in; "" at the top
	Resources []string // ids, sorted; those marked as removed are not among them
}

// Resource is a project.
type Resource struct {
	ID         string // the resource id, a UUID
	Title      string // as the server names it
	Name       string // the project's name: Title or metadata.name without what the server appends (".MASTER")
	ProjectID  string // of the modelling tool; "": unknown
	Category   string // id; "": unknown
	Removed    bool   // marked as deleted; only of a list, which makes sure of it
	Unreadable bool   // the server does not show it to the user: only its id is known
}

// Branch is a line of revisions.
type Branch struct {
	ID      string
	Name    string    // "trunk" is the main one
	Start   int       // the revision it was made from; the trunk's is its own first, 1; 0: unknown
	Latest  int       // its newest revision
	Author  string    // "": unknown
	Created time.Time // UTC; zero: unknown
}

// Revision is one commit. A member that the server does not give is unknown, which is not the same as empty.
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

	DescriptionKnown, ParentKnown, MergedParentKnown bool // the server gave the member

	RootObjects     []string // ids of the model's root objects, sorted; nil: unknown
	ElementPackages []string // ids of the packages of its elements (EPackageIDs), sorted; nil: unknown
}

// Tag is a name given to a revision.
type Tag struct {
	ID          string
	Name        string
	Description string // "": empty or unknown, which only a comparison of one server with itself may ignore
	Revision    int
}

// Lock is what a user holds against changes by others.
type Lock struct {
	User       string
	Branch     string // id; "": unknown
	BranchName string // "": unknown
	Element    string // id; "": unknown
}
