package share

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// If a server of a synchronization is in a site, nobody needs to reach both servers. A step that contacts only the
// source then writes what the source has into a file of the run, and the target's steps compare with that.

var originals = driver.Verb[*Sharing]{Name: VerbOriginals, Execute: (*Sharing).recordOriginals,
	Verify: (*Sharing).verifyOriginals}

// hashOutput is the name under which the file's SHA-256 is journaled.
const hashOutput = "sha256"

// OriginalsFile returns the name of the run's file with what the source of a declaration's synchronization has.
func OriginalsFile(owner string) string { return "originals-" + survey.Print(8, owner) + ".jsonl" }

// OriginalsStep returns the step in which the source's site writes down what the copies are compared with.
func (p *Plan) OriginalsStep() planner.Step {
	n := len(p.Facts.Resources())
	step := planner.Act(VerbOriginals, planner.MarkAdd, planner.Idempotent, fmt.Sprintf("write down what %s has of %s: "+
		"ids, numbers and digests of all revisions", p.Facts.Source.Addr, wording.Plural(n, "resource")))
	step.Because = "the copies are compared with it where nobody reaches the source"
	step.Servers, step.Writes = []string{p.Facts.Source.Addr}, []string{OriginalsFile(p.owner)}
	step.Facts = p.releaseFacts(atSource)
	return step
}

// compares has a step of the target read what the source has written down.
func (p *Plan) compares(s planner.Step) planner.Step {
	if p.Sync.OverSites() {
		s.Reads = []string{OriginalsFile(p.owner)}
	}
	return s
}

func (w *Sharing) recordOriginals(ctx context.Context, t *executor.Task) (executor.Result, error) {
	seen, f, err := survey.Originals(ctx, w.Observe, w.Sync)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	info, err := t.Files.Create(ctx, OriginalsFile(t.Step.Addr), seen.Encode)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{Outputs: map[string]string{hashOutput: info.SHA256}, Note: recorded(f)}, nil
}

func recorded(f *survey.Facts) string {
	revisions := 0
	all := f.Resources()
	for _, r := range all {
		revisions += r.Source.Revisions
	}
	return fmt.Sprintf("%s with %s", wording.Plural(len(all), "resource"), wording.Plural(revisions, "revision"))
}

// verifyOriginals verifies that the file is complete. Other steps verify that the source still has what it describes.
func (w *Sharing) verifyOriginals(_ context.Context, t *executor.Task) (executor.Verdict, error) {
	if !t.Executed {
		return executor.NotDone.Because("it is not written down yet"), nil
	}
	if _, err := Originals(t, w.Sync); err != nil {
		return executor.Verdict{}, err
	}
	return executor.Done.Because("%s has what %s has of it", OriginalsFile(t.Step.Addr), w.Sync.SourceServer().Address()),
		nil
}

// Originals reads what the source of a synchronization has written down in this run. It returns only observations of
// the source, even if the file has others.
func Originals(t *executor.Task, s *survey.Sync) (*planner.Observations, error) {
	name := OriginalsFile(t.Step.Addr)
	mend := "have it written again: syncctl resolve " + planner.TypedID(t.Step.Addr, VerbOriginals) + " -retry"
	src, err := t.Files.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, executor.Final(fmt.Errorf("the run's file %s was not found; %s", name, mend))
	case err != nil:
		return nil, err
	}
	defer src.Close()
	sum := sha256.New()
	from := io.TeeReader(src, sum)
	seen, err := planner.DecodeObservations(from)
	if err == nil {
		_, err = io.Copy(io.Discard, from)
	}
	if want, got := t.Output(VerbOriginals, hashOutput), hex.EncodeToString(sum.Sum(nil)); want == "" || err == nil &&
		got != want {
		return nil, executor.Final(fmt.Errorf("the run's file %s is not the one that was written; %s", name, mend))
	}
	if err != nil {
		return nil, executor.Final(fmt.Errorf("reading the run's file %s: %w; %s", name, err, mend))
	}
	source := s.SourceServer().Address()
	others := map[string]bool{}
	for _, server := range seen.Servers() {
		others[server] = server != source
	}
	return seen.Without(others), nil
}

// Knowing returns an observer for a step. If the step reads what the source has written down, the source is not asked.
func Knowing(ask func(context.Context, planner.Need) (any, error), t *executor.Task, s *survey.Sync) survey.Observer {
	o := survey.Observer{Ask: ask, Alone: s != nil && s.OverSites()}
	if t != nil && len(t.Step.Reads) > 0 {
		o.Known = func() (*planner.Observations, error) { return Originals(t, s) }
	}
	return o
}
