package cli

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

type outputFlags struct {
	vars variables
	raw  bool
}

func (c *command) outputCommand() *cobra.Command {
	f := &outputFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "output [NAME]", Args: atMost(1),
		Short: "Show the values of the output blocks; contacts no server",
		Long: `Shows the values of the output blocks, of one with NAME. They are computed from the files and variables:
no server is contacted. A sensitive value is never shown, nor is its type, also not by -json and -raw.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := c.load(cmd.Context(), f.vars.list, false)
			if err != nil {
				return err
			}
			return c.showOutputs(p.cfg.Outputs, strings.Join(args, ""), f.raw)
		},
	})
	c.varFlags(cmd, &f.vars)
	cmd.Flags().BoolVar(&f.raw, "raw", false, "the text, number or boolean of NAME alone, without quotes or a newline")
	return cmd
}

func (c *command) showOutputs(all []schema.Output, name string, raw bool) error {
	if name == "" {
		if raw {
			return failf(exitError, "give the NAME of an output: -raw shows one value")
		}
		return c.allOutputs(all)
	}
	var names []string
	for _, o := range all {
		if o.Name != name {
			names = append(names, o.Name)
			continue
		}
		if raw {
			return c.rawOutput(o)
		}
		if c.wantsJSON() {
			doc, err := outputJSON(o.Value)
			if err != nil {
				return err
			}
			if err := c.document(doc); err != nil || c.flags.json {
				return err
			}
		}
		c.say("%s", view.Value(o.Value))
		return nil
	}
	return failf(exitError, "there is no output %q.%s", name, args.DidYouMean(name, names, ""))
}

// rawOutput writes a text unchanged.
func (c *command) rawOutput(o schema.Output) error {
	if schema.IsSensitive(o.Value) {
		return failf(exitError, "output %q is sensitive: it is not shown", o.Name)
	}
	val, err := convert.Convert(o.Value, cty.String)
	if err != nil || val.IsNull() || !val.IsKnown() {
		return failf(exitError, "output %q is not a text, number or boolean: -json shows it", o.Name)
	}
	_, err = c.out.Write([]byte(val.AsString()))
	return err
}

// shownOutput is an output in the format of -json.
type shownOutput struct {
	Sensitive   bool   `json:"sensitive"`             // it is not shown
	Description string `json:"description,omitempty"` // of an output, as declared
	Type        any    `json:"type"`                  // "string", ["list", "number"], as Terraform; sensitive: "dynamic"
	Value       any    `json:"value"`                 // null if it is sensitive, or not known before a run
}

func (c *command) allOutputs(all []schema.Output) error {
	if c.wantsJSON() {
		doc := map[string]shownOutput{}
		for _, o := range all {
			one, err := shown(o.Value, o.Description)
			if err != nil {
				return err
			}
			doc[o.Name] = one
		}
		if err := c.document(doc); err != nil || c.flags.json {
			return err
		}
	}
	if len(all) == 0 {
		c.say("The configuration has no outputs.")
	}
	for _, o := range all {
		c.say("%s = %s", o.Name, view.Value(o.Value))
	}
	return nil
}

// shown returns a value in the format of -json.
func shown(v cty.Value, description string) (shownOutput, error) {
	value, err := outputJSON(v)
	if err != nil {
		return shownOutput{}, err
	}
	of := v.Type()
	if schema.IsSensitive(v) { // the names of attributes may be secret too
		of = cty.DynamicPseudoType
	}
	ty, err := ctyjson.MarshalType(of)
	return shownOutput{Sensitive: schema.IsSensitive(v), Description: description, Type: json.RawMessage(ty),
		Value: value}, err
}

// outputJSON returns null for a value that is sensitive or not wholly known.
func outputJSON(v cty.Value) (json.RawMessage, error) {
	if schema.IsSensitive(v) || !v.IsWhollyKnown() {
		return json.RawMessage("null"), nil
	}
	return ctyjson.Marshal(v, v.Type())
}
