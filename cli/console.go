package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/cli/internal/prompt"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

func (c *command) consoleCommand() *cobra.Command {
	f, withPlan := &planFlags{}, false
	cmd := jsonCommand(&cobra.Command{
		Use: "console [DIR]", Args: atMost(1),
		Short: "Evaluate expressions, a line each, as they would be in the files; contacts servers with -plan alone",
		Long: `Evaluates each line as an expression of the files, and prints its value, until the input ends or a line is
exit. It knows the outputs too, as output.NAME. In a pipe, the first mistake ends it. Sensitive values are not shown.

With -plan it makes a plan first, as "syncctl plan" does, which only reads the servers. Expressions then know it as
plan, with the members of its JSON (docs/schemas/plan.schema.json): plan.steps, plan.changes with each difference,
plan.findings, plan.declared with what was seen. A member that the JSON leaves out is there, empty or null. If a run is
unfinished, the plan is that of the run. Without a plan the exit code is that of plan; if a guard refuses the plan, the
lines are still evaluated. (In a test, plan is a shorter one: docs/testing.md.)

With -json each value is one line, with the members of an output of "syncctl output -json"; -json-into=FILE keeps the
last one.`,
		Example: `  syncctl console
  echo 'keys(local.plants)' | syncctl console
  echo '[for s in plan.steps : s.id if s.manual != null]' | syncctl console -plan`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if withPlan {
				return c.consoleOfPlan(cmd.Context(), f)
			}
			if name := ofThePlan(cmd); name != "" {
				return failf(exitError, "-%s is about a plan: add -plan", name)
			}
			p, err := c.load(cmd.Context(), f.vars.list, false)
			if err != nil {
				return err
			}
			return c.console(cmd.Context(), p, nil)
		},
	})
	c.varFlags(cmd, &f.vars)
	cmd.Flags().BoolVar(&withPlan, "plan", false, "make a plan first, which only reads the servers, and know it as plan")
	c.targetFlags(cmd, &f.only)
	c.replaceFlag(cmd, &f.only)
	c.seenFlags(cmd, f)
	return cmd
}

// ofThePlan returns the flag that was given and is about a plan, or "" if there is none.
func ofThePlan(cmd *cobra.Command) string {
	found, own := "", cmd.LocalNonPersistentFlags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if own.Lookup(f.Name) != nil && !slices.Contains([]string{"var", "var-file", "var-command"}, f.Name) {
			found = f.Name
		}
	})
	return found
}

// consoleOfPlan makes a plan, or takes that of an unfinished run, and evaluates lines that may refer to it.
func (c *command) consoleOfPlan(ctx context.Context, f *planFlags) error {
	p, run, err := c.planned(ctx, f)
	if err != nil {
		return err
	}
	if err := f.fits(p.cfg, run); err != nil {
		return err
	}
	var plan *planner.Plan
	if run != nil && run.Damage == nil {
		c.warn("run %s is unfinished: plan is that of the run, with the steps that are done", schema.SanitizeLine(run.ID))
		plan = run.Plan
	} else {
		if run != nil {
			c.warn("%s", c.damaged(run))
		}
		from, err := c.asked(p, f)
		if err != nil {
			return err
		}
		if plan, err = c.makePlan(ctx, p, from); err != nil {
			return err
		}
	}
	value, err := planValue(plan)
	if err != nil {
		return err
	}
	refused := len(plan.Refusals()) > 0
	if refused {
		if err := view.Refusals(c.err, c.errStyle, plan); err != nil {
			return err
		}
	}
	err = c.console(ctx, p, map[string]cty.Value{"plan": value})
	if err == nil && refused {
		return exitQuietly(exitRefused)
	}
	return err
}

// console evaluates the lines of the input, which may refer to the given names, until it ends or a line is exit. In a
// pipe, the first mistake ends it.
func (c *command) console(ctx context.Context, p *project, given map[string]cty.Value) error {
	for {
		if c.app.tty.in && !c.flags.json {
			fmt.Fprint(c.out, "> ")
		}
		line, err := c.app.input.Read(ctx)
		switch {
		case errors.Is(err, prompt.ErrNobody):
			return nil
		case err != nil:
			return err
		}
		text := strings.TrimSpace(line)
		if text == "exit" {
			return nil
		}
		if text == "" {
			continue
		}
		val, diags := p.cfg.Evaluate(ctx, text, given)
		c.redactor = p.cfg.Redactor()
		if err := c.diagnostics(diags, p.cfg.Files); err != nil {
			return err
		}
		switch {
		case !diags.HasErrors():
			if err := c.showValue(val); err != nil {
				return err
			}
		case !c.app.tty.in:
			return exitQuietly(exitError)
		}
	}
}

// showValue prints a value, for programs as one line of JSON.
func (c *command) showValue(val cty.Value) error {
	if c.wantsJSON() {
		doc, err := shown(val, "")
		if err == nil {
			err = c.writeJSON(func(w io.Writer) error {
				enc := json.NewEncoder(w)
				enc.SetEscapeHTML(false)
				return enc.Encode(doc)
			})
		}
		if err != nil || c.flags.json {
			return err
		}
	}
	c.say("%s", view.Value(val))
	return nil
}
