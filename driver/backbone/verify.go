package backbone

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// verify is the verb that verifies everything before the original is deleted.
var verify = driver.Verb[*Driver]{Name: opVerify, Verify: (*Driver).verifyAll}

func (s *standing) verify() planner.Step {
	step := planner.Check(opVerify, fmt.Sprintf("%s runs, no issue is in error, every exported pair is on both "+
		"connectors, no more and no fewer; the summaries of %s are equal on both Jiras",
		s.to.name(), wording.Plural(s.sample, "pair")), s.within)
	step.Because = guide + ", step 4.3: the original is deleted only once everything is verified"
	step.Args = map[string]string{"sample": strconv.Itoa(s.sample)}
	return at(step, s.from.one.server, s.from.two.server, s.stay(), s.site())
}

// verifyAll checks the run's files, both halves of the original, and the new synchronization: its configuration, its
// state, its pairs, and a sample of issues on both Jiras.
func (d *Driver) verifyAll(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if role := ofHalf(t); role != "" {
		return d.verifyHalf(ctx, t, role)
	}
	m, err := declared(decodeMigration, t.Resource)
	if err == nil {
		err = exportsAgree(ctx, t, m.staying)
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	if v, err := d.originalAsExported(ctx, t, opStillStopped, roles...); err != nil || v.State != executor.Done {
		return v, err
	}
	l, err := d.locate(ctx, t, first)
	if err != nil {
		return executor.Verdict{}, err
	}
	if v, err := stillConfigured(ctx, t, l); err != nil || v.State != executor.Done { // not where it was not found
		return v, err
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
	sample, err := d.sample(ctx, t, m)
	if err != nil {
		return executor.Verdict{}, err
	}
	if differ := differentSummaries(sample); len(differ) > 0 {
		return executor.NotDone.Because("%s", strings.Join(differ, "; ")), nil
	}
	return executor.Done.Because("%s; the summaries of %s compared, all equal; %s", strings.Join(whys, "; "),
		wording.Plural(len(sample), "pair"), newComments(t, sample)), nil
}

// exportsAgree checks that what was uploaded is what was exported, whatever happened to the run's files since: each
// section of the merged file must have the pairs of the export that it was made from.
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

// sampled is a pair with its issues on both Jiras. An issue is nil if it was not found.
type sampled struct {
	pairKeys
	here, there *issueSeen
}

// sampleOf returns the step's sample of the exported pairs, and the keys of each end as separate lists.
func sampleOf(t *executor.Task, m *migration) (keys []pairKeys, local, remote []string, err error) {
	n, err := strconv.Atoi(t.Step.Args["sample"])
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading the sample's size: %w", err)
	}
	if keys, err = sampleKeys(t.Files, exportFile(m.staying), n); err != nil {
		return nil, nil, nil, err
	}
	for _, k := range keys {
		local, remote = append(local, k.local), append(remote, k.remote)
	}
	return keys, local, remote, nil
}

// sample reads the issues of a sample of the exported pairs on both Jiras.
func (d *Driver) sample(ctx context.Context, t *executor.Task, m *migration) ([]sampled, error) {
	keys, local, remote, err := sampleOf(t, m)
	if err != nil {
		return nil, err
	}
	here, err := d.issuesOf(ctx, m.stay(), local)
	if err != nil {
		return nil, err
	}
	there, err := d.issuesOf(ctx, m.site(), remote)
	if err != nil {
		return nil, err
	}
	out := make([]sampled, len(keys))
	for i, k := range keys {
		out[i].pairKeys = k
		if a, ok := here[k.local]; ok {
			out[i].here = &a
		}
		if b, ok := there[k.remote]; ok {
			out[i].there = &b
		}
	}
	return out, nil
}

func (d *Driver) issuesOf(ctx context.Context, server *serverBlock, keys []string) (map[string]issueSeen, error) {
	c, err := d.reader(server)
	if err != nil {
		return nil, err
	}
	return c.issues(ctx, keys)
}

// differentSummaries names the pairs whose summaries differ. Summaries that cannot be read do not count as equal.
func differentSummaries(sample []sampled) []string {
	var differ []string
	for _, p := range sample {
		switch {
		case p.here == nil || p.there == nil:
			differ = append(differ, fmt.Sprintf("%s and %s were not both found", p.local, p.remote))
		case p.here.summary == nil || p.there.summary == nil:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s cannot both be read", p.local, p.remote))
		case *p.here.summary != *p.there.summary:
			differ = append(differ, fmt.Sprintf("the summaries of %s and %s differ", p.local, p.remote))
		}
	}
	return differ
}

// commentsOutput is the output with the numbers of comments before the start, as JSON. Over one site it maps the
// issue key of the end that stays to both numbers; over two sites see lookedUp.
const commentsOutput = "comments"

// commentCounts returns the numbers of comments of the pairs for which both can be read.
func commentCounts(sample []sampled) map[string][2]int {
	out := map[string][2]int{}
	for _, p := range sample {
		if p.here != nil && p.there != nil && p.here.comments != nil && p.there.comments != nil {
			out[p.local] = [2]int{*p.here.comments, *p.there.comments}
		}
	}
	return out
}

// newComments compares the numbers of comments with those before the start. A comment that was written since is on
// both Jiras; a duplicate is on one only. The pairs are right in either case, so duplicates are reported but nothing
// is refused.
func newComments(t *executor.Task, sample []sampled) string {
	before, now := map[string][2]int{}, commentCounts(sample)
	if err := json.Unmarshal([]byte(t.Output(opStill, commentsOutput)), &before); err != nil {
		before = nil
	}
	var more []string
	compared := 0
	for _, p := range sample {
		a, was := before[p.local]
		b, is := now[p.local]
		if !was || !is {
			continue
		}
		if compared++; a[0]-a[1] != b[0]-b[1] {
			more = append(more, fmt.Sprintf("%s and %s have %d and %d comments, before the start %d and %d", p.local,
				p.remote, b[0], b[1], a[0], a[1]))
		}
	}
	return comparedComments(compared, len(sample), more)
}

// comparedComments says of how many pairs the comments could be compared, and what grew at one end alone.
func comparedComments(compared, of int, grown []string) string {
	text := fmt.Sprintf("the comments of %d of %s counted before and after", compared, wording.Plural(of, "pair"))
	switch {
	case len(grown) > 0:
		return text + ", look for duplicates (BAC-1449): " + strings.Join(grown, ", ")
	case compared == 0:
		return text + ", whether any is duplicated is unknown"
	}
	return text + ", none duplicated"
}
