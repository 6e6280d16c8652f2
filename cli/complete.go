package cli

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
)

// completion is what a shell is offered. No function of it contacts a server.
type completion func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

// first completes the first argument alone; files are offered beside the words where there may be any.
func (c *command) first(files bool, words func(ctx context.Context) []cobra.Completion) completion {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || c.begin() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if files {
			return words(cmd.Context()), cobra.ShellCompDirectiveDefault
		}
		return words(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFolder is for an argument that is a folder.
func completeFolder(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeEnding is for files whose names end so.
func completeEnding(endings ...string) completion {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completeRuns are the runs of the folder, the newest first.
func (c *command) completeRuns(ctx context.Context) []cobra.Completion {
	if c.ownDataDir() != nil {
		return nil
	}
	ids, _ := c.store().IDs() // completion has no place for an error
	out := c.completePlans(ctx)
	if len(ids) > 0 {
		out = append(out, cobra.CompletionWithDesc("latest", "the last run"))
	}
	for _, id := range slices.Backward(ids) {
		if !offered(id) {
			continue
		}
		out = append(out, cobra.CompletionWithDesc(id, "a run"))
	}
	return out
}

// offered tells whether a name that anybody may have given is offered: as it would be put on the command line, it would
// be no flag, is what the shell shows, and would run nothing, whatever a shell forgets to quote.
func offered(name string) bool {
	return printable.Line(name) == name && !strings.HasPrefix(name, "-") && !strings.HasPrefix(name, "_activeHelp_") &&
		!strings.ContainsAny(name, "$`()<>;&|'\"\\")
}

// completePlans are the plan files of the folder.
func (c *command) completePlans(context.Context) []cobra.Completion {
	infos, _ := afero.ReadDir(c.app.fs, c.cwd) // completion has no place for an error
	var out []cobra.Completion
	for _, info := range infos {
		if !info.IsDir() && strings.HasSuffix(info.Name(), planSuffix) && offered(info.Name()) {
			out = append(out, cobra.CompletionWithDesc(info.Name(), "a saved plan"))
		}
	}
	return out
}

// declared is the configuration as far as names need it: nobody waits for the rules of its types, which take longer
// than all else.
func (c *command) declared(ctx context.Context) *schema.Config {
	debug.SetGCPercent(-1) // the process is about to end; collecting takes as long as all else
	debug.SetMemoryLimit(256 << 20)
	catalog, _ := c.catalog()
	for i := range catalog {
		catalog[i].Check = nil
	}
	cfg, _ := schema.Load(ctx, schema.Options{ // mistakes are for validate to report
		Fs: c.files(), Dir: c.dirName, Catalog: catalog, Version: version(), Env: c.app.env, AllowUnset: true,
		Access: c.access(), Room: c.room(),
	})
	c.redactor = cfg.Redactor()
	return cfg
}

func (c *command) completeOutputs(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, o := range c.declared(ctx).Outputs {
		out = append(out, cobra.CompletionWithDesc(o.Name, o.Description))
	}
	return out
}

// completeArguments has all commands whose arguments are known offer them.
func (c *command) completeArguments(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		switch {
		case cmd.ValidArgsFunction != nil:
		case cmd.Name() == "show", cmd.Name() == "graph":
			cmd.ValidArgsFunction = c.first(true, c.completeRuns)
		case cmd.Name() == "apply":
			cmd.ValidArgsFunction = c.first(true, c.completePlans)
		case cmd.Name() == "output":
			cmd.ValidArgsFunction = c.first(false, c.completeOutputs)
		case cmd.Name() == "rehearse" || cmd.Name() == "sandbox":
			cmd.ValidArgsFunction = c.first(true, func(context.Context) []cobra.Completion { return c.completeExamples() })
		case cmd.Name() == "fmt":
			cmd.ValidArgsFunction = completeEnding("sync.hcl", "syncvars.hcl")
		case strings.HasSuffix(cmd.Use, "[DIR]"):
			cmd.ValidArgsFunction = completeFolder
		case cmd.Args != nil && !strings.Contains(cmd.Use, " "):
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		c.completeArguments(cmd)
		if flag := cmd.Flags().Lookup("var-file"); flag != nil {
			_ = cmd.RegisterFlagCompletionFunc("var-file", completeEnding("syncvars.hcl"))
		}
	}
}
