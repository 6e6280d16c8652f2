package cli

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/report"
	"github.com/syncctl/syncctl/report/page"
)

// reportOf returns the report of a plan, or of a run.
func (c *command) reportOf(plan *planner.Plan, run *executor.Run) (*report.Report, error) {
	if run == nil {
		return report.New(plan, nil)
	}
	if run.Damage != nil {
		return nil, failf(exitError, "%s", c.damaged(run))
	}
	state := c.state(run)
	return report.New(run.Plan, &report.Run{
		ID: run.ID, State: state.Word(), Live: state.Holder != nil, Decision: state.Decision, Entries: run.Entries,
	})
}

// documentFiles are the files for documents of a plan, written in addition to the text for people.
type documentFiles struct {
	markdown, html string
}

func (d *documentFiles) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&d.markdown, "markdown-into", "", "write what show -markdown prints into `FILE`, too")
	cmd.Flags().StringVar(&d.html, "html-into", "", "write what show -html prints into `FILE`, too")
}

// mayWrite refuses files whose names mean something else to syncctl, or that have other contents.
func (c *command) mayWrite(d *documentFiles) error {
	for _, into := range []struct{ flag, name, another, document string }{
		{"markdown-into", d.markdown, "plan.md", documentMarkdown}, {"html-into", d.html, "plan.html", documentHTML},
	} {
		if into.name == "" {
			continue
		}
		if err := c.freeToWrite(into.flag, into.name, into.another); err != nil {
			return err
		}
		if err := c.wasSuch(into.flag, into.name, into.document); err != nil {
			return err
		}
	}
	return nil
}

// empty empties the files before a plan is made, so that an earlier plan is not taken for this one.
func (c *command) empty(d *documentFiles) error {
	for _, name := range []string{d.markdown, d.html} {
		if name == "" {
			continue
		}
		if err := c.replace(name, nil); err != nil {
			return err
		}
	}
	return nil
}

// writeDocuments writes the requested documents, with the changes since an older plan if there is one.
func (c *command) writeDocuments(d *documentFiles, old, plan *planner.Plan, run *executor.Run) error {
	if d.markdown == "" && d.html == "" {
		return nil
	}
	r, err := c.reportOf(plan, run)
	if err != nil {
		return err
	}
	if old != nil {
		if r.Since, err = planner.DiffPlans(old, r.Plan); err != nil {
			return err
		}
	}
	if d.markdown != "" {
		var b bytes.Buffer
		if err := c.maskedMarkdown(&b, r); err != nil {
			return err
		}
		if err := c.replace(d.markdown, b.Bytes()); err != nil {
			return err
		}
	}
	if d.html == "" {
		return nil
	}
	var b bytes.Buffer
	if err := page.HTML(&b, r); err != nil {
		return err
	}
	return c.replace(d.html, []byte(page.Masked(b.String(), c.redactor)))
}

// maskedMarkdown writes a report without secrets. Those of a plan, whose configuration nobody may have approved yet,
// are taken out of its texts before they become Markdown.
func (c *command) maskedMarkdown(w io.Writer, r *report.Report) error {
	if r.Run != nil {
		return writeMarkdown(c.guard(w), r)
	}
	shown, err := report.New(withHidden(r.Plan, c.redactor.String), nil)
	if err != nil {
		return err
	}
	shown.Hash, shown.Since = r.Hash, withHidden(r.Since, c.redactor.String)
	return writeMarkdown(w, shown)
}

func writeMarkdown(w io.Writer, r *report.Report) error {
	return page.Markdown(w, r, page.MostOfComment)
}

// showDocument prints a plan or a run as a document.
func (c *command) showDocument(what string, write func(io.Writer, *report.Report) error) error {
	plan, run, err := c.find(what, 0)
	if err != nil {
		return err
	}
	r, err := c.reportOf(plan, run)
	if err != nil {
		return err
	}
	if err := write(c.out, r); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}
