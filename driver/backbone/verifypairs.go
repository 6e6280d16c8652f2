package backbone

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// live are the pairs of a connector, read anew at each use. The tally counts the last reading.
func live(ctx context.Context, c *reader, connector string) syncinfo.Source {
	return syncinfo.Source{
		Name: "connector " + connector, Array: true,
		Open: func() (io.ReadCloser, error) { return c.syncInformation(ctx, connector) },
	}
}

// verifyPairs reads a connector's pairs back: all of them, no more and no fewer.
func (d *Driver) verifyPairs(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	if l.integration == nil {
		return notDone("%s is not there", syncName(l.sync)), nil
	}
	return comparePairs(ctx, t, l, end)
}

func comparePairs(ctx context.Context, t *executor.Task, l *located, end string) (executor.Verdict, error) {
	connector := l.connectorOf(end)
	if err := intact(ctx, t, mergedFile); err != nil {
		return executor.Verdict{}, err
	}
	diff, err := syncinfo.ComparePairs(ctx, wanted(t, end), live(ctx, l.client, connector))
	if err != nil {
		return executor.Verdict{}, err
	}
	more := number(t.Resource, 0, "verify", "new_pairs")
	if diff.Missing == 0 && diff.GotTwice == 0 && diff.Extra <= more {
		v := done(fmt.Sprintf("%s has all %s", connector, plural(diff.WantPairs, "pair")))
		switch {
		case diff.Extra > 0:
			v.Why += fmt.Sprintf(" and %s made since", plural(diff.Extra, "pair"))
		case t.Step.Op == opVerify:
			v.Why += ", no more and no fewer"
		}
		tally, err := l.client.tally(ctx, connector)
		if err != nil {
			return executor.Verdict{}, err
		}
		v.Outputs = map[string]string{"pairs": strconv.Itoa(diff.WantPairs), sentOutput: strconv.FormatInt(tally.SumOutgoing, 10)}
		return v, nil
	}
	v := executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%s; if these pairs are of no use, delete %s on the web page and have it made anew: syncctl resolve %s -retry",
		oneLine(diff.String()), l.Key, planner.StepID(t.Step.Addr, opCreate))}
	switch {
	case diff.GotPairs == 0:
		return notDone("%s has none of the %s yet", connector, plural(diff.WantPairs, "pair")), nil
	case diff.Missing == 0 && diff.GotTwice == 0 && t.Step.Op == opVerify: // waiting makes them no fewer
		return v, executor.Final(fmt.Errorf("%s: issues were created since the start. If that is as it should be, give the run up (syncctl resolve -abandon), write verify { new_pairs = %d } or more into %s, and apply again", v.Why, diff.Extra, t.Resource.Addr))
	}
	return v, nil
}

// oneLine joins the lines of a list.
func oneLine(s string) string {
	var parts []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			parts = append(parts, l)
		}
	}
	return strings.Join(parts, "; ")
}

func (d *Driver) verifyBothPairs(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	outputs := map[string]string{}
	var whys []string
	for _, end := range []string{first, second} {
		v, err := d.verifyPairs(ctx, t, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		whys = append(whys, v.Why)
		outputs[end+"_"+sentOutput] = v.Outputs[sentOutput]
	}
	return executor.Verdict{State: executor.Done, Why: strings.Join(whys, "; "), Outputs: outputs}, nil
}

// sentOutput is the sum of all message numbers sent by a connector when its pairs were read back: what a resync raises.
const sentOutput = "sent"

// verifyResync: the interface knows no job and no progress of a resync. Every message that is sent raises the issue's
// message number (ASSUMED, from the vendor's samples), so the sum of the numbers tells how many were sent since pairing.
func (d *Driver) verifyResync(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	h, err := l.client.healthOf(ctx, l.integration)
	if err != nil {
		return executor.Verdict{}, err
	}
	if h.InError != nil && *h.InError > 0 {
		return executor.Verdict{}, inErrorOn(l.Key, *h.InError)
	}
	before := t.Output(opPair+end, sentOutput)
	if before == "" {
		before = t.Output(opPairAll, end+"_"+sentOutput)
	}
	base, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return executor.Verdict{State: executor.Unknown, Why: "what was sent before is not known"}, nil
	}
	tally, err := l.client.tally(ctx, l.connectorOf(end))
	if err != nil {
		return executor.Verdict{}, err
	}
	sent := tally.SumOutgoing - base
	all := sent >= int64(tally.Pairs)
	switch {
	case sent <= 0 && tally.Pairs > 0:
		return notDone("%s has sent nothing yet", l.connectorOf(end)), nil
	case h.Idle == nil && !all: // the word of a person, before the verification, says whether it is at an end
		return unknown("%d of %s sent; whether it is still working cannot be read", sent, plural(tally.Pairs, "issue")), nil
	case h.Idle == nil:
		return done(fmt.Sprintf("%s for %s", plural(int(sent), "message"), plural(tally.Pairs, "pair"))), nil
	case !*h.Idle:
		return executor.Verdict{State: executor.Partial, Working: true, Why: fmt.Sprintf("%d of %s sent, still working", sent, plural(tally.Pairs, "issue"))}, nil
	case all || t.Executed: // a filter may leave issues out: idle is then the end
		return done(fmt.Sprintf("%s for %s, and idle", plural(int(sent), "message"), plural(tally.Pairs, "pair"))), nil
	}
	return executor.Verdict{State: executor.Partial, Why: fmt.Sprintf("%d of %s sent", sent, plural(tally.Pairs, "issue"))}, nil
}

