package backbone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// export is the verb that downloads the pairs of a half into the run's files.
var export = driver.Verb[*Driver]{Name: opExport, Execute: (*Driver).export, Verify: (*Driver).verifyExported}

// sentOutput is the output with the sum of all message numbers that a connector had sent when its pairs were read.
// Every message raises it.
const sentOutput = "sent"

func (s *standing) export(role string) planner.Step {
	h := s.half(role)
	step := planner.Act("", planner.MarkAdd, planner.Idempotent,
		fmt.Sprintf("download the synced issues of %s into the run's file %s (%s now)",
			h.First.Key, exportFile(role), wording.Plural(h.own().Pairs, "pair")))
	step.Because = guide + ", step 1.2: the pairs are what the new synchronization needs to know the issues again"
	step.Args = map[string]string{"connector": h.First.Key, "integration": h.Key}
	return at(forEnd(step, opExport, role), h.end.server)
}

// export streams the pairs of one connector into a file of the run, in the format of the web page's download. Every
// entry passes through the reader, so a login page or half an answer never becomes an export.
func (d *Driver) export(ctx context.Context, t *executor.Task) (executor.Result, error) {
	role := t.Step.Args[endArg]
	l, err := d.locateExisting(ctx, t, role)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	var tally syncinfo.Tally
	info, err := t.Files.Create(ctx, exportFile(role), func(w io.Writer) error {
		body, err := l.client.syncInformation(ctx, l.First.Key)
		if err != nil {
			return err
		}
		defer body.Close()
		return writeExport(w, syncinfo.NewArrayReader(l.First.Key, body, syncinfo.Counting(&tally)), func() {
			t.Report(executor.Progress{Done: int64(tally.Pairs), Unit: "pairs"})
		})
	})
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{
		Note: fmt.Sprintf("%s, %d bytes", wording.Plural(tally.Pairs, "pair"), info.Bytes),
		Outputs: map[string]string{
			"pairs": strconv.Itoa(tally.Pairs), "bytes": strconv.FormatInt(info.Bytes, 10), hashOutput: info.SHA256,
			sentOutput: sentBy(&tally),
		},
	}, nil
}

// reportEvery is the number of pairs between two reports of the progress.
const reportEvery = 1000

func writeExport(w io.Writer, r *syncinfo.Reader, report func()) error {
	sep := "{\"firstConnector\":[\n"
	n := 0
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
		if _, err := w.Write(e.Raw); err != nil {
			return err
		}
		sep = ",\n"
		if n++; n%reportEvery == 0 {
			report()
		}
	}
	if n == 0 {
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

func (d *Driver) verifyExported(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	return verifyFile(ctx, t, exportFile(t.Step.Args[endArg]))
}
