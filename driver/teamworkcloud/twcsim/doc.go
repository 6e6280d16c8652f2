// Package twcsim simulates several Teamwork Cloud servers, their machines, and the people who use them, for rehearsals
// and tests. Everything is in memory, and the same seed and the same calls give the same state.
//
// A World implements the part of the REST interface that reads categories, resources, histories and rights, creates a
// category and grants a role on it. Person does what only the web application offers. A machine executes command lines
// (Run) and has files (Files). Time passes only in Tick: services come up, and the synchronization engine of every
// target processes its configurations.
//
// Sources are cited by the vendor's addresses: MCS, DEVG and VN are spaces of https://docs.nomagic.com (MCS/pages/1 is
// https://docs.nomagic.com/spaces/MCS/pages/1), "seed" is the vendor's page "Cross-cluster resource synchronization",
// SW22, SW24 and SW26 are the vendor's OpenAPI files of 2022x Refresh2, 2024x Refresh3 and 2026x Refresh1. These
// public clients show what real servers do: OMBEE-SYNC is Open-MBEE's sync-service, OMBEE-MMS its exec-mms, IQ
// IncQueryLabs' repo-crawler, NB small public notebooks. "Facts" with a number is a section of what was collected from
// all of them. ASSUMED marks what no source says, with the choice that was made.
//
// Where sources disagree, the seed chooses: answers, paging, dates. A client should be tested with all of them.
//
// Some things may be stricter than in the product (ASSUMED): unknown parameters are 400, bodies must have exactly the
// documented type and members, and a user who may not see a resource gets 404.
//
// Encryption: the port for encrypted clients presents what was uploaded over REST, in a real handshake (Network).
// Services read their settings files and trust stores when they start. What they have read decides whether pages work
// and whether an encrypted configuration connects. Certificates are made when a World is opened and differ between
// Worlds; State contains only their names.
//
// Not simulated: contents of models, element and artifact operations, ID tokens and the authentication server, custom
// roles, LDAP, webhooks, removing by REST, encryption of anything but synchronization, clusters of several nodes,
// latency.
//
// # The seed
//
// A JSON document; unknown and repeated members are errors with their line and column.
//
//	now      RFC 3339, start of the clock (default 2026-03-02T08:00:00Z); Tick never turns it back
//	authorities  {name: {name: common name, env: variable with its certificate, intermediate: another one issues for
//	             it}}
//	servers  {name: server}
//
// A server:
//
//	version          2021xR2, 2024x Refresh3 Hot Fix 1, 2026x and spellings between them
//	version_text     the complete answer of /osmc/version
//	env              {url, user, password, token, ssh, ssh_key, known_hosts: names of environment variables; account:
//	                 whose credentials (default: the first user's); plain_address, tls_address: where the sandbox takes
//	                 connections to the two ports}
//	sync_address     the host that other servers' configurations name (default twc.NAME.example)
//	ports            {plain: 3579, tls: 10002}
//	tls              the encrypted port for clients is open; without a certificate it presents one that everybody trusts
//	certificate      {authority (none: self-signed), names (default: sync_address), days (default 400; below zero:
//	                 expired), key_type (ec, rsa), env, key_env: variables with certificate and key in PEM,
//	                 installed: {password, env: variable with it, path: file on the machine}: the port presents it
//	                 already, where it is on}
//	licences         maximum number of open sessions, default 10
//	session_minutes  how long an unused session lasts, default 15
//	answers          "plain" (default) or "pairs": the shape of ld+json answers
//	paging           "number" (default) or "position": the meaning of page
//	resource_list    "container" (default) or "array": the answer of /osmc/resources; the latter has only ids
//	dates            "seconds" (default), "millis", "compact" or "text"
//	users            [{name, password, token, oauth_token, roles [{role, categories [path], resources [name or
//	                 id]}]}]; a role without categories and resources is held everywhere. Roles are the predefined
//	                 ones: Resource Contributor, Resource Creator, Resource Locks Administrator, Resource Manager,
//	                 Resource Reviewer, Resource Synchronization Manager, Security Manager, Server Administrator,
//	                 User Manager
//	groups           [{name, id, users [name], roles}]: user groups, whose users have their roles as well (SW22, SW24,
//	                 SW26: admin/usergroups)
//	categories       [{path: "Dormant/2019", id, description}]; categories above are added as well
//	resources        [resource]
//	configurations   [{source: server, resource or category, target_category, trigger, tag, user: of the source, tls}]:
//	                 remote resource configurations of this server as the target; trigger is every_commit (default),
//	                 commit_tag or manual
//	machine          {home, services [those that run], cassandra: runs, files {path: content}, sudo: the login may
//	                 use it, trusted {path of a keystore: [authorities]}};
//	                 without one nobody reaches it over SSH, and all its services run
//	defects          [{resource: name or id, what, revision}]: what the engine does wrong when it copies here: lose,
//	                 author, date, description (one revision), truncate (from it on), skip (the resource). No product
//	                 does so
//
// A resource:
//
//	id, project_id, local_id  generated if missing, different on each server
//	name, category (path; none: in no category), description
//	removed      marked as deleted
//	read_only    a copy brought by a configuration
//	branches     [{name, id, from: the revision it begins after, author}]; the first is the main one (default: trunk);
//	             the first revision of another one is the commit that made it, and is added where there is none
//	revisions    [{n, branch, author, created, description, merged: a revision}], ascending; without created one a day
//	uses         [ids or names of resources of the server that its model uses]
//	generate     instead of revisions: {revisions: how many, authors [in turn], start, every: "26h", gap_every: every
//	             how many numbers one is missing}, all on the main branch
//	tags         [{name, revision, description}]
//	locks        [{user, branch, element}]
package twcsim
