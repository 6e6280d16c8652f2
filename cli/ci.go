package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/files"
	"github.com/syncctl/syncctl/cli/internal/github"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/redact"
	"github.com/syncctl/syncctl/report/page"
	"github.com/syncctl/syncctl/schema"
)

// ciCommand is the command for jobs of a CI system, in addition to plan, apply and show.
func (c *command) ciCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ci", Short: "What a job of GitHub needs beside plan and apply: one comment, and the approved plan",
		Long: `For jobs that "syncctl init -ci=github" writes. The environment of the job says which repository, pull request
and commit it is for: GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_SHA, GITHUB_STEP_SUMMARY; and
GITHUB_TOKEN is its token, which is sent to GITHUB_API_URL alone.`,
	}
	cmd.AddCommand(c.ciCommentCommand(), c.ciApprovedCommand())
	return cmd
}

// commentDoc is the document of ci comment -json.
type commentDoc struct {
	Pull      int  `json:"pull_request,omitempty"` // its number; none if none belongs to the job
	Commented bool `json:"commented"`              // the comment is on the pull request; a job of a fork may not write it
}

// approvedDoc is the document of ci approved -json.
type approvedDoc struct {
	Hash string `json:"hash"`         // of the plan that is approved
	By   string `json:"by"`           // whose review has approved it
	Pull int    `json:"pull_request"` // its number
}

// Names used by jobs, and limits of what is read, in bytes.
const (
	approvedFile    = "plan" + planSuffix // in the artifact of a plan
	artifactOfAPlan = "syncctl-plan-"     // prefix of its name; the digits of the hash follow
	authorOfJobs    = "github-actions[bot]"
	mostOfDocument  = 8 << 20
	mostWarnings    = 10 // of artifacts that are not the plan
)

func (c *command) ciCommentCommand() *cobra.Command {
	title, author := "", ""
	cmd := jsonCommand(&cobra.Command{
		Use: "comment FILE", Args: one("FILE"),
		Short: "Put a document on the pull request, in place of the one before, and into the job's summary",
		Long: `Puts FILE, as plan -markdown-into and show -markdown write it, on the pull request of the job, or on the one
that the job's commit has come with. It takes the place of the comment that the job has put there before. It is
appended to the summary of the job, too. A job of a fork may not write comments: there it is in the summary alone.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.ciComment(cmd.Context(), args[0], title, author)
		},
	})
	cmd.Flags().StringVar(&title, "title", "", "FILE is what a program has printed: it is shown as it is, below this "+
		"`TITLE`")
	cmd.Flags().StringVar(&author, "author", authorOfJobs, "the `LOGIN` that the token writes as: only its comments are "+
		"replaced")
	return cmd
}

func (c *command) ciApprovedCommand() *cobra.Command {
	out := ""
	cmd := jsonCommand(&cobra.Command{
		Use: "approved", Args: atMost(0),
		Short: "Print the hash of the plan that a review of the pull request has approved",
		Long: `Prints the hash of the plan that has been approved: the one that is named by the last review that approves the
pull request and names one, if its author may write to the repository and has not taken it back since, and nobody else
has edited it. The pull request is that of the job, or the one that the job's commit has come with. Exit code 8: nobody
has approved a plan.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.ciApproved(cmd.Context(), out) },
	})
	cmd.Flags().StringVar(&out, "out", "", "also save the plan, from the artifact of the job that made it, to `FILE`, if "+
		"it is still there")
	return cmd
}

// job is the job described by the environment.
type job struct {
	github.Repository

	pull   int // the pull request that it is for; 0: none
	fork   bool
	commit string
}

