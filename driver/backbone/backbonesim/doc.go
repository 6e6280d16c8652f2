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
// A JSON document. Unknown and repeated members are errors, with their line and column. build/seed.txt has the meaning
// of each member.
//
// Both connectors of a direct synchronization are on the server of its first end, so status, integration and
// conflicts are those of that end. Each half of an email or file synchronization has all of them.
package backbonesim
