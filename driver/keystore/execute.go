package keystore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// newMode is that of a keystore that is made: it is its owner's alone.
const newMode = 0o600

// Execute writes the file, whole or not at all, and reads it back.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	var out executor.Result
	doing := fmt.Sprintf("writing %s", reveal(t.Resource, "path"))
	fail := func(err error) (executor.Result, error) {
		return out, executor.NotSent(fmt.Errorf("%s: %w", doing, err))
	}
	if t.Step.Op != opWrite {
		return fail(fmt.Errorf("keystores have no step %q", t.Step.Op))
	}
	w, err := understand(t.Resource)
	if err != nil {
		return fail(err)
	}
	f, have, err := d.look(ctx, t.Resource)
	switch {
	case err != nil:
		return fail(err)
	case f.Problem != nil:
		return fail(f.Problem)
	case f.file() != planned(&t.Step):
		return fail(fmt.Errorf("%w: it was %s when the plan was made and is %s", host.ErrChanged, planned(&t.Step), f.file()))
	}
	s := w.stand(have, f.Previous, f.Now)
	for _, x := range s.found {
		if x.Severity == planner.Refuse {
			return fail(errors.New(x.Summary))
		}
	}
	content, target, err := d.encode(s, d.random)
	if err != nil {
		return fail(err)
	}
	// The file is replaced only by what was asked for.
	again, err := Open(content, w.password)
	if err != nil {
		return fail(fmt.Errorf("what would be written cannot be read: %w", err))
	}
	read, err := target.asRead(f.Now)
	if err != nil {
		return fail(err)
	}
	if err := read.lost(again); err != nil {
		return fail(err)
	}
	if still := w.stand(again, false, f.Now).changes; len(still) > 0 {
		return fail(fmt.Errorf("what would be written is not what is declared: %s", still[0].what+": "+still[0].why))
	}
	h, err := d.host(t.Resource)
	if err != nil {
		return fail(err)
	}
	done, err := host.Replace(ctx, h.Files(), host.Replacement{Name: w.path, Content: content, Was: f.Sum, Mode: newMode, Now: f.Now, Random: d.random})
	if err != nil && !done.Maybe {
		return fail(err)
	}
	if err != nil {
		return out, fmt.Errorf("%s: %w", doing, err)
	}
	out.Outputs = map[string]string{}
	if done.Backup != "" {
		out.Note, out.Outputs["backup"] = "what was there is in "+done.Backup, done.Backup
	}
	return out, nil
}

func planned(s *planner.Step) string {
	for _, f := range s.Facts {
		if f.Name == fileFact {
			return f.Value
		}
	}
	return ""
}

// continues tells whether the chain of an entry begins with another one: a PKCS#12 file lengthens a chain by what else it holds.
func (e *Entry) continues(chain []Certificate) bool {
	return len(e.Chain) >= len(chain) && sameChain(e.Chain[:len(chain)], chain)
}

// lost says what of a keystore is missing in what was made of it.
func (s *Store) lost(again *Store) error {
	for i := range s.Entries {
		e := &s.Entries[i]
		back := again.Entry(e.Alias)
		if back == nil || back.Public != e.Public || back.Sealed != e.Sealed || !back.continues(e.Chain) {
			return fmt.Errorf("what would be written lacks %s", e)
		}
	}
	for i := range s.Trusted {
		t := &s.Trusted[i]
		if back := again.Trust(t.Alias); back == nil || !back.Certificate.Equal(t.Certificate) {
			return fmt.Errorf("what would be written lacks the trusted certificate %q", t.Alias)
		}
	}
	if len(again.Secrets) != len(s.Secrets) {
		return errors.New("what would be written lacks a secret")
	}
	return nil
}

// Verify reads the file and compares it with the declaration.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if t.Step.Op != opWrite {
		return executor.Verdict{State: executor.Unknown, Why: fmt.Sprintf("keystores have no step %q", t.Step.Op)}, nil
	}
	w, err := understand(t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	f, have, err := d.look(ctx, t.Resource)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case f.Problem != nil:
		return notDone(f.Problem.Message), nil
	case f.Sum == "":
		return notDone("the file is not there"), nil
	}
	s := w.stand(have, f.Previous, f.Now)
	if len(s.changes) > 0 {
		var why []string
		for _, c := range s.changes {
			why = append(why, c.what+": "+c.why)
		}
		return notDone(reasons(why)), nil
	}
	v := executor.Verdict{State: executor.Done, Outputs: map[string]string{fileFact: f.file()}}
	var seen []string
	for _, e := range w.entries {
		if old := have.Entry(e.Alias); old != nil && len(old.Chain) > 0 {
			seen = append(seen, fmt.Sprintf("entry %q is %s", e.Alias, old.Chain[0]))
			v.Outputs["fingerprint."+e.Alias] = old.Chain[0].Fingerprint()
		}
	}
	v.Why = oneLine(fmt.Sprintf("it opens with the password and holds %s and %s", plural(len(have.Entries), "entry"), plural(len(have.Trusted), "trusted certificate")))
	if len(seen) > 0 {
		v.Why += ": " + oneLine(reasons(seen))
	}
	return v, nil
}

func notDone(why string) executor.Verdict {
	return executor.Verdict{State: executor.NotDone, Why: oneLine(strings.TrimSpace(why))}
}