// jobOf reads the environment of a job.
func (c *command) jobOf() (*job, error) {
	env := func(name string) string { v, _ := c.app.env(name); return v }
	j := &job{commit: env("GITHUB_SHA")}
	j.API, j.Name, j.Token = strings.TrimSuffix(env("GITHUB_API_URL"), "/"), env("GITHUB_REPOSITORY"), env("GITHUB_TOKEN")
	// What is wrong with the address is said later.
	api, _ := url.Parse(j.API)
	c.redactor = redact.New("(sensitive value)", append(proxySecret(api), j.Token)...) // an answer may quote it
	if j.Name == "" {
		return nil, failf(exitError, "this is not a job of GitHub: GITHUB_REPOSITORY is not set")
	}
	text, err := schema.ReadBounded(c.app.fs, c.app.abs(env("GITHUB_EVENT_PATH")), mostOfDocument)
	if err != nil {
		return nil, fmt.Errorf("reading the event in GITHUB_EVENT_PATH: %w", err)
	}
	var event struct {
		Pull *struct {
			Number int `json:"number"`
			Head   struct {
				Repo *struct {
					Name string `json:"full_name"`
				} `json:"repo"`
			} `json:"head"`
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(text, &event); err != nil {
		return nil, fmt.Errorf("reading the event in GITHUB_EVENT_PATH: %w", err)
	}
	if p := event.Pull; p != nil {
		j.pull = p.Number
		j.fork = p.Head.Repo == nil || p.Head.Repo.Name != j.Name // a deleted fork has no repository
	}
	return j, nil
}

// find sets the pull request of a merged commit.
func (j *job) find(ctx context.Context) error {
	if err := j.Check(); err != nil {
		return failf(exitError, "GitHub cannot be asked: %w", err)
	}
	if j.pull != 0 || j.commit == "" {
		return nil
	}
	var err error
	j.pull, err = j.MergedAs(ctx, j.commit)
	return err
}

func (c *command) ciComment(ctx context.Context, name, title, author string) error {
	j, err := c.jobOf()
	if err != nil {
		return err
	}
	text, err := schema.ReadNamed(c.app.fs, c.access(), schema.Reading{Path: c.abs(name), By: "ci comment",
		Most: mostOfDocument})
	if err != nil {
		return fmt.Errorf("reading the document: %w", err)
	}
	var b bytes.Buffer
	switch {
	case title != "":
		err = page.Printed(c.guard(&b), title, string(text), page.MostOfComment)
	case !bytes.HasPrefix(text, []byte(page.CommentMark)):
		return failf(exitError, "%s is not a document of syncctl: `syncctl show -markdown` writes one; -title=TITLE shows "+
			"any text", schema.SanitizeLine(name))
	default:
		_, err = b.Write(text)
	}
	if err == nil {
		err = c.summarize(b.Bytes())
	}
	if err != nil {
		return err
	}
	if j.fork {
		return c.commented(commentDoc{Pull: j.pull}, "A pull request from a fork: its job may not write comments. The "+
			"summary of the job has the document.")
	}
	if err := j.find(ctx); err != nil {
		return err
	}
	if j.pull == 0 {
		return c.commented(commentDoc{}, "No pull request belongs to the job. The summary of the job has the document.")
	}
	if err := j.PutComment(ctx, j.pull, author, page.CommentMark, b.String()); err != nil {
		return fmt.Errorf("writing the comment on pull request %d: %w", j.pull, err)
	}
	return c.commented(commentDoc{j.pull, true}, fmt.Sprintf("The comment is on pull request %d.", j.pull))
}

// commented says what has become of a comment.
func (c *command) commented(doc commentDoc, words string) error {
	if err := c.document(doc); err != nil || c.flags.json {
		return err
	}
	c.say("%s", words)
	return nil
}

// summarize appends a document to the summary of the job, if it has one.
func (c *command) summarize(text []byte) error {
	name, _ := c.app.env("GITHUB_STEP_SUMMARY")
	if name == "" {
		return nil
	}
	path, err := c.place(c.app.abs(name))
	if err != nil {
		return err
	}
	f, err := files.Append(c.app.fs, path, 0o644)
	if err != nil {
		return fmt.Errorf("opening the summary of the job: %w", err)
	}
	_, err = f.Write(append(bytes.Clone(text), '\n'))
	return errors.Join(err, f.Close())
}

func (c *command) ciApproved(ctx context.Context, out string) error {
	if out != "" {
		if err := c.mayReplace(out); err != nil {
			return err
		}
	}
	j, err := c.jobOf()
	if err != nil {
		return err
	}
	if err := j.find(ctx); err != nil {
		return err
	}
	if j.pull == 0 {
		return failf(exitRefused, "no plan is approved: commit %s has come with no pull request",
			schema.SanitizeLine(j.commit))
	}
	hash, by, err := j.Approved(ctx, j.pull)
	switch {
	case errors.Is(err, github.ErrNotApproved):
		return failf(exitRefused, "no plan of pull request %d is approved: %w", j.pull, err)
	case err != nil:
		return err
	}
	if out != "" {
		if err := c.saveApproved(ctx, j, hash, out); err != nil {
			return err
		}
	}
	if err := c.document(approvedDoc{hash, by, j.pull}); err != nil || c.flags.json {
		return err
	}
	fmt.Fprintf(c.err, "%s has approved it, in a review of pull request %d.\n", schema.SanitizeLine(by), j.pull)
	_, err = fmt.Fprintln(c.out, hash)
	return err
}

// saveApproved saves the plan with a hash, as made by some job. Because of the hash, it does not matter who stored it.
func (c *command) saveApproved(ctx context.Context, j *job, hash, out string) error {
	if err := c.replace(out, nil); err != nil { // so that an older one is not mistaken for it
		return err
	}
	text, skipped, err := j.Artifact(ctx, artifactOfAPlan+strings.TrimPrefix(hash, "sha256:"), approvedFile,
		func(text []byte) error { return isPlan(text, hash) })
	if err != nil {
		return err
	}
	for _, why := range skipped[:min(len(skipped), mostWarnings)] {
		c.warn("%v: it is passed over", why)
	}
	if more := len(skipped) - mostWarnings; more > 0 {
		c.warn("%s passed over, the last one: %v", wording.Plural(more, "more artifact"), skipped[len(skipped)-1])
	}
	if text == nil {
		c.warn("the plan %s is not among the artifacts any more: what has changed since cannot be shown", hash)
		return nil
	}
	return c.replace(out, text)
}

// isPlan returns an error unless a text is the plan with a hash.
func isPlan(text []byte, hash string) error {
	plan, err := planner.Decode(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	is, err := plan.Hash()
	if err == nil && is != hash {
		err = fmt.Errorf("it has another plan: %s", is)
	}
	return err
}
