package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/schema"
	"github.com/syncctl/syncctl/schema/functions"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func (c *command) metadataCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "metadata", Args: atMost(0), Short: "What this program knows of its language, for programs",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(jsonCommand(&cobra.Command{
		Use: "functions", Args: atMost(0),
		Short: "The functions that expressions can call; -json in the format of Terraform's command",
		RunE: func(*cobra.Command, []string) error {
			if c.wantsJSON() {
				doc, err := functionMetadata()
				if err != nil {
					return err
				}
				if err := c.document(doc); err != nil || c.flags.json {
					return err
				}
			}
			for _, f := range schema.Functions() {
				c.say("%s\n    %s", f.Signature(), f.Summary)
			}
			return nil
		},
	}))
	return cmd
}

// metadata is the document of terraform metadata functions -json.
type metadata struct {
	Version    string                       `json:"format_version"`      // 1.0
	Signatures map[string]functionSignature `json:"function_signatures"` // by the names of the functions
}

type functionSignature struct {
	Description string              `json:"description,omitempty"`        // what it returns
	Returns     json.RawMessage     `json:"return_type"`                  // "string", ["list", "number"]
	Parameters  []functionParameter `json:"parameters,omitempty"`         // in their order
	Variadic    *functionParameter  `json:"variadic_parameter,omitempty"` // any number of arguments more
}

type functionParameter struct {
	Name        string          `json:"name,omitempty"`        // for people
	Description string          `json:"description,omitempty"` // what it is
	Nullable    bool            `json:"is_nullable,omitempty"` // it may be null
	Type        json.RawMessage `json:"type"`                  // as of return_type
}

func functionMetadata() (metadata, error) {
	doc := metadata{Version: "1.0", Signatures: map[string]functionSignature{}}
	for _, f := range schema.Functions() {
		sig, err := signatureOf(&f)
		if err != nil {
			return doc, err
		}
		doc.Signatures[f.Name] = sig
	}
	return doc, nil
}

func signatureOf(f *functions.Function) (functionSignature, error) {
	sig := functionSignature{Description: f.Summary}
	for _, p := range f.Func.Params() {
		described, err := parameterOf(p)
		if err != nil {
			return sig, err
		}
		sig.Parameters = append(sig.Parameters, described)
	}
	if p := f.Func.VarParam(); p != nil {
		described, err := parameterOf(*p)
		if err != nil {
			return sig, err
		}
		sig.Variadic = &described
	}
	var err error
	sig.Returns, err = ctyjson.MarshalType(f.Returns())
	return sig, err
}

func parameterOf(p function.Parameter) (functionParameter, error) {
	text, err := ctyjson.MarshalType(functions.Type(p))
	return functionParameter{Name: p.Name, Description: p.Description, Nullable: p.AllowNull, Type: text}, err
}
