package cli

import (
	"encoding/json"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/output"
)

// build is what the program knows of itself.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // of the commit
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildInfo() build {
	b := build{Version: "dev", Platform: platform()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
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

// version is the program's, "dev" when it was built from a working copy.
func version() string { return buildInfo().Version }

func (c *command) versionCommand() *cobra.Command {
	return jsonCommand(&cobra.Command{
		Use: "version", Short: "Version, commit and platform of this program", Args: atMost(0),
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo()
			if c.flags.json {
				return c.document(b)
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

// document prints one JSON document.
func (c *command) document(v any) error {
	w := output.NewBuffer(c.out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	return w.Flush()
}
