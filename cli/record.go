package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/record"
	"github.com/syncctl/syncctl/report/page"
	"github.com/syncctl/syncctl/schema"
)

type recordFlags struct {
	vars variables
	out  string // a file
	sign string // a key

	rehearsal string // a file
}

func (c *command) recordCommand() *cobra.Command {
	f := &recordFlags{}
	cmd := jsonCommand(&cobra.Command{
		Use: "record [RUN|latest]", Args: atMost(1),
		Short: "Put a run into one archive, as evidence: plan, journal, verification, configuration, digests",
		Long: `Writes a tar with the plan of a run (also as text), its journal, how each step was verified, the configuration
as it was planned, and the digests of the files that the run has made. Two records of the same run are the same, byte
for byte. The manifest, record.json, has the plan's hash, by which it was approved.

It holds no secret: secrets in the configuration's files are covered with asterisks, all parts are searched for them,
and none is written if one is found. The journal is chained again without your key, so that everybody can check it.
-rehearsal=FILE adds what "syncctl rehearse -out=FILE" has written, if it is of the same steps and the same files;
without it the record says that it has none.
-sign=KEY adds a signature, which is also verified by

  ssh-keygen -Y verify -f ALLOWED -I NAME -n record@syncctl -s record.json.sig < record.json`,
		Example: "  syncctl record latest -sign=$HOME/.ssh/id_ed25519",
		RunE: func(cmd *cobra.Command, args []string) error {
			run := "latest"
			if len(args) == 1 {
				run = args[0]
			}
			return c.record(cmd.Context(), run, f)
		},
	})
	cmd.Annotations[takesArguments] = "yes"
	c.varFlags(cmd, &f.vars)
	cmd.Flags().StringVar(&f.out, "out", "", "write it to `FILE` (default: RUN"+record.Suffix+")")
	cmd.Flags().StringVar(&f.rehearsal, "rehearsal", "", "add the rehearsal of the plan from `FILE`, as rehearse -out "+
		"writes it")
	cmd.Flags().StringVar(&f.sign, "sign", "", "sign it with the SSH key in `FILE`; a public key means that of your "+
		"SSH agent")
	signers := ""
	verify := jsonCommand(&cobra.Command{
		Use: "verify FILE", Args: one("FILE"),
		Short: "Tell whether a record is whole: digests, plan, chain of the journal, signature, nothing missing or added",
		RunE:  func(_ *cobra.Command, args []string) error { return c.verifyRecord(args[0], signers) },
	})
	verify.Flags().StringVar(&signers, "signers", "", "it must be signed with one of the public keys in this `FILE`, "+
		"a line each")
	cmd.AddCommand(verify)
	return cmd
}

func (c *command) record(ctx context.Context, what string, f *recordFlags) error {
	run, err := c.recordedRun(what)
	if err != nil {
		return err
	}
	name := f.out
	if name == "" {
		name = run.ID + record.Suffix
	}
	if err := c.freeToWrite("out", name, run.ID+record.Suffix); err != nil {
		return err
	}
	p, err := c.load(ctx, f.vars.list, false)
	if err != nil {
		return err
	}
	parts, err := c.recordParts(ctx, p, run)
	if err == nil && f.rehearsal != "" {
		err = c.addRehearsal(p, run, f.rehearsal, parts)
	}
	if err != nil {
		return err
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		if len(c.redactor.Spans(part)) > 0 || len(c.redactor.Spans(string(parts[part]))) > 0 {
			return failf(exitRefused, "%s of run %s holds a secret of the configuration, so that no record is written",
				schema.SanitizeLine(part), schema.SanitizeLine(run.ID))
		}
	}
	var sign func([]byte) ([]byte, error)
	if f.sign != "" {
		sign = func(text []byte) ([]byte, error) { return c.sign(ctx, f.sign, record.Namespace, text) }
	}
	m := record.Manifest{Syncctl: version(), Run: run.ID, State: recordState(run), Configuration: run.Plan.Digest}
	archive, err := record.Write(m, parts, sign)
	if err != nil {
		return err
	}
	if err := c.saveRecord(name, archive); err != nil {
		return err
	}
	return c.showRecord(name, archive, nil)
}

// recordedRun returns the run to record.
func (c *command) recordedRun(what string) (*executor.Run, error) {
	if err := c.ownDataDir(); err != nil {
		return nil, err
	}
	_, run, err := c.find(what, 0)
	switch {
	case err != nil:
		return nil, err
	case run == nil:
		return nil, failf(exitError, "%s is a plan: a record is of a run", what)
	case run.Damage != nil:
		return nil, failf(exitError, "%s", c.damaged(run))
	}
	return run, nil
}

