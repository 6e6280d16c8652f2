// Package ci holds what CI systems need to plan, review and apply with syncctl: for each system, the files that
// `syncctl init -ci=SYSTEM` writes, in the folders where the system looks for them.
package ci

import (
	"embed"
	"io/fs"
	"maps"
	"slices"
)

//go:embed all:github all:gitlab all:atlantis all:pre-commit
var files embed.FS

// systems holds, for each system, what to tell the user after its files are written.
var systems = map[string]string{
	"github": "Its jobs: plan on pull requests with one comment, apply after the merge, drift at night. Read the " +
		"workflows: they name the runner, the secrets and the branch.",
	"gitlab": "Add `include: [{local: .gitlab/syncctl.gitlab-ci.yml}]` to .gitlab-ci.yml, and read what stands at the " +
		"top of the file.",
	"atlantis":   "The server must allow custom workflows: read what stands at the top of the file.",
	"pre-commit": "Now: pre-commit install",
}

// Systems returns the names of the systems, sorted.
func Systems() []string { return slices.Sorted(maps.Keys(systems)) }

// Files returns the files of a system, and what the user is to do next. folder is nil if the system is not known.
func Files(system string) (folder fs.FS, next string) {
	next, known := systems[system]
	if !known {
		return nil, ""
	}
	folder, err := fs.Sub(files, system)
	if err != nil {
		return nil, "" // cannot happen: every system's name is a valid path
	}
	return folder, next
}
