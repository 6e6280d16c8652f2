package state

import (
	"strings"
)

// Permissions are the permissions in REST: {ID, name, ...} (facts 2.6; the OpenAPI files show Read Resources and
// Release locks completely, and the vendor's samples of roles the names of Create Resource and List All Users).
// ASSUMED: all other names, which have the same form; clients use the ID or the words of the page.
var Permissions = []Permission{
	{ReadResources, "com.nomagic.esi.resource_read.resource", "Read Resources"},
	{ListResources, "com.nomagic.esi.resource_list.all.resources", "List All Resources"},
	{EditResources, "com.nomagic.esi.resource_edit.resource", "Edit Resources"},
	{editProperties, "com.nomagic.esi.resource_edit.resource.properties", "Edit Resource Properties"},
	{releaseLocks, "com.nomagic.esi.resource_release.resource.locks", "Release Resource Locks"},
	{createResource, "com.nomagic.esi.resource_create.resource", "Create Resource"},
	{ManageCategories, "com.nomagic.esi.category_manage.categories", "Manage Categories"},
	{Administer, "com.nomagic.esi.resource_administer.resource", "Administer Resources"},
	{removeResource, "com.nomagic.esi.resource_remove.resource", "Remove Resource"},
	{OwnAccess, "com.nomagic.esi.resource_manage.owned.resource.access.right", "Manage Owned Resource Access Right"},
	{ManagePermissions, "com.nomagic.esi.server_manage.user.permissions", "Manage User Permissions"},
	{ConfigureServer, "com.nomagic.esi.server_configure.server", "Configure Server"},
	{ListUsers, "com.nomagic.esi.server_list.all.users", "List All Users"},
	{manageUsers, "com.nomagic.esi.user_manage.users", "Manage Users"},
}

// Predefined are the roles of every server (TWCloud2022xR1 Types of roles, TWCloud190 Scopes of roles, TWCloud2021xR1
// Permissions, MCS/pages/247047172, MCS/pages/247047191), as far as this package checks what they allow. Pages list
// the permissions of the global roles and of the two for contributors. The Resource Manager "can manage resources and
// grant permissions to other users to access resources"; ASSUMED: its exact permissions.
var Predefined = []struct {
	name        string
	global      bool // held without categories and resources
	permissions []string
}{
	{"Resource Contributor", false, []string{ReadResources, EditResources, editProperties}},
	{"Resource Creator", false, []string{ListResources, createResource, ManageCategories}},
	{"Resource Locks Administrator", false, []string{ReadResources, releaseLocks}},
	{"Resource Manager", false, []string{ReadResources, EditResources, editProperties, Administer, removeResource,
		releaseLocks, OwnAccess}},
	{"Resource Reviewer", false, []string{ReadResources}},
	{SyncManager, false, []string{createResource, ManageCategories, Administer}},
	{"Security Manager", true, []string{ListResources, ListUsers, ManagePermissions}},
	{"Server Administrator", true, []string{ConfigureServer}},
	{"User Manager", true, []string{ListUsers, manageUsers}},
}

// PredefinedRoles returns the roles of one server. ASSUMED: their IDs differ between servers, so a client has to look
// them up by name.
func PredefinedRoles(serverName string) []*Role {
	var out []*Role
	for _, p := range Predefined {
		r := &Role{ID: UUIDOf("role " + serverName + " " + p.name), Name: p.name, GlobalOnly: p.global}
		for _, id := range p.permissions {
			r.Permissions = append(r.Permissions, PermissionOf(id))
		}
		out = append(out, r)
	}
	return out
}

// PermissionOf finds a permission by its ID.
func PermissionOf(id string) Permission {
	for _, p := range Permissions {
		if p.ID == id {
			return p
		}
	}
	return Permission{ID: id}
}

// Parts returns the parts of a permission's name, what it protects and what it allows: "com.nomagic.esi.resource",
// "read.resource".
func (p Permission) Parts() (protected, operation string) {
	protected, operation, _ = strings.Cut(p.Name, "_")
	return protected, operation
}
