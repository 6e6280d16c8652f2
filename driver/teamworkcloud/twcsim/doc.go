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
// A JSON document; unknown and repeated members are errors with their line and column. build/seed.txt has the meaning
// of each member.
package twcsim
