package cli

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/ci"
	"github.com/syncctl/syncctl/schema"
)

// initDoc is the document of init -json.
type initDoc struct {
	Folder  string   `json:"folder"`            // as it was given
	Files   []string `json:"files"`             // those that were written, in the folder
	Secrets []string `json:"secrets,omitempty"` // the names of the variables that have no value yet
	Next    []string `json:"next,omitempty"`    // commands to continue with
}

// examplesDoc is the document of init -examples -json.
type examplesDoc struct {
	Examples []exampleDoc `json:"examples"` // by name
}

type exampleDoc struct {
	Name    string `json:"name"`    // for -example
	Summary string `json:"summary"` // what it shows
}

type initFlags struct {
	example string
	ci      string
	set     []string
	list    bool
}

func (c *command) initCommand() *cobra.Command {
	f := &initFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "init [DIR]", Args: atMost(1),
		Short: "Write a first configuration from your answers, or an example to rehearse; contacts no server",
		Long: `Asks what you have (which product, how the servers are connected, their addresses, where passwords come
from), and writes a configuration that is valid into DIR (default: the working folder). Without a terminal, -set
gives the answers; what is missing is listed. With -example it writes the files of an example, which is a part of
the program; with -ci those with which a CI system plans, reviews and applies. No file is ever replaced.`,
		Example: `  syncctl init
  syncctl init -examples
  syncctl init -example=behind-firewall-master first
  syncctl init -ci=github`,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			switch {
			case f.ci != "" && (f.list || f.example != "" || len(f.set) > 0):
				return failf(exitError, "-ci writes the files of a CI system and nothing else: leave out the other flags")
			case f.ci != "":
				return c.initCI(f.ci, dir)
			case f.list:
				return c.listExamples()
			case f.example == "":
				return c.initAsk(cmd.Context(), f.set, dir)
			case len(f.set) > 0:
				return failf(exitError, "-set answers questions, and an example asks none: leave out -set or -example")
			}
			return c.initExample(f.example, dir)
		},
	})
	cmd.Flags().StringVar(&f.example, "example", "", "write the example of this `NAME`")
	cmd.Flags().StringVar(&f.ci, "ci", "", "write the files for a CI `SYSTEM`: "+strings.Join(ci.Systems(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("ci", cobra.FixedCompletions(ci.Systems(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "the answer to a question, as `NAME=VALUE`; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("set", func(
		*cobra.Command, []string, string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.completeAnswers(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	cmd.Flags().BoolVar(&f.list, "examples", false, "list the examples")
	_ = cmd.RegisterFlagCompletionFunc("example", func(
		*cobra.Command, []string, string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.completeExamples(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (c *command) completeExamples() []cobra.Completion {
	all, _ := c.examples() // completion cannot report an error
	var out []cobra.Completion
	for _, e := range all {
		out = append(out, cobra.CompletionWithDesc(e.name, e.summary))
	}
	return out
}

func (c *command) listExamples() error {
	all, err := c.examples()
	if err != nil {
		return err
	}
	if c.wantsJSON() {
		doc := examplesDoc{Examples: []exampleDoc{}}
		for _, e := range all {
			doc.Examples = append(doc.Examples, exampleDoc{e.name, e.summary})
		}
		if err := c.document(doc); err != nil || c.flags.json {
			return err
		}
	}
	if len(all) == 0 {
		c.say("This program has no examples.")
	}
	width := 0
	for _, e := range all {
		width = max(width, len(e.name))
	}
	for _, e := range all {
		c.say("%-*s  %s", width, e.name, e.summary)
	}
	return nil
}

func (c *command) initExample(name, dir string) error {
	e, err := c.example(name)
	if err != nil {
		return err
	}
	texts, err := e.texts()
	if err != nil {
		return err
	}
	if err := c.create(texts, c.abs(dir)); err != nil {
		return err
	}
	next := "syncctl rehearse " + shellquote.Join(filepath.Clean(dir))
	if done, err := c.initialized(dir, texts, nil, next); done {
		return err
	}
	c.say("Wrote the example %s to %s. Its README.md says what it shows. Now:", e.name, schema.SanitizeLine(dir))
	c.say("  %s", next)
	return nil
}

// initialized writes what init has done as JSON, if that is wanted. It reports whether nothing else is to be written.
func (c *command) initialized(
	dir string, texts map[string][]byte, secrets []string, next ...string,
) (done bool, err error) {
	err = c.document(initDoc{Folder: dir, Files: slices.Sorted(maps.Keys(texts)), Secrets: secrets, Next: next})
	return err != nil || c.flags.json, err
}
