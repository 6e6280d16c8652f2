package backbone

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Execute carries out what the interface can do. What it cannot do are a person's steps and never come here.
func (d *Driver) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	op, end := splitOp(t.Step.Op)
	switch op {
	case opStop, "stop":
		return executor.Result{}, d.startStop(ctx, t, end, "stop")
	case "start_", opStart:
		return executor.Result{}, d.startStop(ctx, t, end, "start")
	case opExport:
		return d.export(ctx, t, end)
	case opMerge:
		return d.merge(ctx, t)
	case opPair:
		return d.importPairs(ctx, t, end)
	case opResync:
		return executor.Result{}, d.resync(ctx, t, end)
	case opDelete:
		return executor.Result{}, d.delete(ctx, t, end)
	}
	return executor.Result{}, executor.NotSent(fmt.Errorf("carrying out %s: Backbone has no such step", t.Step.ID))
}

// splitOp separates the end's name from a verb that exists once for each end.
func splitOp(op string) (verb, end string) {
	for _, e := range []string{master, slave, first, second, newEnd} {
		if v, ok := strings.CutSuffix(op, "_"+e); ok {
			return v + "_", e
		}
	}
	return op, ""
}

// target is the synchronization a step works on: the original for what happens to its halves, else the new one.
func target(t *executor.Task, end string) *schema.Resource {
	switch {
	case t.Resource.Addr.Kind == schema.Sync:
		return t.Resource
	case end == master || end == slave:
		return t.Resource.Ref("from")
	}
	return t.Resource.Ref("to")
}

// located is a synchronization found on the server that holds it.
type located struct {
	sync   *schema.Resource
	server *schema.Resource
	client *reader
	*integration
}

// locate finds the live counterpart of a step's synchronization; integration is nil when there is none.
func (d *Driver) locate(ctx context.Context, t *executor.Task, end string) (*located, error) {
	sync := target(t, end)
	if sync == nil {
		return nil, fmt.Errorf("%s is not declared any more", t.Resource.Text("from"))
	}
	role := end
	if sync.Text("transport") == direct {
		role = first // a direct synchronization is administered from one Jira alone (HC/5.0/server/glossary)
	}
	l := &located{sync: sync, server: sync.Ref(role, "server")}
	c, err := d.reader(l.server)
	if err != nil {
		return nil, err
	}
	l.client = c
	if sync.Text("transport") == direct {
		l.integration, err = findDirect(ctx, c, sync)
	} else {
		l.integration, _, err = findHalf(ctx, c, sync, role)
	}
	return l, err
}

// locateExisting is locate where there must be one.
func (d *Driver) locateExisting(ctx context.Context, t *executor.Task, end string) (*located, error) {
	l, err := d.locate(ctx, t, end)
	if err != nil {
		return nil, err
	}
	if l.integration == nil {
		if t.Resource.Addr.Kind == schema.Migration && end != master && end != slave {
			return nil, fmt.Errorf("%s is not on %s any more; have it made anew: syncctl resolve %s -retry", syncName(l.sync), l.server.Addr, planner.StepID(t.Step.Addr, opCreate))
		}
		return nil, fmt.Errorf("%s is not on %s", syncName(l.sync), l.server.Addr)
	}
	return l, nil
}

func (d *Driver) startStop(ctx context.Context, t *executor.Task, end, verb string) error {
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.NotSent(err)
	}
	w, err := d.writer(l.server)
	if err != nil {
		return executor.NotSent(err)
	}
	return w.startStop(ctx, l.Key, verb)
}

// export streams one connector's pairs into the run, as the file that the web page's download would give. Every entry
// passes the reader, so that a login page or half an answer never becomes an export.
func (d *Driver) export(ctx context.Context, t *executor.Task, role string) (executor.Result, error) {
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
		Note: fmt.Sprintf("%s, %d bytes", plural(tally.Pairs, "pair"), info.Bytes),
		Outputs: map[string]string{
			"pairs": strconv.Itoa(tally.Pairs), "bytes": strconv.FormatInt(info.Bytes, 10), "sha256": info.SHA256,
			sentOutput: strconv.FormatInt(tally.SumOutgoing, 10),
		},
	}, nil
}

// reportEvery is how many pairs pass between two words about the progress.
const reportEvery = 1000

