// Package hook lets tests intervene in a program made with package cli.
package hook

import "github.com/syncctl/syncctl/journal"

// Started is called as soon as the program receives signals. A test uses it to send one.
var Started = func() {}

// Journal, if not nil, is called for every write to a run's journal. A test uses it to kill the process.
var Journal func(journal.Stage, journal.Entry)

// Event is called with every event that is written. A test uses it to check them.
var Event = func([]byte) {}

// Document, if not nil, is called with every document that is written for -json or -json-into: the name of the command,
// the formats that it may write, and the text. A test uses it to check them.
var Document func(command string, formats []string, text []byte)

// Ended is called when a command with -json has ended, with the number of documents that it has written; one that
// writes events has written one. A test uses it to check that.
var Ended = func(command string, documents int) {}
