package backbone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// This file holds the checks for the steps of apart.go, each made from one side.

// verifyPreflightHalf checks one half once more. Its configuration is a fact of the step: the other half, which the
// plan compared it with, cannot be read from here.
func (d *Driver) verifyPreflightHalf(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	v, err := d.verifyNoErrors(ctx, t)
	if err == nil && v.State == executor.Unknown && t.IsDone(op(opNoErrors, role)) {
		return executor.Done.Because("by a person's word nothing is wrong with it"), nil
	}
	return v, err
}

// verifyDrainedExports compares the message numbers of both exports.
func (d *Driver) verifyDrainedExports(ctx context.Context, t *executor.Task, m *migration) (executor.Verdict, error) {
	if err := intact(ctx, t, exportFile(master), exportFile(slave)); err != nil {
		return executor.Verdict{}, err
	}
	a, err := t.Files.Open(exportFile(master))
	if err != nil {
		return executor.Verdict{}, err
	}
	defer a.Close()
	b, err := t.Files.Open(exportFile(slave))
	if err != nil {
		return executor.Verdict{}, err
	}
	defer b.Close()
	drain, err := syncinfo.Drained(ctx, syncinfo.NewExportReader(exportFile(master), a),
		syncinfo.NewExportReader(exportFile(slave), b))
	if err != nil {
		return executor.Verdict{}, err
	}
	return inFlight(m, drain, " and export both again"), nil
}

// verifyStillHalf is verifyStill for one half. It counts the comments of the issues that can be read from its site.
func (d *Driver) verifyStillHalf(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	if err := intact(ctx, t, exportFile(role)); err != nil {
		return executor.Verdict{}, err
	}
	v, err := d.originalAsExported(ctx, t, opStopByHand, role)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	v.Why = "the half is stopped, and is what was exported"
	sample, err := d.sampleFrom(ctx, t, m, role)
	if err == nil {
		v.Outputs = map[string]string{commentsOutput: jsonText(sample)}
	}
	return v, err
}

// lookedUp is a pair of the sample, as one site tells the other about it: the numbers of comments, and a digest of
// the summary instead of the summary.
type lookedUp struct {
	Here  *seenIssue `json:"here,omitempty"`  // on the server that stays
	There *seenIssue `json:"there,omitempty"` // in the cloud
}

type seenIssue struct {
	Summary  string `json:"summary,omitempty"` // "" if it cannot be read
	Comments *int   `json:"comments,omitempty"`
}

// sampleFrom reads the issues of the sample that can be read from the site of a half. The result is indexed by the
// issue keys of the end that stays.
func (d *Driver) sampleFrom(ctx context.Context, t *executor.Task, m *migration, role string) (map[string]lookedUp,
	error) {
	if err := intact(ctx, t, exportFile(m.staying)); err != nil {
		return nil, err
	}
	keys, local, remote, err := sampleOf(t, m)
	if err != nil {
		return nil, err
	}
	var here, there map[string]issueSeen
	if role == m.staying {
		if here, err = d.issuesOf(ctx, m.stay(), local); err != nil {
			return nil, err
		}
	}
	if m.cloudIsMovers() == (role == m.moving) {
		if there, err = d.issuesOf(ctx, m.site(), remote); err != nil {
			return nil, err
		}
	}
	out := map[string]lookedUp{}
	for _, k := range keys {
		out[k.local] = lookedUp{Here: digested(t.Run, here, k.local), There: digested(t.Run, there, k.remote)}
	}
	return out, nil
}

func digested(run string, seen map[string]issueSeen, key string) *seenIssue {
	i, ok := seen[key]
	if !ok {
		return nil
	}
	out := &seenIssue{Comments: i.comments}
	if i.summary != nil {
		sum := sha256.Sum256([]byte(run + "\n" + *i.summary))
		out.Summary = hex.EncodeToString(sum[:16])
	}
	return out
}

// recordedSample returns what a step has recorded about the sample.
func recordedSample(t *executor.Task, step string) (map[string]lookedUp, error) {
	out := map[string]lookedUp{}
	if err := json.Unmarshal([]byte(t.Output(step, commentsOutput)), &out); err != nil {
		return nil, executor.Final(fmt.Errorf("what %s has seen of the sample is not recorded; verify it again: "+
			"syncctl resolve %s -retry", step, planner.TypedID(t.Step.Addr, step)))
	}
	return out, nil
}

