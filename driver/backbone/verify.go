package backbone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Verify asks the live servers, and the run's files, whether a step's end is reached.
func (d *Driver) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	op, end := splitOp(t.Step.Op)
	switch op {
	case opPreflight:
		return d.verifyPreflight(ctx, t)
	case opNoErrors:
		return d.verifyNoErrors(ctx, t, end)
	case opGone:
		return d.verifyGone(ctx, t, end)
	case opStopByHand, opStillStopped:
		return d.verifyStands(ctx, t, end)
	case opStartByHand:
		return d.verifyStatus(ctx, t, first, "RUNNING")
	case opStop, "stop":
		return d.verifyStatus(ctx, t, end, "STOPPED")
	case "start_", opStart:
		return d.verifyStatus(ctx, t, end, "RUNNING")
	case opDrained:
		return d.verifyDrained(ctx, t)
	case opExport:
		return verifyFile(ctx, t, exportFile(end), t.Outputs[t.Step.ID]["sha256"])
	case opMerge:
		return verifyFile(ctx, t, mergedFile, t.Outputs[t.Step.ID]["sha256"])
	case opMove:
		return d.verifyMoved(ctx, t)
	case opStill:
		return d.verifyStill(ctx, t)
	case opCreate, "create_":
		return d.verifyCreated(ctx, t, end)
	case opPair:
		return d.verifyPairs(ctx, t, end)
	case opPairAll:
		return d.verifyBothPairs(ctx, t)
	case opConfigure:
		return d.verifyConfigured(ctx, t)
	case opResync:
		return d.verifyResync(ctx, t, end)
	case opVerify:
		return d.verifyAll(ctx, t)
	case opRest:
		return d.verifyRest(ctx, t)
	case opDelete:
		return d.verifyDeleted(ctx, t, end)
	}
	return executor.Verdict{State: executor.Unknown}, nil
}

func done(why string) executor.Verdict { return executor.Verdict{State: executor.Done, Why: why} }

func notDone(format string, args ...any) executor.Verdict {
	return executor.Verdict{State: executor.NotDone, Why: fmt.Sprintf(format, args...)}
}

