package cli

import (
	"io"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
)

// pictureDoc is the document of graph -json.
type pictureDoc struct {
	Format  string `json:"format"`             // mermaid, dot or svg
	Picture string `json:"picture"`            // in that format
	LeftOut int    `json:"left_out,omitempty"` // how many declarations are not in it, because there are too many
}

func (c *command) graphCommand() *cobra.Command {
	format := enumeration{value: "mermaid", values: []string{"mermaid", "dot", "svg"}}
	cmd := jsonCommand(&cobra.Command{
		Use: "graph [PLAN|RUN|latest]", Args: atMost(1),
		Short: "Draw the servers of a plan or a run and what links them; contacts no server",
		Long: `Draws servers by site, the synchronizations between them with their trigger and state, keystores, and
what the steps of the plan change. The picture of "latest", the last run, also shows how far it is.

  syncctl plan -out=p.syncplan.json
  syncctl graph -format=svg p.syncplan.json > p.svg
  syncctl graph -format=dot p.syncplan.json | dot -Tpng > p.png

Which step waits for which: syncctl show -detail, or the timeline of syncctl show -html.`,
		RunE: func(_ *cobra.Command, given []string) error {
			what := "latest"
			if len(given) == 1 {
				what = given[0]
			}
			return c.showDocument(what, func(w io.Writer, r *report.Report) error {
				doc := pictureDoc{Format: format.value}
				switch format.value {
				case "mermaid":
					doc.Picture, doc.LeftOut = picture.Mermaid(r)
				case "dot":
					doc.Picture, doc.LeftOut = picture.DOT(r)
				case "svg":
					doc.Picture, doc.LeftOut = picture.Topology(r)
					doc.Picture = picture.Alone(doc.Picture)
				}
				if err := c.document(doc); err != nil || c.flags.json {
					return err
				}
				if doc.LeftOut > 0 {
					c.warn("%d declarations are left out of the picture", doc.LeftOut)
				}
				_, err := io.WriteString(w, doc.Picture)
				return err
			})
		},
	})
	cmd.Flags().Var(&format, "format", "`FORMAT` of the picture: mermaid, dot (Graphviz) or svg")
	_ = cmd.RegisterFlagCompletionFunc("format", format.complete)
	return cmd
}
