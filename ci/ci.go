// Package ci has what CI systems need to plan, review and apply with syncctl: for each system the files that
// `syncctl init -ci=SYSTEM` writes, where it looks for them.
package ci

import (
	"embed"
	"io/fs"
	"maps"
	"slices"
)

//go:embed all:github all:gitlab all:atlantis all:pre-commit
var files embed.FS

// what is said of each system, and what is to be done after its files are written.
var systems = map[string]string{
	"github": "Its jobs: plan on pull requests with one comment, apply after the merge, drift at night. Read the " +
		"workflows: they name the runner, the secrets and the branch.",
	"gitlab": "Add `include: [{local: .gitlab/syncctl.gitlab-ci.yml}]` to .gitlab-ci.yml, and read what stands at the " +
		"top of the file.",
	"atlantis":   "The server must allow custom workflows: read what stands at the top of the file.",
	"pre-commit": "Now: pre-commit install",
}

// Systems are the names, sorted.
func Systems() []string { return slices.Sorted(maps.Keys(systems)) }

// Files are those of a system, and what to do next; nil for one that is not known.
func Files(system string) (folder fs.FS, next string) {
	next, known := systems[system]
	if !known {
		return nil, ""
	}
	folder, err := fs.Sub(files, system)
	if err != nil {
		return nil, "" // no name of a system is an invalid path
	}
	return folder, next
}
