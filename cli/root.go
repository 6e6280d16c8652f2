package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// takesArguments marks commands that have both arguments and subcommands.
const takesArguments = "arguments"

// speaksJSON marks the commands that have -json.
const speaksJSON = "json"

// root returns the tree of all commands.
func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "syncctl",
		Short: "Declare synchronizations and migrations; syncctl plans them, carries them out, and verifies every step",
		Long: `syncctl reads what you declare in *.sync.hcl files, compares it with the live servers, and plans the
steps between the two. It carries them out, verifies each against the servers, and can be stopped and resumed at
any point.

  syncctl init           write a first configuration, or an example to rehearse
  syncctl rehearse DIR   the whole flow against simulated servers, on this machine
  syncctl doctor         is every server reached, with the right user, role, version and certificate?
  syncctl plan           what would be done, and why; changes nothing
  syncctl apply          do it
  syncctl drift          what was changed from outside since?
  syncctl docs           what can be written and typed, word by word

Exit codes: 0 done, or no changes · 1 error · 2 changes (plan -detailed-exitcode), or drift ·
3 not formatted (fmt -check) · 4 waiting for a person or another site ·
5 stopped after some steps were done, resume with apply · 6 the plan is stale · 7 another run holds the lock ·
8 refused by a guard · 9 declined ·
70 a fault of syncctl, resume with apply · 130 interrupted at a safe point · 134 crashed, such as without memory ·
141 nobody reads the rest of the output (tools of products).

Environment: SYNCCTL_LOG (trace, debug, info, warn, error, json, off), SYNCCTL_LOG_PATH, SYNCCTL_VAR_name,
SYNCCTL_INPUT=0, SYNCCTL_IN_AUTOMATION, SYNCCTL_CLI_ARGS, SYNCCTL_CLI_ARGS_command, SYNCCTL_DATA_DIR (.syncctl),
SYNCCTL_CONFIG_DIR (your key and policy), SYNCCTL_POLICY, SYNCCTL_SITE, SYNCCTL_SITE_KEY (the site's SSH key),
NO_COLOR, FORCE_COLOR, CI, COLUMNS.

Colours: -color=always and -color=never decide; else -no-color, then NO_COLOR turn them off; else FORCE_COLOR (but 0)
turns them on; else they are on where the output is a terminal and TERM is not dumb.`,
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.ArbitraryArgs,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if err := c.mayBeJSON(cmd); err != nil {
				return err
			}
			if err := noneEmpty(cmd); err != nil {
				return err
			}
			if err := c.begin(); err != nil {
				return err
			}
			c.typed, c.typedArgs = cmd.Flags(), args
			if err := c.emptyInto(); err != nil {
				return err
			}
			return c.openPolicy()
		},
		Version: version(),
	}
	root.SetVersionTemplate("syncctl {{.Version}}\n")
	root.SetIn(c.app.stdin)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(c.helpCommand())
	root.SetHelpFunc(c.showHelp(root.HelpFunc()))
	c.commonFlags(root)
	c.addCommands(root)
	c.completeArguments(root)
	return root
}

// addCommands adds all commands. Help sorts them.
func (c *command) addCommands(root *cobra.Command) {
	root.AddCommand(
		c.applyCommand(),
		c.bundleCommand(),
		c.ciCommand(),
		c.completionCommand(),
		c.consoleCommand(),
		c.docsCommand(),
		c.doctorCommand(),
		c.driftCommand(),
		c.explainCommand(),
		c.fmtCommand(),
		c.graphCommand(),
		c.importCommand(),
		c.initCommand(),
		c.lspCommand(),
		c.metadataCommand(),
		c.outputCommand(),
		c.planCommand(),
		c.recordCommand(),
		c.policyCommand(),
		c.receiveCommand(),
		c.rehearseCommand(),
		c.resolveCommand(),
		c.sandboxCommand(),
		c.schemaCommand(),
		c.sendCommand(),
		c.showCommand(),
		c.statusCommand(),
		c.testCommand(),
		c.validateCommand(),
		c.versionCommand(),
	)
	for _, p := range c.app.products {
		if cmd := c.toolsCommand(p); cmd != nil {
			root.AddCommand(cmd)
		}
	}
}

// commonFlags adds the flags that may be given before or after every command.
func (c *command) commonFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&c.flags.chdir, "chdir", "", "work in another `DIR`")
	c.flags.color = enumeration{value: "auto", values: []string{"auto", "always", "never"}}
	flags.Var(&c.flags.color, "color", "`WHEN` there are colours: auto, always or never")
	_ = root.RegisterFlagCompletionFunc("color", c.flags.color.complete)
	flags.BoolVar(&c.flags.noColor, "no-color", false, "no colours")
	flags.BoolVar(&c.flags.compact, "compact-warnings", false, "warnings that come without an error in a line each, and "+
		"the notes of a plan")
	flags.BoolVar(&c.flags.json, "json", false, "JSON output, for programs; docs/schemas says what is in it")
	flags.StringVar(&c.flags.jsonInto, "json-into", "", "write what -json prints into `FILE`, beside the text for "+
		"people")
	flags.StringVar(&c.flags.site, "site", "", "act for the site `NAME`: contact its servers alone, and need no "+
		"secrets of others")
	_ = root.RegisterFlagCompletionFunc("site", c.words(c.completeSites))
	flags.StringVar(&c.flags.policy, "policy", "", "what configurations may do, from this `FILE`")
	flags.BoolVar(&c.flags.untrusted, "untrusted", false, "nobody has reviewed the files: no environment, commands or "+
		"keys for them, and no hosts but the policy's")
	c.completeFlags(root)
}

// jsonCommand marks a command as one that has -json.
func jsonCommand(cmd *cobra.Command) *cobra.Command {
	cmd.Annotations = map[string]string{speaksJSON: "yes"}
	return cmd
}

// noJSON holds the commands without -json, and why they have none.
var noJSON = map[string]string{
	"help": "its output is text for people; `syncctl schema -json` describes all commands",
	"lsp":  "its output is the protocol of editors, which is JSON",
}

// groupJSON is why a command that only has others below it has no -json.
const groupJSON = "it is the name of several commands; give one of them"

// toolsJSON is why the tools of products have no -json.
const toolsJSON = "its output is the file that it makes"

// nameOf returns the words of a command after the program's name.
func nameOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()), " ")
}

// mayBeJSON refuses -json and -json-into for a command that has none.
func (c *command) mayBeJSON(cmd *cobra.Command) error {
	if why := withoutJSON(cmd); c.wantsJSON() && why != "" {
		return failf(exitError, "%s has no -json: %s", cmd.CommandPath(), why)
	}
	return nil
}

// withoutJSON returns why a command has no -json, or "" if it has.
func withoutJSON(cmd *cobra.Command) string {
	switch {
	case cmd.Annotations[speaksJSON] != "" || strings.HasPrefix(cmd.Name(), "__"):
		return ""
	case cmd.Annotations[productsTool] != "":
		return toolsJSON
	case cmd.HasSubCommands():
		return groupJSON
	}
	return noJSON[cmd.Name()]
}

// atMost is cobra.MaximumNArgs with our message.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return failf(exitError, "unexpected argument of %s: %q.\nUsage: %s",
				cmd.CommandPath(), strings.Join(args[n:], " "), cmd.UseLine())
		}
		return nil
	}
}

// one is cobra.ExactArgs(1) with our message; what describes the argument.
func one(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return failf(exitError, "%s needs %s.\nUsage: %s", cmd.CommandPath(), what, cmd.UseLine())
		}
		return atMost(1)(cmd, args)
	}
}
