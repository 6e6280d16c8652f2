package cli

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build describes how the program was built.
type build struct {
	Version  string `json:"version"`            // "dev" for a working copy
	Commit   string `json:"commit,omitempty"`   // that it was built from
	Date     string `json:"date,omitempty"`     // of the commit
	Modified bool   `json:"modified,omitempty"` // the commit was changed
	Go       string `json:"go"`                 // version of the compiler
	Platform string `json:"platform"`           // operating system and architecture
}

// module is the module path of syncctl, which is not the main module of a program with other products.
const module = "github.com/syncctl/syncctl"

func buildInfo() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "dev", Platform: platform()}
	}
	return buildOf(info)
}

// buildOf returns the version of syncctl in any program. The commit is known only in syncctl's own program.
func buildOf(info *debug.BuildInfo) build {
	b := build{Version: "dev", Go: info.GoVersion, Platform: platform()}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module && m.Replace == nil && m.Version != "" && m.Version != "(devel)" {
			b.Version = m.Version
		}
	}
	if info.Main.Path != module {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// version returns the version of syncctl, or "dev" for a working copy.
func version() string { return buildInfo().Version }

func (c *command) versionCommand() *cobra.Command {
	return jsonCommand(&cobra.Command{
		Use: "version", Short: "Version, commit and platform of this program", Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo()
			if err := c.document(b); err != nil || c.flags.json {
				return err
			}
			c.say("syncctl %s", b.Version)
			if b.Commit != "" {
				dirty := ""
				if b.Modified {
					dirty = ", with local changes"
				}
				c.say("commit %s of %s%s", b.Commit, b.Date, dirty)
			}
			c.say("%s on %s", b.Go, b.Platform)
			return nil
		},
	})
}