// verifyHalf is verifyAll for one half.
func (d *Driver) verifyHalf(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	v, err := d.originalAsExported(ctx, t, opStillStopped, role)
	if err != nil || v.State != executor.Done {
		return v, err
	}
	whys := []string{v.Why}
	if role == m.staying {
		fares, err := d.verifyNew(ctx, t, m)
		if err != nil || fares.State != executor.Done {
			return fares, err
		}
		whys = append(whys, fares.Why)
	}
	sample, err := d.sampleFrom(ctx, t, m, role)
	if err != nil {
		return executor.Verdict{}, err
	}
	if m.cloudIsMovers() != (role == m.moving) { // then the other site compares
		v = executor.Done.Because("%s", strings.Join(whys, "; "))
		v.Outputs = map[string]string{commentsOutput: jsonText(sample)}
		return v, nil
	}
	if role == m.moving {
		here, err := recordedSample(t, op(opVerify, m.staying))
		if err != nil {
			return executor.Verdict{}, err
		}
		for key, seen := range sample {
			seen.Here = here[key].Here
			sample[key] = seen
		}
	}
	if differ := differentDigests(sample); len(differ) > 0 {
		return executor.NotDone.Because("%s", strings.Join(differ, "; ")), nil
	}
	more, err := newCommentsApart(t, m, sample)
	return executor.Done.Because("%s; the summaries of %s compared, all equal; %s", strings.Join(whys, "; "),
		wording.Plural(len(sample), "pair"), more), err
}

// verifyNew checks the new synchronization: its configuration, its state, its pairs.
func (d *Driver) verifyNew(ctx context.Context, t *executor.Task, m *migration) (executor.Verdict, error) {
	if err := exportsAgree(ctx, t, m.staying); err != nil {
		return executor.Verdict{}, err
	}
	l, err := d.locate(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	if v, err := stillConfigured(ctx, t, l); err != nil || v.State != executor.Done { // not where it was not found
		return v, err
	}
	fares, err := newFares(ctx, t, l)
	if err != nil || fares.State != executor.Done {
		return fares, err
	}
	whys := []string{fares.Why}
	for _, end := range []string{first, second} {
		v, err := comparePairs(ctx, t, l, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		whys = append(whys, v.Why)
	}
	return executor.Done.Because("%s", strings.Join(whys, "; ")), nil
}

// differentDigests names the pairs whose summaries differ. Summaries that cannot be read do not count as equal.
func differentDigests(sample map[string]lookedUp) []string {
	var differ []string
	for _, key := range slices.Sorted(maps.Keys(sample)) {
		switch s := sample[key]; {
		case s.Here == nil || s.There == nil:
			differ = append(differ, fmt.Sprintf("%s and its partner were not both found", key))
		case s.Here.Summary == "" || s.There.Summary == "":
			differ = append(differ, fmt.Sprintf("the summaries of %s and its partner cannot both be read", key))
		case s.Here.Summary != s.There.Summary:
			differ = append(differ, fmt.Sprintf("the summaries of %s and its partner differ", key))
		}
	}
	return differ
}

// newCommentsApart is newComments for two sites, each of which has counted the comments that it can read.
func newCommentsApart(t *executor.Task, m *migration, now map[string]lookedUp) (string, error) {
	here, err := recordedSample(t, op(opStill, m.staying))
	there, more := recordedSample(t, op(opStill, m.moving))
	if err := errors.Join(err, more); err != nil {
		return "", err
	}
	var grown []string
	compared := 0
	for _, key := range slices.Sorted(maps.Keys(now)) {
		before := lookedUp{Here: here[key].Here, There: there[key].There}
		if before.There == nil {
			before.There = here[key].There
		}
		a, had := before.counts()
		b, has := now[key].counts()
		if !had || !has {
			continue
		}
		if compared++; a[0]-a[1] != b[0]-b[1] {
			grown = append(grown, fmt.Sprintf("%s and its partner have %d and %d comments, before the start %d and %d", key,
				b[0], b[1], a[0], a[1]))
		}
	}
	return comparedComments(compared, len(now), grown), nil
}

func (l lookedUp) counts() ([2]int, bool) {
	if l.Here == nil || l.There == nil || l.Here.Comments == nil || l.There.Comments == nil {
		return [2]int{}, false
	}
	return [2]int{*l.Here.Comments, *l.There.Comments}, true
}
