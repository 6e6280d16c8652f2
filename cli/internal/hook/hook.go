// Package hook is where tests reach into a program that package cli has made.
package hook

import "github.com/syncctl/syncctl/journal"

// Started is called as soon as signals are taken. A test sends one in it.
var Started = func() {}

// Journal sees every write of a run's journal. Nil for nobody; a test ends the process in it.
var Journal func(journal.Stage, journal.Entry)
