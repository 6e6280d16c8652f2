package cli

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/output"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
)

// completion returns what a shell offers. No function of this type contacts a server.
type completion func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

// offer tells a shell what it may offer. An incomplete word is not a mistake.
func (c *command) offer(ctx context.Context, root *cobra.Command, typed []string) error {
	words, dash := completing(root, typed)
	root.SetArgs(words)
	offers := output.NewBuffer(c.out) // they are written one by one
	root.SetOut(offers)
	if dash {
		root.SetOut(oneDash{offers})
	}
	return errors.Join(root.ExecuteContext(ctx), offers.Flush())
}

// first completes only the first argument. If files is set, files are offered in addition to the words.
func (c *command) first(files bool, words func(ctx context.Context) []cobra.Completion) completion {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		diff := cmd.Flags().Lookup("diff") // it compares two plans or runs
		more := diff != nil && diff.Changed && cmd.Name() == "show" && len(args) == 1
		if len(args) > 0 && !more || c.begin() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if files {
			return matching(words(cmd.Context()), typed), cobra.ShellCompDirectiveDefault
		}
		return matching(words(cmd.Context()), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// words completes a flag with words from the configuration in the command's folder.
func (c *command) words(words func(ctx context.Context) []cobra.Completion) completion {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if c.begin() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if len(args) > 0 && strings.Contains(cmd.Use, "DIR]") {
			_ = c.enter(args[0]) // if it is a plan, the plan belongs to this folder
		}
		return matching(words(cmd.Context()), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// matching returns the words that begin with what was typed, in whatever case, so that a shell need not look through
// thousands. If none does, the quotes of keys do not count, which a shell has taken off. Some shells also offer words
// that contain it: if none begins with it, all are returned.
func matching(words []cobra.Completion, typed string) []cobra.Completion {
	if typed == "" {
		return words
	}
	var out []cobra.Completion
	for _, word := range words {
		if hasPrefixFold(word, typed) {
			out = append(out, word)
		}
	}
	if len(out) > 0 {
		return out
	}
	bare := withoutQuotes(typed)
	for _, word := range words {
		if hasPrefixFold(withoutQuotes(word), bare) {
			out = append(out, word)
		}
	}
	if len(out) == 0 {
		return words
	}
	return out
}

func hasPrefixFold(word, typed string) bool {
	return len(word) >= len(typed) && strings.EqualFold(word[:len(typed)], typed)
}

func withoutQuotes(text string) string { return strings.ReplaceAll(text, `"`, "") }

// completeFolder completes an argument that is a folder.
func completeFolder(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeEnding completes files whose names end with one of these.
func completeEnding(endings ...string) completion {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completePlansAndRuns returns the saved plans and the runs of the folder.
func (c *command) completePlansAndRuns(ctx context.Context) []cobra.Completion {
	return append(c.completePlans(ctx), c.completeRuns(ctx)...)
}

// completeRuns returns the runs of the folder, newest first.
func (c *command) completeRuns(context.Context) []cobra.Completion {
	if c.ownDataDir() != nil {
		return nil
	}
	ids, _ := c.store().IDs() // completion cannot report an error
	var out []cobra.Completion
	if len(ids) > 0 {
		out = append(out, cobra.CompletionWithDesc("latest", "the last run"))
	}
	for _, id := range slices.Backward(ids) {
		if !c.offered(id) {
			continue
		}
		out = append(out, cobra.CompletionWithDesc(id, "a run"))
	}
	return out
}

// quotesVariable is the environment variable that scripts for shells set if they quote whatever they insert.
const quotesVariable = "SYNCCTL_COMPLETION_QUOTES"

// offered reports whether a name, which anybody may have chosen, is safe to offer. On the command line it must not be
// a flag and must look as the shell shows it. If the shell may forget to quote it, it must have no character that could
// run something.
func (c *command) offered(name string) bool {
	_, quotes := c.app.env(quotesVariable)
	return printable.Line(name) == name && !strings.HasPrefix(name, "-") && !strings.HasPrefix(name, "_activeHelp_") &&
		(quotes || !strings.ContainsAny(name, "$`()<>;&|'\"\\"))
}

// offeredAddress reports whether an address is offered: anybody may have given its keys. Their quotes do not count.
func (c *command) offeredAddress(addr string) bool { return c.offered(withoutQuotes(addr)) }

// completePlans returns the plan files of the folder.
func (c *command) completePlans(context.Context) []cobra.Completion {
	infos, _ := afero.ReadDir(c.app.fs, c.cwd) // completion cannot report an error
	var out []cobra.Completion
	for _, info := range infos {
		if !info.IsDir() && strings.HasSuffix(info.Name(), planSuffix) && c.offered(info.Name()) {
			out = append(out, cobra.CompletionWithDesc(info.Name(), "a saved plan"))
		}
	}
	return out
}

// declared returns what the configuration declares, without values.
func (c *command) declared(ctx context.Context) *schema.Config {
	debug.SetGCPercent(-1) // the process ends soon; collecting takes as long as everything else
	debug.SetMemoryLimit(256<<20 + unusedSize)
	cfg := schema.Names(ctx, c.asDeclared()) // validate reports mistakes
	c.redactor = cfg.Redactor()
	return cfg
}

// asDeclared returns the options for reading the configuration's names. At the tabulator nobody has decided to trust
// the files, whatever the policy says: they read no environment and no files elsewhere, and the prompt comes back soon.
func (c *command) asDeclared() schema.Options {
	catalog, _ := c.catalog()
	var none *policy.Policy
	untrusted := none.Untrusted()
	return schema.Options{Fs: c.files(), Dir: c.dirName, Catalog: catalog, Version: version(), Env: c.exactEnv,
		AllowUnset: true, Room: schema.AtPrompt, Access: schema.Access{Env: untrusted.Environment,
			ReadFile: func(r schema.Reading) error { return untrusted.File(r.Path) }}}
}

// completeSites returns the sites of the configuration.
func (c *command) completeSites(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, s := range c.declared(ctx).Settings.Sites {
		out = append(out, s.Name)
	}
	return out
}

// completeTests returns the files of tests, and the runs in them.
func (c *command) completeTests(ctx context.Context) []cobra.Completion {
	tests, _, _ := schema.ReadTests(ctx, c.asDeclared()) // test reports what is wrong
	var out []cobra.Completion
	for _, t := range tests {
		if !c.offered(t.File) {
			continue
		}
		out = append(out, t.File)
		for _, r := range t.Runs {
			if c.offered(r.Name) {
				out = append(out, cobra.CompletionWithDesc(r.Name, "a run of "+t.File))
			}
		}
	}
	return out
}

func (c *command) completeOutputs(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, o := range c.declared(ctx).Outputs {
		out = append(out, cobra.CompletionWithDesc(o.Name, o.Description))
	}
	return out
}

// completeArguments sets up the completion of the arguments and flags of all commands.
func (c *command) completeArguments(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		switch {
		case cmd.ValidArgsFunction != nil:
		case cmd.Name() == "show", cmd.Name() == "graph":
			cmd.ValidArgsFunction = c.first(true, c.completePlansAndRuns)
		case cmd.Name() == "record":
			cmd.ValidArgsFunction = c.first(false, c.completeRuns)
		case cmd.Name() == "apply":
			cmd.ValidArgsFunction = c.first(true, c.completePlans)
		case cmd.Name() == "output":
			cmd.ValidArgsFunction = c.first(false, c.completeOutputs)
		case cmd.Name() == "rehearse" || cmd.Name() == "sandbox":
			cmd.ValidArgsFunction = c.first(true, func(context.Context) []cobra.Completion { return c.completeExamples() })
		case cmd.Name() == "fmt":
			cmd.ValidArgsFunction = completeEnding("sync.hcl", "syncvars.hcl", "synctest.hcl")
		case strings.HasSuffix(cmd.Use, "[DIR]"):
			cmd.ValidArgsFunction = completeFolder
		case cmd.Args != nil && !strings.Contains(cmd.Use, " "):
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		c.completeFlags(cmd)
		c.completeArguments(cmd)
	}
}

// freeText holds the flags whose values nobody can offer. Each other flag takes a file or a folder, or completes its
// values itself.
var freeText = []string{"author", "expect", "parallelism", "reason", "serve", "serve-wait", "timeout", "title", "url",
	"user"}

// completeFlags sets up the completion of a command's flags, unless they have one. For a flag that takes a file, the
// shell offers files.
func (c *command) completeFlags(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if _, known := cmd.GetFlagCompletionFunc(flag.Name); known || flag.NoOptDefVal != "" {
			return
		}
		switch kind, _ := pflag.UnquoteUsage(flag); {
		case flag.Name == "against":
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, c.plansOrFiles)
		case flag.Name == "observations":
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, completeEnding("jsonl", "json"))
		case flag.Name == "var-file":
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, completeEnding("syncvars.hcl", "syncvars.hcl.json"))
		case kind == "DIR":
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs))
		case slices.Contains(freeText, flag.Name):
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.NoFileCompletions)
		}
	})
}
