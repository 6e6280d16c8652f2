package keystore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// write is the only verb. It writes the whole file or nothing.
var write = driver.Verb[*Driver]{Name: opWrite, Execute: (*Driver).write, Verify: (*Driver).verifyWritten}

const opWrite = "write"

// newMode is the mode of a new keystore: only its owner may read it.
const newMode = 0o600

// writeStep returns the step that writes the file.
func (p *planning) writeStep() planner.Step {
	var what, why []string
	e := planner.Effect{}
	for _, c := range p.changes {
		what = append(what, c.String())
		why = append(why, c.reason())
		switch {
		case !c.alias:
		case c.kind == adds:
			e.Add++
		case c.kind == removes:
			e.Destroy++
		default:
			e.Change++
		}
	}
	if e == (planner.Effect{}) { // only the file as a whole changes
		e.Change = 1
	}
	mark, because, undo := planner.MarkAdd, "it does not exist", "delete the file"
	summary := fmt.Sprintf("make the %s keystore %s for Java %d: %s", p.format, p.where, p.Java, wording.List(what))
	if p.seen.State == Opened {
		mark, because, undo = planner.MarkChange, reasons(why), "restore the timestamped backup next to the file"
		summary = fmt.Sprintf("change the %s keystore %s: %s", p.format, p.where, wording.List(what))
		if e.Destroy > 0 {
			e.Loses = "the backup alone still has what is removed"
		}
	}
	s := planner.Act(opWrite, mark, planner.CheckFirst, wording.OneLine(summary))
	s.Because, s.Undo, s.Effect = wording.OneLine(because), undo, &e
	s.Servers = []string{p.Addr().String()}
	s.Facts = []planner.Fact{{Name: fileFact, Value: p.seen.fact()}}
	s.Exclusive = []string{product + " " + p.where}
	if len(p.again) > 0 {
		s.Args = map[string]string{againArg: strings.Join(p.again, " ")}
	}
	return s
}

// mostReasons is the number of reasons that are named in a line.
const mostReasons = 8

func reasons(why []string) string {
	if len(why) > mostReasons {
		return strings.Join(why[:mostReasons], "; ") + fmt.Sprintf("; and %d more", len(why)-mostReasons)
	}
	return strings.Join(why, "; ")
}

// write replaces the file, after it has read back the new content.
func (d *Driver) write(ctx context.Context, t *executor.Task) (executor.Result, error) {
	w, err := asPlanned(t.Resource, &t.Step)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	fail := func(err error) (executor.Result, error) {
		return executor.Result{}, executor.NotSent(fmt.Errorf("writing %s: %w", w.Path, err))
	}
	if err := w.secretsRefused(); err != nil {
		return fail(err)
	}
	o, have, err := d.look(ctx, w)
	switch {
	case err != nil:
		return fail(err)
	case o.State == Unusable:
		return fail(o.Problem)
	case o.fact() != plannedFile(&t.Step):
		return fail(fmt.Errorf("%w: it was %s when the plan was made and is %s", host.ErrChanged, plannedFile(&t.Step),
			o.fact()))
	}
	content, err := d.compose(ctx, w, o, have)
	if err != nil {
		return fail(err)
	}
	h, err := d.host(w.declaration)
	if err != nil {
		return fail(err)
	}
	done, err := host.Replace(ctx, h.Files(ctx), host.Replacement{
		Name: w.Path, Content: content, Was: o.Sum, Mode: newMode, Now: o.Now, Random: d.random,
	})
	switch {
	case err != nil && !done.Maybe:
		return fail(err)
	case err != nil:
		return executor.Result{}, fmt.Errorf("writing %s: %w", w.Path, err)
	}
	out := executor.Result{Outputs: map[string]string{}}
	if done.Backup != "" {
		out.Note, out.Outputs["backup"] = "the former file is "+done.Backup, done.Backup
	}
	return out, nil
}

// compose makes the content of the file and reads it back. The file may be replaced only by what was asked for, and
// everything that is kept must be in it.
func (d *Driver) compose(ctx context.Context, w *wanted, o *Observed, have *Store) ([]byte, error) {
	s := w.stand(have, o.Previous, o.Now)
	for _, x := range s.found {
		if refuses(x) {
			return nil, errors.New(x.Summary)
		}
	}
	content, target, err := d.encode(s, d.random)
	if err != nil {
		return nil, err
	}
	again, err := Open(ctx, content, w.Password.Reveal())
	if err != nil {
		return nil, fmt.Errorf("reading back the new content: %w", err)
	}
	read, err := target.asRead(o.Now)
	if err != nil {
		return nil, err
	}
	if err := read.lost(again); err != nil {
		return nil, err
	}
	if still := w.stand(again, false, o.Now).changes; len(still) > 0 {
		return nil, fmt.Errorf("the new content is not as declared: %s", still[0].reason())
	}
	return content, nil
}

// plannedFile returns the file's fact at the time of the plan.
func plannedFile(s *planner.Step) string {
	for _, f := range s.Facts {
		if f.Name == fileFact {
			return f.Value
		}
	}
	return ""
}

// continues reports whether the chain of an entry begins with another one. A PKCS#12 file may lengthen a chain by its
// other certificates.
func (e *Entry) continues(chain []Certificate) bool {
	return len(e.Chain) >= len(chain) && sameChain(e.Chain[:len(chain)], chain)
}

// lost returns an error if content of the keystore is missing in again.
func (s *Store) lost(again *Store) error {
	for i := range s.Entries {
		e := &s.Entries[i]
		back := again.Entry(e.Alias)
		if back == nil || back.Public != e.Public || back.Sealed != e.Sealed || !back.continues(e.Chain) {
			return fmt.Errorf("the new content lacks %s", e)
		}
	}
	for i := range s.Trusted {
		t := &s.Trusted[i]
		if back := again.Trust(t.Alias); back == nil || !back.Certificate.Equal(t.Certificate) {
			return fmt.Errorf("the new content lacks the trusted certificate %q", t.Alias)
		}
	}
	if len(again.Secrets) != len(s.Secrets) {
		return errors.New("the new content lacks a secret")
	}
	return nil
}

// verifyWritten reads the file and compares it with the declaration.
func (d *Driver) verifyWritten(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	w, err := asPlanned(t.Resource, &t.Step)
	if err != nil {
		return executor.Verdict{}, err
	}
	o, have, err := d.look(ctx, w)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case o.State == Missing:
		return executor.NotDone.Because("the file does not exist"), nil
	case o.State == Unusable: // a file as declared opens with the password
		return executor.NotDone.Because("%s", wording.OneLine(o.Problem.Message)), nil
	}
	s := w.stand(have, o.Previous, o.Now)
	if len(s.changes) > 0 {
		var why []string
		for _, c := range s.changes {
			why = append(why, c.reason())
		}
		return executor.NotDone.Because("%s", wording.OneLine(reasons(why))), nil
	}
	why := fmt.Sprintf("it opens with the password and holds %s", have.count())
	outputs := map[string]string{fileFact: o.fact()}
	var seen []string
	for _, e := range w.entries {
		if old := have.Entry(e.Alias); old != nil && len(old.Chain) > 0 {
			seen = append(seen, fmt.Sprintf("entry %q is %s", e.Alias, old.Chain[0]))
			outputs["fingerprint."+e.Alias] = old.Chain[0].Fingerprint()
		}
	}
	if len(seen) > 0 {
		why += ": " + reasons(seen)
	}
	v := executor.Done.Because("%s", wording.OneLine(why))
	v.Outputs = outputs
	return v, nil
}
