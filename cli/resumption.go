package cli

import (
	"path/filepath"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/schema"
)

// resumption returns the commands that resume the run of this folder, as the person has to type them.
func (c *command) resumption(cfg *schema.Config, f *applyFlags) view.Commands {
	apply, resolve := "syncctl", "syncctl"
	if c.flags.chdir != "" {
		apply += " -chdir=" + shellquote.Join(c.flags.chdir)
	}
	for _, given := range [][2]string{{"policy", c.flags.policy}, {"site", c.flags.site}} { // for both commands
		if given[1] != "" {
			flag := " -" + given[0] + "=" + shellquote.Join(given[1])
			apply, resolve = apply+flag, resolve+flag
		}
	}
	apply += " apply"
	for i, v := range f.vars.list {
		switch {
		case v.File != "":
			apply += " -var-file=" + shellquote.Join(v.File)
		case v.Read != nil:
			apply += " -var-command " + shellquote.Join(c.shownCommand(v.Name, f.vars.typed[i]))
		default:
			apply += " -var " + shellquote.Join(c.shownAssignment(cfg, v.Assign))
		}
	}
	if c.dirName != "." {
		apply += " " + shellquote.Join(c.dirName)
	}
	dir := c.dirName
	if c.flags.chdir != "" && !filepath.IsAbs(dir) {
		dir = filepath.Join(c.flags.chdir, dir)
	}
	if dir != "." { // resolve has no argument for the folder
		resolve += " -chdir=" + shellquote.Join(dir)
	}
	return view.Commands{Apply: apply, Resolve: resolve + " resolve", Send: resolve + " send",
		Receive: resolve + " receive"}
}

// shownAssignment returns a -var. It omits the value if that may be a secret, because a value quoted for a shell would
// not be redacted.
func (c *command) shownAssignment(cfg *schema.Config, assign string) string {
	name, _, ok := strings.Cut(assign, "=")
	if !ok || cfg.SecretVariable(strings.TrimSpace(name)) || c.redactor.String(assign) != assign {
		return strings.TrimSpace(name) + "=..."
	}
	return assign
}

// shownCommand returns a -var-command. It omits the command if that contains a secret.
func (c *command) shownCommand(name, typed string) string {
	if c.redactor.String(typed) != typed {
		return name + "=..."
	}
	return typed
}