// verifyPreflight looks at both ends once more, right before anything is touched.
func (d *Driver) verifyPreflight(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	v, err := d.readMigration(ctx, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	var f migrationFacts
	if err := unpack(v.GetAttr("facts"), &f); err != nil {
		return executor.Verdict{}, err
	}
	m := newMigrating(t.Resource, f)
	findings, diags := m.findings(t.IsDone)
	if diags.HasErrors() {
		return executor.Verdict{}, executor.Final(errors.New(diags[0].Detail))
	}
	var refused []string
	for _, f := range findings {
		if f.Severity == planner.Refuse {
			refused = append(refused, f.Summary)
		}
	}
	if len(refused) > 0 {
		return executor.Verdict{}, executor.Final(errors.New(strings.Join(refused, "; ")))
	}
	return done(fmt.Sprintf("%s and %s can be migrated: %s and %s", f.Master.Key, f.Slave.Key, plural(f.Master.Pairs, "pair"), plural(f.Slave.Pairs, "pair"))), nil
}

func (d *Driver) verifyStatus(ctx context.Context, t *executor.Task, end, want string) (executor.Verdict, error) {
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	h, err := l.client.healthOf(ctx, l.integration)
	switch {
	case err != nil:
		return executor.Verdict{}, err
	case h.Status == "":
		return unknown("the status of %s cannot be read", l.Key), nil
	case h.Status != want:
		return notDone("%s is %s", l.Key, h.Status), nil
	}
	return done(l.Key + " is " + want), nil
}

// verifyDrained: both halves stand still, and their message numbers agree. A restart of Jira brings synchronizations
// back to life (HC/5.0/server/system-properties), so that they stand still is looked at again here.
func (d *Driver) verifyDrained(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	var halves [2]*half
	from := target(t, master)
	for i, role := range []string{master, slave} {
		h, err := d.readHalf(ctx, from, role)
		if err != nil {
			return executor.Verdict{}, err
		}
		if !h.Found {
			return notDone("the %s's half was not found", role), nil
		}
		switch stands(t, h, role, opStopByHand) {
		case executor.Done:
		case executor.Unknown:
			return unknown("whether the %s's half %s is stopped cannot be read", role, h.Key), nil
		default:
			return notDone("the %s's half %s is not stopped (%s)", role, h.Key, h.Status), nil
		}
		halves[i] = h
	}
	var tallies [2]syncinfo.Tally
	drain, err := d.compareEnds(ctx, from, halves[0].Connector, halves[1].Connector, &tallies)
	if err != nil {
		return executor.Verdict{}, err
	}
	if !drain.Empty() {
		return notDone("%s; start both halves again, let the messages through (move the files, fetch the mail), and stop them", oneLine(drain.String())), nil
	}
	why := fmt.Sprintf("nothing is in flight between %s", plural(drain.Pairs, "pair"))
	if n := uncompared(drain); n > 0 {
		if !slices.Contains(listOf(t.Resource, "allow"), string(syncinfo.SeqDiffer)) {
			return unknown("whether messages are in flight cannot be told for %s", plural(n, "direction of a pair")), nil
		}
		why += fmt.Sprintf(", as far as can be told: %s not compared (allowed by the declaration)", plural(n, "direction of a pair"))
	}
	return done(why), nil
}

// verifyFile: the run's file is whole and is the one that was written.
func verifyFile(ctx context.Context, t *executor.Task, name, want string) (executor.Verdict, error) {
	f, err := t.Files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return notDone("the run has no file %s", name), nil
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	defer f.Close()
	h := sha256.New()
	var tally syncinfo.Tally
	r := syncinfo.NewExportReader(name, io.TeeReader(f, h), syncinfo.WithSecond(), syncinfo.Counting(&tally))
	for {
		if _, err = r.Next(); err != nil {
			break
		}
		if ctx.Err() != nil {
			return executor.Verdict{}, ctx.Err()
		}
	}
	if !errors.Is(err, io.EOF) {
		return executor.Verdict{}, executor.Final(err)
	}
	got := hex.EncodeToString(h.Sum(nil))
	if want != "" && got != want {
		return executor.Verdict{}, executor.Final(fmt.Errorf("the run's file %s is not the one that was written: its SHA-256 is %s, recorded is %s", name, got, want))
	}
	return executor.Verdict{State: executor.Done, Why: fmt.Sprintf("%s is whole: %d entries", name, tally.Pairs)}, nil
}

// verifyMoved: the project answers in the cloud, and so do a few of its issues.
func (d *Driver) verifyMoved(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	to := t.Resource.Ref("to")
	project := to.Text(second, "project")
	c, err := d.reader(to.Ref(second, "server"))
	if err != nil {
		return executor.Verdict{}, err
	}
	if ok, err := c.hasProject(ctx, project); err != nil || !ok {
		return notDone("project %s is not on %s", project, to.Ref(second, "server").Addr), err
	}
	if err := intact(ctx, t, exportFile(t.Resource.Text("migrating"))); err != nil {
		return executor.Verdict{}, err
	}
	keys, err := sampleKeys(t.Files, exportFile(t.Resource.Text("migrating")), 5)
	if err != nil {
		return executor.Verdict{}, err
	}
	var want []string
	for _, k := range keys {
		want = append(want, k.local)
	}
	have, err := c.summaries(ctx, want)
	if err != nil {
		return executor.Verdict{}, err
	}
	for _, k := range want {
		if _, ok := have[k]; !ok {
			return notDone("project %s is in the cloud, but issue %s was not found", project, k), nil
		}
	}
	return done(fmt.Sprintf("project %s answers in the cloud, with %s of its issues looked at", project, strconv.Itoa(len(keys)))), nil
}

func (d *Driver) verifyCreated(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	if l.integration == nil {
		return notDone("%s has no such synchronization", l.server.Addr), nil
	}
	why := fmt.Sprintf("%s with connector %s", l.Key, l.First.Key)
	if l.Second != nil {
		why += " and " + l.Second.Key
	}
	return executor.Verdict{State: executor.Done, Why: why, Outputs: map[string]string{"integration": l.Key}}, nil
}

// verifyConfigured compares what can be read with what is declared. What cannot be read leaves the verdict unknown.
func (d *Driver) verifyConfigured(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	sync := t.Resource
	if sync.Addr.Kind == "migration" {
		sync = t.Resource.Ref("to")
	}
	actual, err := d.readSync(ctx, sync)
	if err != nil {
		return executor.Verdict{}, err
	}
	if actual.IsNull() {
		return notDone("%s is not there", syncName(sync)), nil
	}
	diff := slices.DeleteFunc(planner.Compare(sync.Value, actual), func(x planner.Difference) bool { return x.Path == "state" })
	if len(diff) > 0 {
		var lines []string
		for _, x := range diff {
			lines = append(lines, fmt.Sprintf("%s is %s, declared %s", x.Path, x.Actual, x.Declared))
		}
		return notDone("%s", strings.Join(lines, "; ")), nil
	}
	blind := unreadable(sync, actual)
	if len(blind) > 0 {
		return executor.Verdict{State: executor.Unknown, Why: "cannot be read over REST: " + strings.Join(blind, ", "),
			Outputs: map[string]string{blindOutput: strings.Join(blind, " ")}}, nil
	}
	return done("the configuration is as declared"), nil
}

// blindOutput names the declared parts of a configuration that could not be read when the person said that it is as declared.
const blindOutput = "by_word"

// unreadable names the parts of a configuration that are declared and cannot be read.
func unreadable(sync *schema.Resource, actual cty.Value) []string {
	var out []string
	has := func(v cty.Value, part string) bool { return v.Type().HasAttribute(part) }
	for _, part := range []string{"name", "issue_types", "field", "comments", "attachments"} {
		if known(sync.Get(part)) && !has(actual, part) {
			out = append(out, part)
		}
	}
	for _, end := range endNames(sync) {
		if known(sync.Get(end, "jql")) && (!has(actual, end) || !has(actual.GetAttr(end), "jql")) {
			out = append(out, end+".jql")
		}
	}
	return out
}

// verifyDeleted: the half is not there any more.
func (d *Driver) verifyDeleted(ctx context.Context, t *executor.Task, role string) (executor.Verdict, error) {
	from := t.Resource.Ref("from")
	c, err := d.reader(from.Ref(role, "server"))
	if err != nil {
		return executor.Verdict{}, err
	}
	key := t.Step.Args["integration"]
	there, err := c.exists(ctx, from.Text(role, "project"), key)
	if errors.Is(err, errUnsure) {
		return unknown("%s: %v", key, err), nil
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	if there {
		return notDone("%s is still there", key), nil
	}
	return done(key + " is gone"), nil
}
