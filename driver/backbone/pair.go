package backbone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/planner"
)

// pair uploads one section of the merged file to one connector of the new synchronization, over REST. For pairByFile
// a person uploads the whole file on the web page.
var (
	pair       = driver.Verb[*Driver]{Name: verbPair, Execute: (*Driver).pair, Verify: (*Driver).verifyPaired}
	pairByFile = driver.Verb[*Driver]{Name: opPair, Verify: (*Driver).verifyBothPaired}
)

// pairOp returns the op of an upload over REST, such as pair_first.
func pairOp(end string) string { return op(opPair, end) }

func (s *standing) pair(end string, guards []string) planner.Step {
	role, section := s.staying, syncinfo.First
	if end == second {
		role, section = s.moving, syncinfo.Second
	}
	step := planner.Act("", planner.MarkAdd, planner.Once, fmt.Sprintf("upload the %s's pairs (%s of %s) into the "+
		"%s connector: %s now",
		role, section, mergedFile, end, wording.Plural(s.half(role).own().Pairs, "pair")))
	step.Because = guide + ", step 3.2; the import is documented in one line and its body is not, so every " +
		"pair is read back"
	step.Guards, step.Within, step.Exclusive = guards, settling, exclusive(s.stay())
	step.Effect, step.Undo = &planner.Effect{}, "delete the new synchronization"
	step = forEnd(step, verbPair, end)
	step.Op = pairOp(end)
	return at(step, s.stay())
}

func (s *standing) pairByFile(guards []string) planner.Step {
	step := planner.Person(opPair, fmt.Sprintf("upload %s as pairs of issues that Backbone has synchronized before",
		mergedFile), planner.Manual{
		Where:  s.stay().URL.String() + ", Backbone, " + s.to.name(),
		Action: "pair_by_file",
		Do: []string{
			"Open the configuration, then ••• > Pair existing issues > Pair existing issues synced with Backbone before.",
			"Choose the file below. Leave \"update sync info panel\" unchecked.",
		},
		Values: []planner.Value{
			{Name: "server", Label: "Jira", Value: s.stay().URL.String()},
			{Name: "first_project", Label: "Project", Value: s.to.one.Project},
			{Name: "second_project", Label: "Partner project", Value: s.to.two.Project},
			{Name: "path", Label: "File", Value: mergedFile, File: true},
		},
	})
	step.Because, step.Guards, step.Within = guide+", step 3.2", guards, settling/2
	return at(step, s.stay())
}

// pair sends one section of the merged file to its connector, in one request.
func (d *Driver) pair(ctx context.Context, t *executor.Task) (executor.Result, error) {
	end := t.Step.Args[endArg]
	l, err := d.locateExisting(ctx, t, end)
	if err == nil {
		err = intact(ctx, t, mergedFile)
	}
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	w, err := d.writer(l.end.server)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{}, w.importPairs(ctx, l.connector(end), func() (io.ReadCloser, error) {
		return sectionBody(t.Files, sectionOf(end))
	})
}

func sectionOf(end string) syncinfo.Section {
	if end == second {
		return syncinfo.Second
	}
	return syncinfo.First
}

// sectionBody streams one section of the merged file as a bare array.
func sectionBody(files executor.Files, section syncinfo.Section) (io.ReadCloser, error) {
	f, err := files.Open(mergedFile)
	if err != nil {
		return nil, err
	}
	pr, pw := io.Pipe()
	go func() {
		var err error
		defer func() { pw.CloseWithError(err) }()
		defer fault.Catch(&err)
		defer f.Close()
		err = writeSection(pw, syncinfo.NewExportReader(mergedFile, f, syncinfo.WithSecond()), section)
	}()
	return pr, nil
}

