// Package syncinfo reads, compares and merges the synced-issue data of Backbone.
//
// Backbone provides the data in two forms. The file behind "Download synchronized issues" is an object whose member
// firstConnector (and, for a direct synchronization, secondConnector) is an array of entries. REST's GET
// .../connectors/{connectorKey}/syncInformation returns the bare array (H/3.9/server/connectors-121944268.html). An
// entry pairs an issue of the connector's own project (localIssueKey) with an issue of the partner's
// (remoteIssueKey). The two ends of a synchronization by email or file exchange each have the same pairs, mirrored.
//
// Files of several gigabytes are ordinary, so everything here streams. Memory is bounded by the largest entry, and by
// at most 24 bytes per pair where pairs have to be remembered (see Set). Entries are kept byte for byte.
//
// Every position is given as file:line:column. Lines end at '\n'; columns are counted in bytes, not in characters;
// both start at 1. Byte offsets start at 0.
package syncinfo
