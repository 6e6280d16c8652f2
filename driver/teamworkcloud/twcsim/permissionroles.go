package twcsim

import "strings"

// The permissions of REST: {ID, name, ...} (facts 2.6; the OpenAPI files show Read Resources and Release locks whole).
// ASSUMED: the names of all others, made as those two are; clients go by the id or by the words of the page.
var permissions = []permission{
	{readResources, "com.nomagic.esi.resource_read.resource", "Read Resources"},
	{listResources, "com.nomagic.esi.resource_list.all.resources", "List All Resources"},
	{editResources, "com.nomagic.esi.resource_edit.resource", "Edit Resources"},
	{editProperties, "com.nomagic.esi.resource_edit.resource.properties", "Edit Resource Properties"},
	{releaseLocks, "com.nomagic.esi.resource_release.resource.locks", "Release Resource Locks"},
	{createResource, "com.nomagic.esi.category_create.resource", "Create Resource"},
	{manageCategories, "com.nomagic.esi.category_manage.categories", "Manage Categories"},
	{administer, "com.nomagic.esi.resource_administer.resource", "Administer Resources"},
	{removeResource, "com.nomagic.esi.resource_remove.resource", "Remove Resource"},
	{ownAccess, "com.nomagic.esi.resource_manage.owned.resource.access.right", "Manage Owned Resource Access Right"},
	{managePermissions, "com.nomagic.esi.server_manage.user.permissions", "Manage User Permissions"},
	{configureServer, "com.nomagic.esi.server_configure.server", "Configure Server"},
	{listUsers, "com.nomagic.esi.user_list.all.users", "List All Users"},
	{manageUsers, "com.nomagic.esi.user_manage.users", "Manage Users"},
}

// predefined are the roles that every server has (TWCloud2022xR1 Types of roles, TWCloud190 Scopes of roles,
// TWCloud2021xR1 Permissions, MCS/pages/247047172, MCS/pages/247047191), as far as this package checks what they allow.
// Pages list what the global ones and the two of contributors contain; the Resource Manager "can manage resources and
// grant permissions to other users to access resources", so that its permissions are ASSUMED in detail.
var predefined = []struct {
	name        string
	global      bool // it has no categories and resources
	permissions []string
}{
	{"Resource Contributor", false, []string{readResources, editResources, editProperties}},
	{"Resource Creator", false, []string{listResources, createResource, manageCategories}},
	{"Resource Locks Administrator", false, []string{readResources, releaseLocks}},
	{"Resource Manager", false, []string{readResources, editResources, editProperties, administer, removeResource, releaseLocks, ownAccess}},
	{"Resource Reviewer", false, []string{readResources}},
	{syncManager, false, []string{createResource, manageCategories, administer}},
	{"Security Manager", true, []string{listResources, listUsers, managePermissions}},
	{"Server Administrator", true, []string{configureServer}},
	{"User Manager", true, []string{listUsers, manageUsers}},
}

// predefinedRoles are those of one server. ASSUMED: their ids differ from server to server, so that a client has to look
// them up by name.
func predefinedRoles(serverName string) []*role {
	var out []*role
	for _, p := range predefined {
		r := &role{id: uuidOf("role " + serverName + " " + p.name), name: p.name, globalOnly: p.global}
		for _, id := range p.permissions {
			r.permissions = append(r.permissions, permissionOf(id))
		}
		out = append(out, r)
	}
	return out
}

func permissionOf(id string) permission {
	for _, p := range permissions {
		if p.id == id {
			return p
		}
	}
	return permission{id: id}
}

// parts of a permission's name: what it protects, and what it allows: "com.nomagic.esi.resource", "read.resource".
func (p permission) parts() (protected, operation string) {
	protected, operation, _ = strings.Cut(p.name, "_")
	return protected, operation
}
