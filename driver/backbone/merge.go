package backbone

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// merge is the verb that joins the two exports of the run into the file that pairs the issues of the new
// synchronization.
var merge = driver.Verb[*Driver]{Name: opMerge, Execute: (*Driver).merge, Verify: (*Driver).verifyMerged}

func (s *standing) merge(q *planner.Sequence) planner.Step {
	step := planner.Act(opMerge, planner.MarkAdd, planner.Idempotent,
		fmt.Sprintf("merge the two files into %s: the %s's data as firstConnector (it stays), the %s's as "+
			"secondConnector (it migrates)", mergedFile, s.staying, s.moving))
	step.Because = guide + ", step 2; every pair must have its mirror on the other side"
	step.Needs = []string{q.ID(op(opExport, master)), q.ID(op(opExport, slave))}
	return step
}

func (d *Driver) merge(ctx context.Context, t *executor.Task) (executor.Result, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err == nil && m.from == nil {
		err = errNotDeclared
	}
	if err == nil {
		err = intact(ctx, t, exportFile(master), exportFile(slave))
	}
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	o := syncinfo.MergeOptions{
		Fs: d.env.Fs, Master: t.Files.Path(exportFile(master)), Slave: t.Files.Path(exportFile(slave)),
		Migrating: syncinfo.Role(m.moving), Out: t.Files.Path(mergedFile),
		MasterProject: m.from.one.Project, SlaveProject: m.from.two.Project,
		CompleteComments: m.CompleteComments, Hash: true, Clock: d.env.Now,
	}
	for _, v := range m.Allow {
		o.Allow = append(o.Allow, syncinfo.Rule(v))
	}
	rep, err := syncinfo.Merge(ctx, o)
	if check := (*syncinfo.CheckError)(nil); errors.As(err, &check) {
		err = errors.New(check.Text(func(r syncinfo.Rule) string {
			return fmt.Sprintf("allow = [%q] in %s", r, t.Resource.Addr)
		}))
	}
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{
		Note: fmt.Sprintf("%s, %d bytes", wording.Plural(rep.Pairs, "pair"), rep.BytesOut),
		Outputs: map[string]string{
			"pairs": strconv.Itoa(rep.Pairs), hashOutput: rep.Sha256, "bytes": strconv.FormatInt(rep.BytesOut, 10),
		},
	}, nil
}

func (d *Driver) verifyMerged(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return verifyFile(ctx, t, mergedFile)
}