// writeSection writes the entries of one section as a bare array. It stops at the first error of w, such as a pipe
// that is no longer read.
func writeSection(w io.Writer, r *syncinfo.Reader, section syncinfo.Section) error {
	sep := "["
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if r.Section() != section {
			continue
		}
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
		if _, err := w.Write(e.Raw); err != nil {
			return err
		}
		sep = ","
	}
	if sep == "[" {
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "]")
	return err
}

// verifyPaired reads back the pairs of a connector: it must have exactly those that were uploaded, and at most the
// allowed number of new ones.
func (d *Driver) verifyPaired(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return d.pairedAt(ctx, t, t.Step.Args[endArg])
}

func (d *Driver) verifyBothPaired(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	outputs := map[string]string{}
	var whys []string
	for _, end := range []string{first, second} {
		v, err := d.pairedAt(ctx, t, end)
		if err != nil || v.State != executor.Done {
			return v, err
		}
		whys = append(whys, v.Why)
		outputs[end+"_"+sentOutput] = v.Outputs[sentOutput]
	}
	return executor.Verdict{State: executor.Done, Why: strings.Join(whys, "; "), Outputs: outputs}, nil
}

func (d *Driver) pairedAt(ctx context.Context, t *executor.Task, end string) (executor.Verdict, error) {
	l, err := d.locate(ctx, t, end)
	if err != nil {
		return executor.Verdict{}, err
	}
	if !l.found() {
		return executor.NotDone.Because("%s was not found", l.sync.name()), nil
	}
	return comparePairs(ctx, t, l, end)
}

// comparePairs compares the pairs of a connector with its section of the merged file.
func comparePairs(ctx context.Context, t *executor.Task, l *located, end string) (executor.Verdict, error) {
	m, err := declared(decodeMigration, t.Resource)
	if err == nil {
		err = intact(ctx, t, mergedFile)
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	connector := l.connector(end)
	diff, err := syncinfo.ComparePairs(ctx, wanted(t, end), livePairs(ctx, l.client, connector))
	if err != nil {
		return executor.Verdict{}, err
	}
	last := t.Step.Verb == opVerify
	if diff.Missing == 0 && diff.GotTwice == 0 && diff.Extra <= m.newPairs {
		v := executor.Done.Because("%s has all %s", connector, wording.Plural(diff.WantPairs, "pair"))
		switch {
		case diff.Extra > 0:
			v.Why += fmt.Sprintf(" and %s made since", wording.Plural(diff.Extra, "pair"))
		case last:
			v.Why += ", no more and no fewer"
		}
		v.Outputs = map[string]string{"pairs": strconv.Itoa(diff.WantPairs), sentOutput: sentBy(&diff.GotTally)}
		return v, nil
	}
	if diff.Missing == 0 && diff.GotTwice == 0 && (last || t.IsDone(opStart) || t.IsDone(opStartByHand)) {
		v := executor.Partial.Because("%s", oneLine(diff.String()))
		// waiting does not make them fewer
		return v, executor.Final(fmt.Errorf("%s: issues were created since the start. If that is as it should be, "+
			"write verify { new_pairs = %d } or more into %s, and apply again: the run is resumed with it",
			v.Why, diff.Extra, t.Resource.Addr))
	}
	v := executor.Partial.Because("%s; if these pairs are of no use, delete %s on the web page and have it "+
		"created again: syncctl resolve %s -retry",
		oneLine(diff.String()), l.Key, planner.TypedID(t.Step.Addr, opCreate))
	if diff.GotPairs == 0 {
		return executor.NotDone.Because("%s has none of the %s yet", connector, wording.Plural(diff.WantPairs, "pair")),
			nil
	}
	return v, nil
}

// livePairs returns the pairs of a connector as a source that reads them from the server each time it is opened.
func livePairs(ctx context.Context, c *reader, connector string) syncinfo.Source {
	return syncinfo.Source{Name: "connector " + connector, Array: true, Open: opening(ctx, c, connector)}
}

// oneLine joins the lines of a list.
func oneLine(s string) string { return strings.Join(wording.Lines(s), "; ") }