func recordState(run *executor.Run) string {
	switch {
	case run.Abandoned():
		return record.Abandoned
	case run.Finished():
		return record.Finished
	}
	return record.Unfinished
}

// saveRecord writes a new file. An existing file is not changed, and must have the same contents.
func (c *command) saveRecord(name string, archive []byte) error {
	err := c.createNew(name, archive, 0o644)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	was, err := schema.ReadBounded(c.foreign(), c.abs(name), record.MostBytes)
	if err == nil && bytes.Equal(was, archive) {
		return nil
	}
	return failf(exitError, "%s exists and is another file: choose another name with -out", schema.SanitizeLine(name))
}

// recordParts returns all parts of the record of a run, by name.
func (c *command) recordParts(ctx context.Context, p *project, run *executor.Run) (map[string][]byte, error) {
	parts := map[string][]byte{}
	plans := append(slices.Clone(run.Replaced), run.Plan)
	for i, plan := range plans {
		name := record.PlanName
		if i < len(plans)-1 {
			name = fmt.Sprintf("replaced/%d.json", i+1)
		}
		text, err := recordedPlan(plan)
		if err != nil {
			return nil, err
		}
		parts[name] = text
	}
	var text bytes.Buffer
	if err := view.Plan(&text, run.Plan, view.PlanOptions{Detail: true}); err != nil {
		return nil, err
	}
	parts["plan.txt"] = text.Bytes()
	shown, err := c.reportOf(run.Plan, nil)
	if err != nil {
		return nil, err
	}
	var markdown, html bytes.Buffer
	if err := errors.Join(writeMarkdown(&markdown, shown), page.HTML(&html, shown)); err != nil {
		return nil, err
	}
	parts["plan.md"], parts["plan.html"] = markdown.Bytes(), html.Bytes()
	if parts[record.JournalName], err = c.recordedJournal(run); err != nil {
		return nil, err
	}
	if parts["verification.json"], err = verification(run); err != nil {
		return nil, err
	}
	if parts["files.json"], err = c.filesOf(ctx, run); err != nil {
		return nil, err
	}
	if p.cfg.Digest() != run.Plan.Digest {
		c.warn("the files or variables have changed since run %s was planned, so that the configuration is not in the "+
			"record, only its digest", schema.SanitizeLine(run.ID))
		return parts, nil
	}
	for name, text := range configurationParts(p.cfg) {
		parts[name] = text
	}
	return parts, nil
}

// recordedPlan returns a plan without the members that only its maker can check.
func recordedPlan(plan *planner.Plan) ([]byte, error) {
	open := *plan
	open.MAC, open.Secrets = "", ""
	var b bytes.Buffer
	err := open.Encode(&b)
	return b.Bytes(), err
}

// recordedJournal returns the journal without secrets, chained again so that everybody can verify it.
func (c *command) recordedJournal(run *executor.Run) ([]byte, error) {
	entries := make([]journal.Entry, len(run.Entries))
	for i, e := range run.Entries {
		data := map[string]string{}
		for k, v := range e.Data {
			data[k] = c.redactor.String(v)
		}
		entries[i] = e
		entries[i].Seq = i + 1 // the journals of several sites become one
		if len(data) > 0 {
			entries[i].Data = data
		}
	}
	entries, err := journal.Rechain(entries, nil)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = journal.Encode(&out, entries)
	return out.Bytes(), err
}

// verificationDoc says how each step has ended.
type verificationDoc struct {
	Journals []siteEntries  `json:"journals,omitempty"` // over sites: which entries of the journal each site has made
	State    string         `json:"state"`              // of the run
	Steps    []verifiedStep `json:"steps"`              // in the order of the plan
}

type verifiedStep struct {
	Number int            `json:"number"`           // its number in the plan
	ID     string         `json:"id"`               // the step
	Phase  executor.Phase `json:"phase"`            // how it stands
	Event  string         `json:"event,omitempty"`  // its last event in the journal
	Seq    int            `json:"seq,omitempty"`    // the number of that entry
	Time   *time.Time     `json:"time,omitempty"`   // when it was written
	Person bool           `json:"person,omitempty"` // a person does the step
	Site   string         `json:"site,omitempty"`   // the site that carries it out
}

// verification describes how each step has ended.
func verification(run *executor.Run) ([]byte, error) {
	var last time.Time
	if n := len(run.Entries); n > 0 {
		last = run.Entries[n-1].Time
	}
	d := run.Decision(last)
	steps := []verifiedStep{}
	for i := range run.Plan.Steps {
		s := &run.Plan.Steps[i]
		st := d.Steps[s.ID]
		one := verifiedStep{Number: i + 1, ID: s.ID, Phase: st.Phase, Person: s.Manual != nil, Site: s.Site}
		if e := st.Entry; e.Event != "" {
			one.Event, one.Seq, one.Time = e.Event, e.Seq, &e.Time
		}
		steps = append(steps, one)
	}
	return indented(verificationDoc{journalsOf(run), recordState(run), steps})
}