func writeExport(w io.Writer, r *syncinfo.Reader, report func()) error {
	sep := "{\"firstConnector\":[\n"
	n := 0
	for {
		e, err := r.Next()
		if err == io.EOF {
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

// merge joins the two exports of the run.
func (d *Driver) merge(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if err := intact(ctx, t, exportFile(master), exportFile(slave)); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	from := t.Resource.Ref("from")
	o := syncinfo.MergeOptions{
		Fs: d.env.Fs, Master: t.Files.Path(exportFile(master)), Slave: t.Files.Path(exportFile(slave)),
		Migrating: syncinfo.Role(t.Resource.Text("migrating")), Out: t.Files.Path(mergedFile),
		MasterProject: from.Text(master, "project"), SlaveProject: from.Text(slave, "project"),
		CompleteComments: flag(t.Resource, "complete_comments"), Clock: d.env.Now,
	}
	for _, v := range listOf(t.Resource, "allow") {
		o.Allow = append(o.Allow, syncinfo.Rule(v))
	}
	rep, err := syncinfo.Merge(ctx, o)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{
		Note: fmt.Sprintf("%s, %d bytes", plural(rep.Pairs, "pair"), rep.BytesOut),
		Outputs: map[string]string{
			"pairs": strconv.Itoa(rep.Pairs), "sha256": rep.Sha256, "bytes": strconv.FormatInt(rep.BytesOut, 10),
		},
	}, nil
}

func listOf(r *schema.Resource, path ...string) []string {
	v := r.Get(path...)
	if !known(v) {
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		out = append(out, schema.Text(e))
	}
	return out
}

// importPairs sends one connector its section of the merged file in one request.
func (d *Driver) importPairs(ctx context.Context, t *executor.Task, end string) (executor.Result, error) {
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if err := intact(ctx, t, mergedFile); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	w, err := d.writer(l.server)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return executor.Result{}, w.importPairs(ctx, l.connectorOf(end), func() (io.ReadCloser, error) {
		return sectionBody(t.Files, sectionOf(end))
	})
}

func (l *located) connectorOf(end string) string {
	if end == second {
		return l.Second.Key
	}
	return l.First.Key
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
	r := syncinfo.NewExportReader(mergedFile, f, syncinfo.WithSecond())
	pr, pw := io.Pipe()
	go func() {
		defer f.Close()
		sep := "["
		for {
			e, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				pw.CloseWithError(err)
				return
			}
			if r.Section() != section {
				continue
			}
			if _, err := io.WriteString(pw, sep); err != nil {
				return
			}
			if _, err := pw.Write(e.Raw); err != nil {
				return
			}
			sep = ","
		}
		if sep == "[" {
			_, _ = io.WriteString(pw, sep) // the reader may be gone: then nobody waits for more
		}
		_, _ = io.WriteString(pw, "]")
		pw.Close()
	}()
	return pr, nil
}

// resync asks for the summary field alone; its mapping's id is looked up in the live configuration.
func (d *Driver) resync(ctx context.Context, t *executor.Task, end string) error {
	l, err := d.locateExisting(ctx, t, end)
	if err != nil {
		return executor.NotSent(err)
	}
	full, err := l.client.integration(ctx, l.Key)
	if err != nil {
		return executor.NotSent(err)
	}
	if full.config.summaryID == "" {
		return executor.NotSent(fmt.Errorf("looking up the field mapping of summary in %s: none can be made out, so a resync of the summary alone cannot be asked for: map summary to summary, or resync from %s on the web page with the summary field only and then say: syncctl resolve %s -done", l.Key, l.connectorOf(end), t.Step.ID))
	}
	w, err := d.writer(l.server)
	if err != nil {
		return executor.NotSent(err)
	}
	return w.resync(ctx, l.connectorOf(end), full.config.summaryID)
}

// delete removes one half of the original. The pairs that are lost with it are in the run's files.
func (d *Driver) delete(ctx context.Context, t *executor.Task, role string) error {
	l, err := d.locateExisting(ctx, t, role)
	if err != nil {
		return executor.NotSent(err)
	}
	if want := t.Step.Args["integration"]; l.Key != want {
		return executor.NotSent(fmt.Errorf("deleting %s: the synchronization found is %s: not the one that was planned", want, l.Key))
	}
	w, err := d.writer(l.server)
	if err != nil {
		return executor.NotSent(err)
	}
	return w.delete(ctx, l.Key)
}
