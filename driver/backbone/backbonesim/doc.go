// Package backbonesim simulates several Jiras, Data Center and cloud, with K15t Backbone on the Data Center ones.
// It is for rehearsals and tests: everything is in memory, and the same seed and the same calls give the same
// state.
//
// A World serves the documented REST interface of Backbone and the few calls of Jira that clients of Backbone need.
// Person does what only the web pages offer. Time passes only in Tick: it carries messages from one half of an email
// or file synchronization to the other, works through queues, and looks for changed issues.
//
// Sources are cited by the addresses of the vendor's pages: H is https://help.k15t.com/backbone-issue-sync, HC is
// https://help-cloud.k15t.com/backbone-issue-sync, W is https://help.k15t.com/backbone-work-sync, "behind firewall"
// is H/latest/server/behind-firewall-182785512.html. ASSUMED marks what no page says. With "assumed_members": false
// the REST answers leave out every member whose name is only assumed.
//
// Not simulated: workflows, versions, links, notifications, deletion of issues, the choice between concurrent edits
// (the later message wins), the Backbone of cloud sites, latency and rate limits.
//
// # The seed
//
// A JSON document. Unknown and repeated members are errors, with their line and column.
//
//	now              RFC 3339, where the clock starts (default 2020-11-06T12:00:00Z); Tick never turns it back
//	random           number that generated data depends on
//	assumed_members  default true
//	dates            "plain" (+0100, the documented layout, default) or "colon" (+01:00)
//	messages_per_tick  how many messages one connector applies in one Tick, default 50
//	servers          {name: server}
//	syncs            [sync]
//
// A server:
//
//	deployment        "data_center" or "cloud"
//	backbone_version  "5.14"; without it, there is no Backbone on it (remote licence). Not for a cloud site
//	jira_version      what serverInfo says
//	context_path      "/jira": appended to the base URL that SetURL sets
//	verbs             of start and stop, ["POST"] or ["PUT"] or both; default by version, see state.Verbs
//	require_xsrf      writes without X-Atlassian-Token are refused
//	search_page       the most issues on a page of a search (default Jira's own limits)
//	status_in_lists   whether GET integrations includes "status" (default true; the pages disagree)
//	status_words      "words" (RESTART REQUIRED, default) or "enum" (RESTART_REQUIRED)
//	repeat            "accept" (default) or "refuse": start of a running, stop of a stopped synchronization
//	project_admins    "allowed" (default) or "refused" (W/5.21/cloud/restrict-backbone-usage-to-certain-user-groups)
//	sync_user         who performs Backbone's changes in synchronizations that Person creates
//	env               {url, user, password, token: names of environment variables; account: whose credentials}
//	users             [{name, display_name, email, email_hidden, password, token, permission, projects}]; permission is
//	                  system_admin, project_admin (of projects; of all if none are named) or none. On a cloud site
//	                  name is the account id and credentials are email and token
//	projects          [{key, name, issue_types, next, issues}]; an issue is {key, id, type, status, summary,
//	                  description, priority, assignee, reporter, fields, created, updated, comments [{id, author,
//	                  body, created}], attachments [{id, filename, size, author, created}]}
//
// A sync is {transport: "file" or "email", master, slave} or {transport: "direct", first, second}, and:
//
//	name, issue_types [{first, second}], fields [{id, first, second, type, direction, values, prefix}], comments,
//	attachments       first is the master's side of an email or file synchronization
//	delivery          "automatic" (default) or "manual" (only by Person's deliver), for message files and emails
//	deliver_after_ms  how long a message is in flight
//	generate          {pairs, unpaired, comments_percent, attachments_percent, assigned_percent}: further issues on both
//	                  ends with their pairs; unpaired ones are Epics of the first end, a type that is not mapped
//	in_flight         [{from: "master"/"slave"/"first"/"second", issue, fields}]: messages sent and not yet applied
//
// Each end:
//
//	server, project, integration, connector, status, sync_user, jql, description, created, created_by
//	pairs             entries exactly as GET syncInformation returns them
//	errors            [{issue, error, messages}]: issue (of this end) in error, with this number of messages waiting
//	conflicts         [text]: until the synchronization is configured again
//
// Both connectors of a direct synchronization are on the server of its first end, so status, integration and
// conflicts are those of that end. Each half of an email or file synchronization has all of them.
package backbonesim
