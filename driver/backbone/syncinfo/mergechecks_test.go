package syncinfo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
)

func counters(out, in any) string {
	return fmt.Sprintf(`,"outgoingMessageSequenceId":%v,"incomingMessageSequenceId":%v`, out, in)
}

// refusedFor merges and returns the findings.
func refusedFor(t *testing.T, o MergeOptions, allow ...Rule) []Finding {
	t.Helper()
	o.Allow = allow
	_, err := Merge(context.Background(), o)
	var check *CheckError
	if !errors.As(err, &check) {
		t.Fatalf("got %v, want a CheckError", err)
	}
	return check.Findings
}

// TestAllowDuplicateHidesNothing checks that each duplicate entry is still compared with its mirror.
func TestAllowDuplicateHidesNothing(t *testing.T) {
	a, b := pair("A-1", "B-1", counters(1, 1)), pair("B-1", "A-1", counters(1, 1))
	for _, c := range []struct{ name, master, slave, want string }{
		{"staying", export(a, pair("A-1", "B-1", counters(9, 1))), export(b),
			"w/slave.json:1:20: A-1 (master, w/master.json:2:1) has sent 9 messages, B-1 (slave) has applied 1"},
		{"migrating", export(a), export(b, pair("B-1", "A-1", counters(1, 5))),
			"w/slave.json:2:1: B-1 (slave) has applied 5 messages, more than the 1 that A-1 (master, w/master.json:1:20) " +
				"has sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := refusedFor(t, options(memory(t, c.master, c.slave), Slave), Doubled)
			if len(found) != 1 || found[0].Rule != SeqDiffer || found[0].Count != 1 {
				t.Fatal(found)
			}
			if diff := cmp.Diff(c.want, found[0].Examples[0].String()); diff != "" {
				t.Error(diff)
			}
			if found := refusedFor(t, options(memory(t, c.master, c.slave), Slave), SeqDiffer); len(found) != 1 ||
				found[0].Rule != Doubled {
				t.Error(found)
			}
		})
	}
}

// TestOverrunIsWordedAsSuch checks the message if more messages were applied than sent. Waiting does not help then.
func TestOverrunIsWordedAsSuch(t *testing.T) {
	master := export(pair("A-1", "B-1", counters(5, 0)), pair("A-2", "B-2", counters(0, 0)))
	slave := export(pair("B-1", "A-1", counters(0, 4)), pair("B-2", "A-2", counters(0, 3)))
	found := refusedFor(t, options(memory(t, master, slave), Slave))
	want := `w/slave.json:1:20: the two sides' message sequence ids disagree: 1 direction still in flight or in ` +
		`error: start both ends again until their queues are empty, stop them and download both files again; 1 ` +
		`direction with more messages applied than sent, which no waiting mends: the two files are not of the same ` +
		`moment, or not of the same synchronization; stop both ends and download both files again
  w/slave.json:1:20: A-1 (master, w/master.json:1:20) has sent 5 messages, B-1 (slave) has applied 4
  w/slave.json:2:1: B-2 (slave) has applied 3 messages, more than the 0 that A-2 (master, w/master.json:2:1) has sent`
	if diff := cmp.Diff(want, found[0].String()); diff != "" {
		t.Error(diff)
	}
}

// TestDuplicatesInOrder checks that the first ten duplicates of the file are named, with or without a mirror, and
// with the places of both.
func TestDuplicatesInOrder(t *testing.T) {
	var slave []string
	for i := range 12 {
		if i%2 == 1 {
			slave = append(slave, pair("X-1", "Y-1", "")) // has no mirror
		} else {
			slave = append(slave, pair("B-1", "A-1", ""))
		}
	}
	found := refusedFor(t, options(memory(t, export(pair("A-1", "B-1", "")), export(slave...)), Slave), Unmatched)
	if len(found) != 1 || found[0].Count != 10 || len(found[0].Examples) != 10 {
		t.Fatal(found)
	}
	for i, e := range found[0].Examples {
		want := fmt.Sprintf("w/slave.json:%d:1: B-1 with A-1, first at w/slave.json:1:20", i+3)
		if i%2 == 1 {
			want = fmt.Sprintf("w/slave.json:%d:1: X-1 with Y-1, first at w/slave.json:2:1", i+3)
		}
		if e.String() != want {
			t.Errorf("%d: got %s, want %s", i, e, want)
		}
	}
}

