package backbone

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// verify is the verification that the deletion of the original rests on.
var verify = driver.Verb[*Driver]{Name: opVerify, Verify: (*Driver).verifyAll}

func (s *standing) verify() planner.Step {
	step := planner.Check(opVerify, fmt.Sprintf("%s runs, no issue is in error, every exported pair is on both "+
		"connectors, no more and no fewer; the summaries of %s are equal on both Jiras",
		s.to.name(), wording.Plural(s.sample, "pair")), s.within)
	step.Because = guide + ", step 4.3: the original is deleted only once everything is verified"
	step.Args = map[string]string{"sample": strconv.Itoa(s.sample)}
	return at(step, s.from.one.server, s.from.two.server, s.stay(), s.site())
}

// verifyAll rests on the run's files, on both halves of the original, and on the new synchronization: its
// configuration, how it fares, its pairs, and a sample of issues on both Jiras.
func (d *Driver) verifyAll(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err == nil {
		err = exportsAgree(ctx, t, m.staying)
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	if v, err := d.originalAsExported(ctx, t, opStillStopped); err != nil || v.State != executor.Done {
		return v, err
	}
	if v, err := d.stillConfigured(ctx, t); err != nil || v.State != executor.Done {
		return v, err
	}
	l, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	whys := []string{}
	fares, err := newFares(ctx, t, l)
	if err != nil || fares.State != executor.Done {
		return fares, err
	}
	whys = append(whys, fares.Why)
	for _, end := range []string{first, second} {
		v, err := comparePairs(ctx, t, l, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		whys = append(whys, v.Why)
	}
	n, differ, err := d.compareSummaries(ctx, t, m, l)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(differ) > 0 {
		return executor.NotDone.Because("%s", strings.Join(differ, "; ")), nil
	}
	return executor.Done.Because("%s; the summaries of %s compared, all equal", strings.Join(whys, "; "),
		wording.Plural(n, "pair")), nil
}

// exportsAgree: what was uploaded is what was exported, whatever happened to the run's files since. The section of
// the merged file must have the pairs of the export it was made from.
func exportsAgree(ctx context.Context, t *executor.Task, staying string) error {
	if err := intact(ctx, t, exportFile(master), exportFile(slave), mergedFile); err != nil {
		return err
	}
	for end, role := range map[string]string{first: staying, second: other(staying)} {
		diff, err := syncinfo.ComparePairs(ctx, exported(t, role), wanted(t, end))
		if err != nil {
			return err
		}
		if !diff.Same() {
			return executor.Final(fmt.Errorf("%s does not have the pairs of %s: %s", mergedFile, exportFile(role),
				oneLine(diff.String())))
		}
	}
	return nil
}

// compareSummaries reads a sample of pairs on both Jiras. Two that cannot be read are not equal.
func (d *Driver) compareSummaries(ctx context.Context, t *executor.Task, m *migration, l *located) (int, []string,
	error) {
	n, err := strconv.Atoi(t.Step.Args["sample"])
	if err != nil {
		return 0, nil, fmt.Errorf("reading the sample's size: %w", err)
	}
	keys, err := sampleKeys(t.Files, exportFile(m.staying), n)
	if err != nil {
		return 0, nil, err
	}
	there, err := d.reader(m.site())
	if err != nil {
		return 0, nil, err
	}
	var local, remote []string
	for _, k := range keys {
		local, remote = append(local, k.local), append(remote, k.remote)
	}
	here, err := l.client.summaries(ctx, local)
	if err != nil {
		return 0, nil, err
	}
	partner, err := there.summaries(ctx, remote)
	if err != nil {
		return 0, nil, err
	}
	var differ []string
	for _, k := range keys {
		a, okA := here[k.local]
		b, okB := partner[k.remote]
		switch {
		case !okA || !okB:
			differ = append(differ, fmt.Sprintf("%s and %s were not both found", k.local, k.remote))
		case a == nil || b == nil:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s cannot both be read", k.local, k.remote))
		case *a != *b:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s differ", k.local, k.remote))
		}
	}
	return len(keys), differ, nil
}
