package cli

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/schema"
)

// validateDoc is the document of validate -json.
type validateDoc struct {
	Valid       bool                    `json:"valid"`         // no error was found
	Errors      int                     `json:"error_count"`   // how many were found
	Warnings    int                     `json:"warning_count"` // how many were found
	Diagnostics []schema.DiagnosticView `json:"diagnostics"`   // by file and line; of many that are alike, the first
}

func (c *command) validateCommand() *cobra.Command {
	vars := &variables{}
	cmd := jsonCommand(&cobra.Command{
		Use: "validate [DIR]", Args: atMost(1),
		Short: "Check the files and report every mistake at its line; contacts no server",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.enterArg(args); err != nil {
				return err
			}
			if c.wantsJSON() {
				if c.foundPolicy {
					if err := c.comesAlong(c.dir); err != nil {
						return err
					}
				}
				return c.validateJSON(cmd, vars)
			}
			if _, err := c.load(cmd.Context(), vars.list, true); err != nil {
				return err
			}
			c.say("%s The configuration is valid.", c.outStyle.Good("Success!"))
			return nil
		},
	})
	c.varFlags(cmd, vars)
	return cmd
}

func (c *command) validateJSON(cmd *cobra.Command, vars *variables) error {
	p, diags := c.read(cmd.Context(), vars.list, true)
	diags = reworded(diags, c.long.cut)
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	var files map[string]*hcl.File
	if len(diags) > 0 {
		files = p.cfg.Files()
	}
	doc := validateDoc{Valid: !diags.HasErrors(), Diagnostics: schema.Views(diags, files)}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			doc.Errors++
		} else {
			doc.Warnings++
		}
	}
	if err := c.document(doc); err != nil {
		return err
	}
	if !c.flags.json {
		if err := c.printDiagnostics(diags, files); err != nil {
			return err
		}
		if doc.Valid {
			c.say("%s The configuration is valid.", c.outStyle.Good("Success!"))
		}
	}
	if !doc.Valid {
		return exitQuietly(exitError)
	}
	return nil
}