// TestOddSequenceIds checks that whole numbers in any notation are compared, and that there is a warning about
// others.
func TestOddSequenceIds(t *testing.T) {
	for text, want := range map[string]any{
		"2.0": 2, "2e0": 2, "0.2E+1": 2, "200e-2": 2, "-0": 0, "-0.0e9": 0, "-3e1": -30,
		"9223372036854775807": 9223372036854775807, "922337203685477580.7e1": 9223372036854775807,
		"2.5": nil, "9223372036854775808": nil, "1e19": nil, "1e999999999999999999999": nil, "1e-1": nil,
		"1e9223372036854775807": nil, "1e-9223372036854775808": nil,
	} {
		got, odd := any(nil), false
		entries, err := readAll(NewArrayReader("f", strings.NewReader("["+pair("A-1", "B-1",
			`,"outgoingMessageSequenceId":`+text)+"]")))
		if err != nil {
			t.Fatal(text, err)
		}
		if e := entries[0]; e.Sequence.HasOutgoing {
			got = int(e.Sequence.Outgoing)
		} else {
			odd = e.OddSequence
		}
		if got != want || odd != (want == nil) {
			t.Errorf("%s: got %v (odd: %v), want %v", text, got, odd, want)
		}
	}
	fs := memory(t, export(pair("A-1", "B-1", counters("2.0", 1.5))), export(pair("B-1", "A-1", counters(7, "2e0"))))
	report, err := Merge(context.Background(), options(fs, Slave))
	if err != nil {
		t.Fatal(err)
	}
	want := "warning: w/master.json:1:20: 1 entry with a message sequence id that is not a whole number of 64 bits; " +
		"it could not be compared with the other side's\n  w/master.json:1:20: A-1 with B-1\n"
	report.Warnings = withoutUnknown(report.Warnings)
	if !strings.HasSuffix(report.Summary(), want) {
		t.Error(report.Summary())
	}
}

// TestMessagesStayOnTheirLines checks that text of a file or a flag cannot look like another finding.
func TestMessagesStayOnTheirLines(t *testing.T) {
	fs := afero.NewMemMapFs()
	o := MergeOptions{Fs: fs, Master: "ma\nster\x1b[2J", Slave: "sl\rave", Out: "o\nut", Migrating: Slave,
		MasterProject: "P\nError: Q"}
	for name, local := range map[string]string{o.Master: `A\nError: all is well-1`, o.Slave: `B\u001b[31m\u202e-1`} {
		if err := afero.WriteFile(fs, name, []byte(export(pair(local, "C-1", counters(1, 1)), pair(local, "C-1",
			counters(1, 1)))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(text string) {
		t.Helper()
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "Error") || strings.HasPrefix(line, "ster") || strings.HasPrefix(line, "ut") ||
				strings.ContainsAny(line, "\x1b\r\u202e") {
				t.Errorf("%q in %q", line, text)
			}
		}
	}
	_, err := Merge(context.Background(), o)
	check(err.Error())
	o.Allow = Rules()
	report, err := Merge(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	check(report.Summary())
	o.Master = "no\nster"
	_, err = Merge(context.Background(), o)
	check(err.Error())
	if err := afero.WriteFile(fs, "no\nster", []byte("{\"a\\nError\":1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Merge(context.Background(), o)
	check(err.Error())
}

func TestMergeNamesBothMissingFiles(t *testing.T) {
	o := options(memory(t, "", ""), Slave)
	o.Master, o.Slave = "w/x", "w/y"
	_, err := Merge(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "opening the master's file: open w/x") ||
		!strings.Contains(err.Error(), "opening the slave's file: open w/y") {
		t.Error(err)
	}
}
