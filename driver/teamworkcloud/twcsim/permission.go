package twcsim

import "slices"

// Ids of permissions. Facts 2.6: seen in the vendor's samples; the others are ASSUMED, no public page has them.
const (
	readResources     = "9649cb30-6933-49f1-b309-7aade63340cc"
	listResources     = "d91a7ba9-a017-44ac-9ff8-4b35635cb7b9"
	editResources     = "0b972f77-368c-4511-9285-0069a1a8bf07"
	releaseLocks      = "965a6e40-a2e9-4dfb-9ce2-4a6d6e98afd4"
	managePermissions = "8d7423b8-4e8c-4d32-8d3c-783504bef044" // Manage User Permissions
	createResource    = "6f2c1d70-0001-4000-8000-000000000001"
	manageCategories  = "6f2c1d70-0002-4000-8000-000000000002"
	administer        = "6f2c1d70-0003-4000-8000-000000000003" // Administer Resources
	removeResource    = "6f2c1d70-0004-4000-8000-000000000004"
	ownAccess         = "6f2c1d70-0005-4000-8000-000000000005" // Manage Owned Resource Access Right
	configureServer   = "6f2c1d70-0006-4000-8000-000000000006"
	listUsers         = "6f2c1d70-0007-4000-8000-000000000007"
	editProperties    = "6f2c1d70-0008-4000-8000-000000000008"
	manageUsers       = "6f2c1d70-0009-4000-8000-000000000009"
)

const syncManager = "Resource Synchronization Manager"

// hasPermission tells whether a user has a permission everywhere, on a category (or one above it), or on a resource (or
// the category it is in). Both objects may be "": then only a role without objects counts.
//
// ASSUMED: a role on a category holds in the categories beneath it.
func (s *server) hasPermission(u *user, permission, categoryID, resourceID string) bool {
	for _, g := range u.grants {
		role := s.role(g.role)
		if role == nil || !role.has(permission) {
			continue
		}
		if g.global || resourceID != "" && slices.Contains(g.resources, resourceID) {
			return true
		}
		for _, c := range g.categories {
			if categoryID != "" && s.within(categoryID, c) {
				return true
			}
		}
	}
	return false
}

// hasRole tells whether a user has a role, by name or id, everywhere or on a category (or one above it).
func (s *server) hasRole(u *user, role, categoryID string) bool {
	r := s.role(role)
	for _, g := range u.grants {
		if r == nil || s.role(g.role) != r {
			continue
		}
		if g.global || slices.ContainsFunc(g.categories, func(c string) bool { return s.within(categoryID, c) }) {
			return true
		}
	}
	return false
}

// canRead: Read Resources everywhere, on the resource, or on its category.
func (s *server) canRead(u *user, r *resource) bool {
	return s.hasPermission(u, readResources, r.category, r.id)
}

func (r *role) has(id string) bool {
	return slices.ContainsFunc(r.permissions, func(p permission) bool { return p.id == id })
}
