package cli

import (
	"runtime/debug"
	"testing"
)

// TestBuildOf: a program with products of its own reports the version of syncctl, not its own.
func TestBuildOf(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}}
	main := func(path, version string) debug.Module { return debug.Module{Path: path, Version: version} }
	dep := func(version string, replace *debug.Module) []*debug.Module {
		return []*debug.Module{
			{Path: "example.com/other", Version: "v9.0.0"}, {Path: module, Version: version, Replace: replace},
		}
	}
	own := main("example.com/own", "v7.0.0")
	for name, c := range map[string]struct {
		info            debug.BuildInfo
		version, commit string
	}{
		"released":     {debug.BuildInfo{Main: main(module, "v1.2.3"), Settings: commit}, "v1.2.3", "c0ffee"},
		"working copy": {debug.BuildInfo{Main: main(module, "(devel)"), Settings: commit}, "dev", "c0ffee"},
		"own build":    {debug.BuildInfo{Main: own, Deps: dep("v1.2.3", nil), Settings: commit}, "v1.2.3", ""},
		"own build of a working copy": {
			debug.BuildInfo{Main: own, Deps: dep("v0.0.0", &debug.Module{Path: "../.."})}, "dev", "",
		},
	} {
		if b := buildOf(&c.info); b.Version != c.version || b.Commit != c.commit {
			t.Errorf("%s: version %q, commit %q", name, b.Version, b.Commit)
		}
	}
}
