package syncinfo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
)

// memory makes a file system with the files master.json and slave.json.
func memory(t testing.TB, master, slave string) afero.Fs {
	t.Helper()
	fs := afero.NewMemMapFs()
	for name, text := range map[string]string{"w/master.json": master, "w/slave.json": slave} {
		if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

func options(fs afero.Fs, migrating Role) MergeOptions {
	return MergeOptions{Fs: fs, Master: "w/master.json", Slave: "w/slave.json", Out: "w/out.json", Migrating: migrating}
}

func content(t testing.TB, fs afero.Fs, name string) string {
	t.Helper()
	data, err := afero.ReadFile(fs, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nothingLeft checks that only the wanted files exist next to the inputs: no temporary file, and no other output.
func nothingLeft(t testing.TB, fs afero.Fs, want ...string) {
	t.Helper()
	var got []string
	err := afero.Walk(fs, ".", func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && info.Name() != "master.json" && info.Name() != "slave.json" {
			got = append(got, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMergeVendorSamples(t *testing.T) {
	master, slave := vendor(t, "master.json"), vendor(t, "slave.json")
	// The vendor's second sample is not JSON: one comma is missing, and there is one too many. This is what is meant.
	second := string(vendor(t, "merged-slave-migrates-invalid.json"))
	second = strings.Replace(second, "]\n   \"second", "],\n  \"second", 1)
	second = strings.Replace(second, "],\n}", "]\n}", 1)
	for migrating, want := range map[Role]string{Master: string(vendor(t, "merged-master-migrates.json")),
		Slave: second} {
		for _, complete := range []bool{false, true} {
			t.Run(fmt.Sprint(migrating, complete), func(t *testing.T) {
				fs := memory(t, string(master), string(slave))
				o := options(fs, migrating)
				o.CompleteComments, o.Hash = complete, true
				o.MasterProject, o.SlaveProject = "SAM2", "SP2"
				now := time.Unix(0, 0)
				o.Clock = func() time.Time { now = now.Add(time.Second); return now }
				report, err := Merge(context.Background(), o)
				if err != nil {
					t.Fatal(err)
				}
				got, wantText, completed := content(t, fs, "w/out.json"), want, 0
				if complete {
					wantText = strings.Replace(want, "\"localId\": \"10019\"\n", "\"localId\": \"10019\",\n          "+
						"\"remoteId\": \"10034\"\n", 1)
					completed = 1
				}
				if diff := cmp.Diff(decoded(t, wantText), decoded(t, got)); diff != "" {
					t.Error(diff)
				}
				// The layout is the vendor's, too.
				if diff := cmp.Diff(strings.TrimSpace(wantText), strings.TrimSpace(got)); diff != "" {
					t.Error(diff)
				}
				nothingLeft(t, fs, "w/out.json")
				sum := sha256.Sum256([]byte(got))
				wantReport := &Report{
					Migrating: migrating, Pairs: 1, Comments: 2, HalfComments: 1, Attachments: 1, Completed: completed,
					Master: SideReport{File: "w/master.json", Bytes: int64(len(master)), Completed: completed,
						Tally: Tally{Pairs: 1, Comments: 1, HalfComments: 1, SumOutgoing: 2}},
					Slave: SideReport{File: "w/slave.json", Bytes: int64(len(slave)), Tally: Tally{Pairs: 1, Comments: 1,
						Attachments: 1, SumOutgoing: 1}},
					BytesIn: int64(len(master) + len(slave)), BytesOut: int64(len(got)), Seconds: 1,
					Sha256: hex.EncodeToString(sum[:]),
				}
				if diff := cmp.Diff(wantReport, report); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func decoded(t testing.TB, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// export makes an export with these entries.
func export(entries ...string) string {
	return `{"firstConnector":[` + strings.Join(entries, ",\n") + "]}"
}

func pair(local, remote, more string) string {
	return `{"localIssueKey":"` + local + `","remoteIssueKey":"` + remote + `"` + more + `}`
}

func TestMergeChecks(t *testing.T) {
	seq := func(out, in int) string {
		return fmt.Sprintf(`,"outgoingMessageSequenceId":%d,"incomingMessageSequenceId":%d`, out, in)
	}
	for _, c := range []struct {
		name          string
		master, slave string
		set           func(*MergeOptions)
		rules         []Rule
		want          string
	}{
		{name: "unmatched on both sides", master: export(pair("A-1", "B-1", ""), pair("A-2", "B-2", "")),
			slave: export(pair("B-1", "A-1", ""), pair("B-3", "A-3", "")),
			rules: []Rule{Unmatched},
			want: `w/master.json:2:1: 1 pair of w/master.json has no mirror in w/slave.json; download both files again ` +
				`after both ends were stopped
  w/master.json:2:1: A-2 with B-2
  (--allow-unmatched merges all the same)
w/slave.json:2:1: 1 pair of w/slave.json has no mirror in w/master.json; download both files again after both ` +
				`ends were stopped
  w/slave.json:2:1: B-3 with A-3
  (--allow-unmatched merges all the same)`},
		{name: "sequence", master: export(pair("A-1", "B-1", seq(5, 1)), pair("A-2", "B-2", seq(1, 1)), pair("A-3",
			"B-3", "")),
			slave: export(pair("B-1", "A-1", seq(2, 4)), pair("B-2", "A-2", `,"incomingMessageSequenceId":1`),
				pair("B-3", "A-3", seq(7, 7))),
			rules: []Rule{SeqDiffer},
			want: `w/slave.json:1:20: the two sides' message sequence ids disagree: 2 directions still in flight or in ` +
				`error: start both ends again until their queues are empty, stop them and download both files again
  w/slave.json:1:20: A-1 (master, w/master.json:1:20) has sent 5 messages, B-1 (slave) has applied 4
  w/master.json:1:20: B-1 (slave, w/slave.json:1:20) has sent 2 messages, A-1 (master) has applied 1
  (--allow-sequence merges all the same)`},
		{name: "duplicate where it stays", master: export(pair("A-1", "B-1", ""), pair("A-1", "B-1", ` ,"x":1`)),
			slave: export(pair("B-1", "A-1", "")),
			rules: []Rule{Doubled},
			want: `w/master.json:2:1: w/master.json has 1 entry of a pair that it has already; remove the wrong entry
  w/master.json:2:1: A-1 with B-1, first at w/master.json:1:20
  (--allow-duplicate merges all the same)`},
		{name: "duplicate where it migrates", master: export(pair("A-1", "B-1", "")), slave: export(pair("B-1", "A-1",
			""), pair("B-1", "A-1", ""), pair("B-1", "A-1", "")),
			rules: []Rule{Doubled},
			want: `w/slave.json:2:1: w/slave.json has 2 entries of a pair that it has already; remove the wrong entry
  w/slave.json:2:1: B-1 with A-1, first at w/slave.json:1:20
  w/slave.json:3:1: B-1 with A-1, first at w/slave.json:1:20
  (--allow-duplicate merges all the same)`},
		{name: "duplicate without a mirror", master: export(), slave: export(pair("B-1", "A-1", ""), pair("B-1", "A-1", "")),
			rules: []Rule{Doubled, Unmatched},
			want: `w/slave.json:2:1: w/slave.json has 1 entry of a pair that it has already; remove the wrong entry
  w/slave.json:2:1: B-1 with A-1, first at w/slave.json:1:20
  (--allow-duplicate merges all the same)
w/slave.json:1:20: 2 pairs of w/slave.json have no mirror in w/master.json, which has no pair at all; download ` +
				`both files again after both ends were stopped
  w/slave.json:1:20: B-1 with A-1
  w/slave.json:2:1: B-1 with A-1
  (--allow-unmatched merges all the same)
warning: w/master.json: no pair in this file`},
		{name: "swapped", master: export(pair("B-1", "A-1", "")), slave: export(pair("A-1", "B-1", "")),
			set:   func(o *MergeOptions) { o.MasterProject = "A" },
			rules: []Rule{Swapped},
			want: `w/master.json:1:20: 1 entry of the master's file is not in the project that was given for its side; ` +
				`the two files look swapped
  w/master.json:1:20: localIssueKey is B-1, expected an issue of project A
  (--allow-swapped merges all the same)
w/slave.json:1:20: 1 entry of the slave's file is not in the project that was given for its side; the two files ` +
				`look swapped
  w/slave.json:1:20: remoteIssueKey is B-1, expected an issue of project A
  (--allow-swapped merges all the same)`},
		{name: "same path", master: export(pair("A-1", "B-1", "")), slave: "",
			set: func(o *MergeOptions) { o.Slave = "w/../w/master.json" }, rules: []Rule{SameFile, Unmatched},
			want: `w/../w/master.json: w/master.json and w/../w/master.json are the same file; give the master's file and ` +
				`the slave's
  (--allow-same-file merges all the same)`},
		{name: "same content", master: export(pair("A-1", "B-1", "")), slave: export(pair("A-1", "B-1", "")),
			rules: []Rule{SameFile, Unmatched},
			want: `w/slave.json: w/slave.json has the same content as w/master.json; give the master's file and the slave's
  (--allow-same-file merges all the same)
w/master.json:1:20: 1 pair of w/master.json has no mirror in w/slave.json; download both files again after both ` +
				`ends were stopped
  w/master.json:1:20: A-1 with B-1
  (--allow-unmatched merges all the same)
w/slave.json:1:20: 1 pair of w/slave.json has no mirror in w/master.json; download both files again after both ` +
				`ends were stopped
  w/slave.json:1:20: A-1 with B-1
  (--allow-unmatched merges all the same)`},
	} {
		for _, complete := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, complete), func(t *testing.T) {
				fs := memory(t, c.master, c.slave)
				o := options(fs, Slave)
				o.CompleteComments = complete
				if c.set != nil {
					c.set(&o)
				}
				_, err := Merge(context.Background(), o)
				var check *CheckError
				if !errors.As(err, &check) {
					t.Fatalf("got %v, want a CheckError", err)
				}
				if diff := cmp.Diff(c.want, (&CheckError{check.Findings, withoutUnknown(check.Warnings)}).Error()); diff != "" {
					t.Error(diff)
				}
				nothingLeft(t, fs)
				o.Allow = c.rules
				report, err := Merge(context.Background(), o)
				if err != nil {
					t.Fatal("allowed:", err)
				}
				nothingLeft(t, fs, "w/out.json")
				if len(report.Warnings) < len(check.Findings) {
					t.Errorf("what is allowed should be warned of: %v", report.Warnings)
				}
				for i := range c.rules { // each flag allows its own check only
					o.Allow = append(append([]Rule{}, c.rules[:i]...), c.rules[i+1:]...)
					if _, err := Merge(context.Background(), o); !errors.As(err, &check) || check.Findings[0].Rule != c.rules[i] {
						t.Errorf("without %s: %v", c.rules[i].Flag(), err)
					}
				}
			})
		}
	}
}

// withoutUnknown removes the warning about missing counters, which most tests are not about.
func withoutUnknown(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool {
		return strings.HasSuffix(f.Message, "a message sequence id is missing")
	})
}

// TestMergeUncompared checks that a missing counter is not 0. The report counts such pairs, and a warning names them.
func TestMergeUncompared(t *testing.T) {
	const both = `,"outgoingMessageSequenceId":0,"incomingMessageSequenceId":0`
	fs := memory(t, export(pair("A-1", "B-1", both), pair("A-2", "B-2", both), pair("A-3", "B-3", both)),
		export(pair("B-1", "A-1", both), pair("B-2", "A-2", `,"outgoingMessageSequenceId":0`), pair("B-3", "A-3", "")))
	report, err := Merge(context.Background(), options(fs, Slave))
	if err != nil {
		t.Fatal(err)
	}
	if report.Uncompared != 2 || len(report.Warnings) != 1 || report.Warnings[0].Count != 2 ||
		report.Warnings[0].Examples[0].Text != "B-2 with A-2: incomingMessageSequenceId is unknown at slave" {
		t.Errorf("%+v", report)
	}
	if sent, known := report.Slave.Sent(); known {
		t.Errorf("the slave's sum is %d", sent)
	}
	if sent, known := report.Master.Sent(); !known || sent != 0 {
		t.Errorf("the master's sum is unknown, or %d", sent)
	}
}

func TestMergeListsTen(t *testing.T) {
	var master, slave []string
	for i := range 25 {
		master = append(master, pair(fmt.Sprint("A-", i), fmt.Sprint("B-", i), ""))
		slave = append(slave, pair(fmt.Sprint("C-", i), fmt.Sprint("D-", i), ""))
	}
	for _, migrating := range []Role{Master, Slave} {
		fs := memory(t, export(master...), export(slave...))
		_, err := Merge(context.Background(), options(fs, migrating))
		var check *CheckError
		if !errors.As(err, &check) || len(check.Findings) != 2 {
			t.Fatal(err)
		}
		for _, f := range check.Findings {
			if f.Count != 25 || len(f.Examples) != 10 || !strings.HasSuffix(f.String(), "\n  and 15 more") {
				t.Error(f)
			}
			for i, e := range f.Examples {
				if !strings.Contains(e.Text, fmt.Sprint("-", i, " with")) {
					t.Errorf("example %d is %s", i, e)
				}
			}
		}
	}
}

func TestMergeSameSideTwice(t *testing.T) {
	fs := memory(t, export(pair("A-1", "B-1", ""), pair("A-2", "B-2", "")), export(pair("A-2", "B-2", ""),
		pair("A-1", "B-1", "")))
	_, err := Merge(context.Background(), options(fs, Slave))
	if err == nil || !strings.Contains(err.Error(), "both seem to be exports of the same side") {
		t.Error(err)
	}
}

func TestMergeEmptyExports(t *testing.T) {
	for _, complete := range []bool{false, true} {
		fs := memory(t, `{"firstConnector":[]}`, `{"firstConnector":[]}`)
		o := options(fs, Master)
		o.CompleteComments = complete
		report, err := Merge(context.Background(), o)
		if err != nil || report.Sha256 != "" {
			t.Fatal(report, err)
		}
		if got := content(t, fs, "w/out.json"); got != "{\n  \"firstConnector\": [],\n  \"secondConnector\": []\n}\n" {
			t.Error(got)
		}
		want := `merged 0 pairs: firstConnector has 0 entries from w/slave.json, secondConnector 0 entries from w/master.json
comments 0 (0 half), attachments 0 (0 half), completed 0
bytes 42 in, 52 out
warning: w/slave.json: no pair in this file
warning: w/master.json: no pair in this file
`
		if diff := cmp.Diff(want, report.Summary()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMergeReportsMistakesOfBothFiles(t *testing.T) {
	fs := memory(t, "{", "[")
	_, err := Merge(context.Background(), options(fs, Slave))
	want := `w/master.json:1:2: the file ends before its closing '}': it is cut short; download it again
w/slave.json:1:1: expected an object with "firstConnector", found an array: this looks like an answer of REST; ` +
		`use the file of "Download synchronized issues"`
	if err == nil || err.Error() != want {
		t.Error(err)
	}
	nothingLeft(t, fs)
}

func TestMergeStandardStreams(t *testing.T) {
	master, slave := string(vendor(t, "master.json")), string(vendor(t, "slave.json"))
	want := string(vendor(t, "merged-master-migrates.json"))
	for _, complete := range []bool{false, true} {
		for _, stdin := range []Role{Master, Slave} {
			fs := memory(t, master, slave)
			var out bytes.Buffer
			o := options(fs, Master)
			o.Out, o.Stdout, o.TempDir, o.CompleteComments = Standard, &out, "w", complete
			if stdin == Master {
				o.Master, o.Stdin = Standard, iotest.HalfReader(strings.NewReader(master))
			} else {
				o.Slave, o.Stdin = Standard, iotest.HalfReader(strings.NewReader(slave))
			}
			if _, err := Merge(context.Background(), o); err != nil {
				t.Fatal(err)
			}
			if complete != strings.Contains(out.String(), `"remoteId": "10034"`) || !complete &&
				strings.TrimSpace(out.String()) != strings.TrimSpace(want) {
				t.Error(out.String())
			}
			nothingLeft(t, fs)

			out.Reset()
			o.Stdin = strings.NewReader("{")
			if _, err := Merge(context.Background(), o); err == nil || !strings.HasPrefix(err.Error(),
				"standard input ("+string(stdin)+"):1:2: ") || out.Len() > 0 {
				t.Error(err, out.String())
			}
			// To name pairs without a mirror, standard input is needed a second time.
			o.Stdin = strings.NewReader(export(pair("X-1", "Y-1", "")))
			if _, err := Merge(context.Background(), o); err == nil || !strings.Contains(err.Error(),
				"standard input ("+string(stdin)+"):1:20: X-1 with Y-1") || out.Len() > 0 {
				t.Error(err, out.String())
			}
			nothingLeft(t, fs)
		}
	}
}

func TestMergeOptions(t *testing.T) {
	for want, change := range map[string]func(*MergeOptions){
		`which side migrates must be "master" or "slave", not "both"`: func(o *MergeOptions) { o.Migrating = "both" },
		"merging needs a master file, a slave file and an output":     func(o *MergeOptions) { o.Out = "" },
		"only one of the two files can come from standard input": func(o *MergeOptions) {
			o.Master, o.Slave = Standard, Standard
		},
		"\"all\" is not a check that can be allowed to fail; these are [\"connectors\" \"duplicate\" " +
			"\"repeated-attachment\" \"repeated-comment\" \"repeated-id\" \"same-file\" \"sequence\" \"shared-issue\" " +
			"\"swapped\" \"unmatched\"]": func(o *MergeOptions) {
			o.Allow = []Rule{"all"}
		},
		"the output w/./slave.json is one of the two files to be merged; choose another " +
			"name": func(o *MergeOptions) { o.Out = "w/./slave.json" },
		"the output w exists and is not a regular file; choose another name, or - for standard " +
			"output": func(o *MergeOptions) { o.Out = "w" },
		"opening the master's file: open w/none: file does not " +
			"exist": func(o *MergeOptions) { o.Master = "w/none" },
		"reading the slave's file from standard input: it is not open": func(o *MergeOptions) { o.Slave = Standard },
		"writing standard output: it is not open": func(o *MergeOptions) {
			o.Out, o.TempDir = Standard, "w"
		},
	} {
		fs := memory(t, string(vendor(t, "master.json")), string(vendor(t, "slave.json")))
		o := options(fs, Slave)
		change(&o)
		if _, err := Merge(context.Background(), o); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		nothingLeft(t, fs)
	}
}

func TestMergeSameInode(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(a, vendor(t, "master.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(a, b); err != nil {
		t.Fatal(err)
	}
	o := MergeOptions{Fs: afero.NewOsFs(), Master: a, Slave: b, Out: filepath.Join(dir, "out"), Migrating: Slave}
	_, err := Merge(context.Background(), o)
	var check *CheckError
	if !errors.As(err, &check) || len(check.Findings) != 1 || check.Findings[0].Rule != SameFile {
		t.Error(err)
	}
	o.Slave, o.Out = filepath.Join(dir, "c"), b
	if err := os.WriteFile(o.Slave, vendor(t, "slave.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(context.Background(), o); err == nil || !strings.Contains(err.Error(), "is one of the two files") {
		t.Errorf("an output that leads to an input: %v", err)
	}
	// An existing file keeps its permissions.
	o.Out = filepath.Join(dir, "out")
	if err := os.WriteFile(o.Out, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(o.Out); err != nil || info.Mode().Perm() != 0o640 || info.Size() < 1000 {
		t.Error(info, err)
	}
}

func TestMergeStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	fs := memory(t, string(vendor(t, "master.json")), "")
	o := options(fs, Slave)
	cause := errors.New("interrupted")
	o.Slave, o.Stdin = Standard, readerFunc(func(p []byte) (int, error) {
		cancel(cause)
		return copy(p, `{"firstConnector":[`), nil
	})
	if _, err := Merge(ctx, o); !errors.Is(err, cause) {
		t.Error(err)
	}
	nothingLeft(t, fs)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestCompleteComments(t *testing.T) {
	master := pair("A-1", "B-1", `, "big":12345678901234567890.10e+2, "comments":[ {"localId":"1"} , {"localId" `+
		`:"2" }, {"remoteId": "9"},
 {"localId":"3","remoteId":null}, {"localId":"4"}, {"localId":"5","remoteId":"50"}, {}, {"x":{},"localId":"6"}],`+
		`"attachments":[{"localId":"1"}]`)
	slave := pair("B-1", "A-1", `,"comments":[{"remoteId":"1","localId":"10"},{"localId":"20","remoteId":"2"},`+
		`{"localId":"9","remoteId":"90"},
 {"remoteId":"3","localId":"30"},{"remoteId":"4","localId":"40"},{"remoteId":"4","localId":"41"},{"remoteId":"6",`+
		`"localId":"60\n"},{"localId":"50"}]`)
	fs := memory(t, export(master), export(slave))
	o := options(fs, Slave)
	o.CompleteComments, o.Allow = true, []Rule{RepeatedComment}
	report, err := Merge(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	// "4" is ambiguous in the mirror entry, and the attachment is unknown there.
	wantMaster := pair("A-1", "B-1", `, "big":12345678901234567890.10e+2, "comments":[ {"localId":"1",`+
		`"remoteId":"10"} , {"localId" :"2","remoteId" :"20" }, {"remoteId": "9","localId": "90"},
 {"localId":"3","remoteId":"30"}, {"localId":"4"}, {"localId":"5","remoteId":"50"}, {}, {"x":{},"localId":"6",`+
		`"remoteId":"60\n"}],"attachments":[{"localId":"1"}]`)
	wantSlave := strings.Replace(slave, `{"localId":"50"}`, `{"localId":"50","remoteId":"5"}`, 1)
	want := "{\n  \"firstConnector\": [\n    " + wantMaster + "\n  ],\n  \"secondConnector\": [\n    " +
		wantSlave + "\n  ]\n}\n"
	if diff := cmp.Diff(want, content(t, fs, "w/out.json")); diff != "" {
		t.Error(diff)
	}
	if report.Completed != 6 || report.Master.Completed != 5 || report.Slave.Completed != 1 ||
		report.HalfComments != 7 || report.HalfAttachments != 1 {
		t.Errorf("%+v", report)
	}
}

// TestMergeCollisions gives all pairs the same hash, so that their keys decide.
func TestMergeCollisions(t *testing.T) {
	var master, slave []string
	long := strings.Repeat(" ", 20_000)
	for i := range 30 {
		a, b := fmt.Sprint("A-", i), fmt.Sprint("B-", i)
		master = append(master, pair(a, b, fmt.Sprintf(`,"comments":[{"localId":"%d"}]`, i)))
		slave = append([]string{pair(b, a, fmt.Sprintf(`,%s"comments":[{"remoteId":"%d","localId":"9%d"}]`, long, i,
			i))}, slave...)
	}
	slave = append(slave, slave[3])
	for _, migrating := range []Role{Master, Slave} {
		fs := memory(t, export(master...), export(slave...))
		o := options(fs, migrating)
		o.CompleteComments, o.Allow = true, []Rule{Doubled}
		m, err := newMerge(o)
		if err != nil {
			t.Fatal(err)
		}
		m.set.weaken, m.extra.weaken = ^uint64(0), ^uint64(0)
		report, err := m.run(context.Background())
		if err := errors.Join(err, m.close()); err != nil {
			t.Fatal(err)
		}
		if report.Pairs != 30 || report.Completed != 30 || len(withoutUnknown(report.Warnings)) != 1 ||
			report.Warnings[1].Where != "w/slave.json:31:1" {
			t.Errorf("%+v", report)
		}
		out := content(t, fs, "w/out.json")
		for i := range 30 {
			if want := fmt.Sprintf(`[{"localId":"%d","remoteId":"9%d"}]`, i, i); !strings.Contains(out, want) {
				t.Error("missing", want)
			}
		}
	}
}
