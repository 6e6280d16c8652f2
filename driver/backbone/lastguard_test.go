package backbone_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// The tests of this file call the driver directly, with tasks made by hand. They test the last checks before
// something is deleted. No flow reaches these, because earlier guards refuse first.

// task makes a task of the migration, and a driver for it.
func (b *bench) task(s planner.Step) (driver.Driver, *executor.Task) {
	b.t.Helper()
	cfg, d := b.load()
	addr, err := schema.ParseAddr("migration.backbone_to_cloud.support")
	if err != nil {
		b.t.Fatal(err)
	}
	s.Addr, s.ID = addr.String(), planner.StepID(addr.String(), s.Op)
	return d, &executor.Task{Step: s, Resource: cfg.Lookup(addr), Log: hclog.NewNullLogger()}
}

// TestDeletesOnlyThePlannedHalf checks that no request is sent if the synchronization found is not the planned one.
func TestDeletesOnlyThePlannedHalf(t *testing.T) {
	t.Parallel()
	for op, planned := range map[string]string{"delete_master": "INT-4", "delete_slave": "INT-5"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			var access syncBuffer
			b := small(t, benchLog{&access})
			deletions := func() int { return bytes.Count(access.Bytes(), []byte(`"DELETE"`)) }
			for _, other := range []string{"INT-40", "INT-", "", "int"} {
				d, task := b.task(planner.Step{Op: op, Verb: "delete", Args: map[string]string{"end": strings.TrimPrefix(op,
					"delete_"), "integration": other}})
				if _, err := d.Execute(t.Context(), task); err == nil || !executor.WasNotSent(err) {
					t.Errorf("planned %q: the error is %v; want one that says nothing was sent", other, err)
				}
			}
			if n := deletions(); n > 0 {
				t.Fatalf("%d requests to delete were sent", n)
			}
			d, task := b.task(planner.Step{Op: op, Verb: "delete", Args: map[string]string{"end": strings.TrimPrefix(op,
				"delete_"), "integration": planned}})
			if _, err := d.Execute(t.Context(), task); err != nil || deletions() != 1 {
				t.Errorf("planned %q: %d requests to delete, error %v", planned, deletions(), err)
			}
		})
	}
}

// TestNothingIsRepeatedUnverified checks that the guards of a step are verified again before its request is sent again,
// so that it is noticed if somebody has started the original meanwhile.
func TestNothingIsRepeatedUnverified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fault, method, path string }{
		"deletion": {"method=DELETE,path=**/integrations/*,nth=1,kind=fail,status=429,retry_after=1", "DELETE",
			"/integrations/"},
		"start": {"method=PUT,path=**/start,nth=1,kind=fail,status=429,retry_after=1", "PUT", "/start"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var access syncBuffer
			b := small(t, benchLog{&access}, c.fault)
			if rep := b.carry(b.begin()); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			between := map[string]int{} // the requests between the two attempts, by the last element of the path
			dec := json.NewDecoder(bytes.NewReader(access.Bytes()))
			for attempts := 0; attempts < 2; {
				var line struct{ Method, Path string }
				if err := dec.Decode(&line); err != nil {
					t.Fatal(err)
				}
				switch {
				case line.Method == c.method && strings.Contains(line.Path, c.path):
					attempts++
				case attempts == 1:
					between[path.Base(line.Path)]++
				}
			}
			if between["integrations"] == 0 || between["syncInformation"] == 0 {
				t.Errorf("only this was read before the request was sent again: %v", between)
			}
		})
	}
}

// TestVerifyChecksTheRunsFiles checks that the verification before the deletion reads the exports and the merged file
// again.
func TestVerifyChecksTheRunsFiles(t *testing.T) {
	t.Parallel()
	b := small(t)
	run := b.begin()
	merged := b.store.Files(run).Path("merged.json")
	var whole []byte
	b.seen = func(e executor.Event) {
		if e.Name != executor.EventDone || e.Step.Op != "resync_second" {
			return
		}
		var err error
		if whole, err = os.ReadFile(merged); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(merged, append(bytes.Clone(whole), '\n'), 0o600); err != nil {
			t.Error(err)
		}
	}
	rep := b.carry(run)
	if why := failed(rep); deleted(rep) || !strings.HasPrefix(why, "verify: ") || !strings.Contains(why,
		"merged.json") {
		t.Fatalf("a changed file was not noticed: %s", why)
	}
	less := withoutOnePair(t, whole)
	for name, c := range map[string]struct {
		content  []byte
		recorded []byte // what the journal says was written
		want     string // in the error; "" if the verification passes
	}{
		"as written":                   {whole, whole, ""},
		"changed":                      {less, whole, "merged.json"},
		"recorded with a missing pair": {less, less, "does not have the pairs of"},
	} {
		if err := os.WriteFile(merged, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		d, task := b.task(*run.Plan.Step(planner.StepID("migration.backbone_to_cloud.support", "verify")))
		task.Files = b.store.Files(run)
		b.remember(run, task)
		merged, sum := task.Past("merge"), sha256.Sum256(c.recorded)
		merged.Outputs = maps.Clone(merged.Outputs)
		merged.Outputs["sha256"] = hex.EncodeToString(sum[:])
		task.Remember("merge", merged)
		v, err := d.Verify(t.Context(), task)
		passed := err == nil && v.State == executor.Done
		if passed != (c.want == "") || !passed && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v, error %v; want an error with %q", name, v, err, c.want)
		}
	}
}

// remember adds to a task what the steps of a run have recorded.
func (b *bench) remember(run *executor.Run, t *executor.Task) {
	b.t.Helper()
	j, err := b.store.Journal(run, journal.Options{Now: time.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	defer j.Close()
	d := executor.Next(run.Plan, j.Entries(), "", time.Now())
	for i := range run.Plan.Steps {
		s := &run.Plan.Steps[i]
		t.Remember(s.Op, executor.Past{Outputs: d.Steps[s.ID].Outputs})
	}
}

// withoutOnePair removes the first pair from the first section of a merged file.
func withoutOnePair(t *testing.T, merged []byte) []byte {
	t.Helper()
	var sections map[string][]json.RawMessage
	if err := json.Unmarshal(merged, &sections); err != nil {
		t.Fatal(err)
	}
	sections["firstConnector"] = sections["firstConnector"][1:]
	less, err := json.Marshal(sections)
	if err != nil {
		t.Fatal(err)
	}
	return less
}
