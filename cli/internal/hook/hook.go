// Package hook lets tests intervene in a program made with package cli.
package hook

import "github.com/syncctl/syncctl/journal"

// Started is called as soon as the program receives signals. A test uses it to send one.
var Started = func() {}

// Journal, if not nil, is called for every write to a run's journal. A test uses it to kill the process.
var Journal func(journal.Stage, journal.Entry)

// Event is called with every event that is written. A test uses it to check them.
var Event = func([]byte) {}