// siteEntries are the entries of the record's journal that one site has made.
type siteEntries struct {
	Site    string `json:"site"`    // the site
	Entries []int  `json:"entries"` // their numbers, in the order in which the site made them
}

// journalsOf returns which site has made which entry of a run over sites, because the record combines their journals.
func journalsOf(run *executor.Run) []siteEntries {
	bySite := map[string][]int{}
	for i, e := range run.Entries {
		if e.Site != "" {
			bySite[e.Site] = append(bySite[e.Site], i+1)
		}
	}
	var out []siteEntries
	for _, site := range slices.Sorted(maps.Keys(bySite)) {
		out = append(out, siteEntries{site, bySite[site]})
	}
	return out
}

// runFile is a file that a run has made.
type runFile struct {
	Name   string `json:"name"`   // below files/ in the folder of the run
	Bytes  int64  `json:"bytes"`  // its length
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// filesOf returns the digests of the files that a run has made.
func (c *command) filesOf(ctx context.Context, run *executor.Run) ([]byte, error) {
	out, dir := []runFile{}, filepath.Join(run.Dir, "files")
	err := afero.Walk(c.app.fs, dir, func(path string, info fs.FileInfo, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && (path == dir || executor.IsPart(path)):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !info.Mode().IsRegular() || executor.IsPart(path): // a process may be writing it
			return nil
		}
		f, err := c.app.fs.Open(path)
		if err != nil {
			return err
		}
		sum := sha256.New()
		n, err := io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, runFile{filepath.ToSlash(rel), n, hex.EncodeToString(sum.Sum(nil))})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the files of run %s: %w", run.ID, err)
	}
	return indented(out)
}

// configurationParts returns the configuration's files with secrets masked. A file outside of the folder gets a name
// that does not reveal its place on this machine.
func configurationParts(cfg *schema.Config) map[string][]byte {
	out := map[string][]byte{}
	outside, files := 0, cfg.Files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := "configuration/" + filepath.ToSlash(name)
		if !filepath.IsLocal(name) {
			outside++
			at = fmt.Sprintf("configuration/outside/%d/%s", outside, filepath.Base(name))
		}
		out[at] = files[name].Bytes
	}
	return out
}

func indented(doc any) ([]byte, error) {
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return append(text, '\n'), nil
}

func (c *command) verifyRecord(name, signersFile string) error {
	var signers []string
	if signersFile != "" {
		var err error
		if signers, err = c.readSigners(signersFile); err != nil {
			return err
		}
	}
	archive, err := schema.ReadBounded(c.foreign(), c.abs(name), record.MostBytes)
	if err != nil {
		return fmt.Errorf("reading the record: %w", err)
	}
	return c.showRecord(name, archive, signers)
}

// recordDoc is the document of record -json and record verify -json.
type recordDoc struct {
	File   string `json:"file"`   // as it was given
	SHA256 string `json:"sha256"` // of the whole file
	*record.Record
}

// showRecord verifies a record and describes it.
func (c *command) showRecord(name string, archive []byte, signers []string) error {
	r, err := record.Read(archive, signers)
	if err != nil {
		return failf(exitRefused, "%s is refused: %w", schema.SanitizeLine(name), err)
	}
	if signers != nil && r.Signer == "" {
		return failf(exitRefused, "%s is refused: nobody has signed it", schema.SanitizeLine(name))
	}
	sum := sha256.Sum256(archive)
	digest := hex.EncodeToString(sum[:])
	if c.wantsJSON() {
		if err := c.document(recordDoc{name, digest, r}); err != nil || c.flags.json {
			return err
		}
	}
	line := func(label, text string) { c.say("%-14s %s", label, schema.SanitizeLine(text)) }
	line("Record", name)
	line("  sha256", digest)
	line("  run", r.Run+", "+r.State)
	line("  plan", r.Plan)
	line("  configuration", r.Configuration)
	line("  rehearsal", rehearsalWords(r))
	line("  journal", wording.Plural(r.Entries, "entry")+" to "+r.Head)
	line("  parts", fmt.Sprint(len(r.Parts)))
	switch {
	case r.Known:
		line("  signed", r.Signer+", whose signatures are taken")
	case r.Signer != "":
		line("  signed", r.Signer+"; whether that is to be trusted is not known: -signers=FILE")
	default:
		line("  signed", "by nobody")
	}
	c.say("It is whole: digests, plan and journal fit, and nothing is missing or added.")
	return nil
}