// verifyAll is the verification that the end of the original rests on.
func (d *Driver) verifyAll(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := exportsAgree(ctx, t); err != nil {
		return executor.Verdict{}, err
	}
	if v, err := d.originalAsExported(ctx, t); err != nil || v.State != executor.Done {
		return v, err
	}
	v, err := d.verifyConfigured(ctx, t)
	if err != nil {
		return v, err
	}
	if v.State == executor.NotDone {
		return v, executor.Final(fmt.Errorf("the configuration is not as declared: %s; mend it on the web page", v.Why))
	}
	if v, err := asConfirmed(t, v); err != nil || v.State != executor.Done {
		return v, err
	}
	l, err := d.locateExisting(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	fares, err := d.newFares(ctx, t, l)
	if err != nil || fares.State != executor.Done {
		return fares, err
	}
	var pairs []string
	for _, end := range []string{first, second} {
		v, err := comparePairs(ctx, t, l, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		pairs = append(pairs, v.Why)
	}
	n, differ, err := d.compareSummaries(ctx, t, l)
	if err != nil {
		return executor.Verdict{}, err
	}
	if len(differ) > 0 {
		return notDone("%s", strings.Join(differ, "; ")), nil
	}
	return done(fmt.Sprintf("%s; %s; the summaries of %s compared, all equal", fares.Why, strings.Join(pairs, "; "), plural(n, "pair"))), nil
}

// newFares tells how the new synchronization fares, by what can be read and by a person's word for what cannot.
func (d *Driver) newFares(ctx context.Context, t *executor.Task, l *located) (executor.Verdict, error) {
	h, err := l.client.healthOf(ctx, l.integration)
	if err != nil {
		return executor.Verdict{}, err
	}
	return fares(l.Key, h, t.IsDone(opNoErrors+newEnd))
}

// asConfirmed takes a configuration for the declared one as far as it was read or, where it could not be read, a person
// has said so when it was configured.
func asConfirmed(t *executor.Task, v executor.Verdict) (executor.Verdict, error) {
	if v.State == executor.Done {
		return v, nil
	}
	said := strings.Fields(t.Output(opConfigure, blindOutput))
	for _, part := range strings.Fields(v.Outputs[blindOutput]) {
		if !slices.Contains(said, part) {
			return v, executor.Final(fmt.Errorf("%s could be read when it was configured and cannot any more: have it confirmed with syncctl resolve %s -retry",
				part, planner.StepID(t.Step.Addr, opConfigure)))
		}
	}
	return done("the configuration is as declared, in part by a person's word"), nil
}

// exportsAgree: what was uploaded is what was exported, whatever happened to the run's files since. The section of the
// merged file must have the pairs of the export it was made from.
func exportsAgree(ctx context.Context, t *executor.Task) error {
	if err := intact(ctx, t, exportFile(master), exportFile(slave), mergedFile); err != nil {
		return err
	}
	staying := other(t.Resource.Text("migrating"))
	for end, role := range map[string]string{first: staying, second: other(staying)} {
		diff, err := syncinfo.ComparePairs(ctx, exported(t, role), wanted(t, end))
		if err != nil {
			return err
		}
		if !diff.Same() {
			return executor.Final(fmt.Errorf("%s does not have the pairs of %s: %s", mergedFile, exportFile(role), oneLine(diff.String())))
		}
	}
	return nil
}

// compareSummaries reads a sample of pairs on both Jiras.
func (d *Driver) compareSummaries(ctx context.Context, t *executor.Task, l *located) (int, []string, error) {
	n, err := strconv.Atoi(t.Step.Args["sample"])
	if err != nil {
		return 0, nil, fmt.Errorf("reading the sample's size: %w", err)
	}
	staying := other(t.Resource.Text("migrating"))
	keys, err := sampleKeys(t.Files, exportFile(staying), n)
	if err != nil {
		return 0, nil, err
	}
	there, err := d.reader(l.sync.Ref(second, "server"))
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
			differ = append(differ, fmt.Sprintf("%s and %s are not both there", k.local, k.remote))
		case a == nil || b == nil:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s cannot both be read", k.local, k.remote))
		case *a != *b:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s differ", k.local, k.remote))
		}
	}
	return len(keys), differ, nil
}
