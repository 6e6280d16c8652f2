package cli

import (
	"io"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/picture"
)

func (c *command) graphCommand() *cobra.Command {
	format := enumeration{value: "mermaid", values: []string{"mermaid", "dot", "svg"}}
	cmd := &cobra.Command{
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
				text, left := "", 0
				switch format.value {
				case "mermaid":
					text, left = picture.Mermaid(r)
				case "dot":
					text, left = picture.DOT(r)
				case "svg":
					text, left = picture.Topology(r)
					text = picture.Alone(text)
				}
				if left > 0 {
					c.warn("%d declarations are left out of the picture", left)
				}
				_, err := io.WriteString(w, text)
				return err
			})
		},
	}
	cmd.Flags().Var(&format, "format", "`FORMAT` of the picture: mermaid, dot (Graphviz) or svg")
	_ = cmd.RegisterFlagCompletionFunc("format", format.complete)
	return cmd
}
