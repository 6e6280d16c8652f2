package backbone

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/afero"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
)

// brokenWriter fails every write.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("nobody reads this") }

// mergeWith runs the tool with a command line.
func mergeWith(t *testing.T, stderr io.Writer, args ...string) (afero.Fs, error) {
	t.Helper()
	return mergeFiles(t, stderr, `{"localIssueKey":"A-1","remoteIssueKey":"B-1"}`,
		`{"localIssueKey":"B-1","remoteIssueKey":"A-1"}`, args...)
}

// mergeFiles does the same with the entries of the master's file m and the slave's file s.
func mergeFiles(t *testing.T, stderr io.Writer, master, slave string, args ...string) (afero.Fs, error) {
	t.Helper()
	fs := afero.NewMemMapFs()
	for name, entries := range map[string]string{"m": master, "s": slave} {
		if err := afero.WriteFile(fs, name, []byte(`{"firstConnector":[`+entries+`]}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := pflag.NewFlagSet("merge", pflag.ContinueOnError)
	mergeFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs, runMerge(context.Background(), driver.ToolRun{Fs: fs, Stderr: stderr, Args: flags.Args(), Flags: flags})
}

func TestMergeTellsAllThatIsMissing(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, `merge needs --migrating: the end that migrates to the cloud: master or slave (required)
merge needs --master: file of the master's synced issues (required)
merge needs --slave: file of the slave's synced issues (required)
merge needs --out: file to write (required)`},
		{[]string{"--migrating=Slvae", "--master=m", "--slave=s"}, `merge needs --out: file to write (required)
--migrating is "Slvae": it must be master or slave. Did you mean "slave"?`},
		{[]string{"--migrating=both", "--master=m", "--slave=s", "-oo"},
			`--migrating is "both": it must be master or slave.`},
		{[]string{"x"}, `merge takes no arguments beside its flags: "x" is one too many`},
	} {
		_, err := mergeWith(t, io.Discard, c.args...)
		if err == nil {
			t.Fatal(c.args, "is accepted")
		}
		if diff := cmp.Diff(c.want, err.Error()); diff != "" {
			t.Error(diff)
		}
	}
}

// TestMergeWithoutASummary checks that a finished merge does not fail because its summary cannot be written.
func TestMergeWithoutASummary(t *testing.T) {
	fs, err := mergeWith(t, brokenWriter{}, "--migrating=slave", "--master=m", "--slave=s", "-oo")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := afero.ReadFile(fs, "o"); err != nil || !strings.Contains(string(data), "secondConnector") {
		t.Error(string(data), err)
	}
}

// TestMergeAllowsEachRule checks that every rule has a flag with a help text. What breaks only that rule is merged
// with that flag, and not with all others.
func TestMergeAllowsEachRule(t *testing.T) {
	const (
		one, mirror = `{"localIssueKey":"A-1","remoteIssueKey":"B-1"}`, `{"localIssueKey":"B-1","remoteIssueKey":"A-1"}`
		both        = `{"localIssueKey":"A-1","remoteIssueKey":"A-1"}`
	)
	with := func(members, in string) string { return strings.Replace(in, "{", "{"+members+",", 1) }
	broken := map[syncinfo.Rule][]string{ // the master's and the slave's entries, and further flags
		syncinfo.Unmatched: {one, mirror + `,{"localIssueKey":"B-2","remoteIssueKey":"A-2"}`},
		syncinfo.SeqDiffer: {with(`"outgoingMessageSequenceId":2`, one), with(`"incomingMessageSequenceId":1`, mirror)},
		syncinfo.Doubled:   {one + "," + one, mirror},
		syncinfo.SharedIssue: {one + `,{"localIssueKey":"A-1","remoteIssueKey":"B-2"}`,
			mirror + `,{"localIssueKey":"B-2","remoteIssueKey":"A-1"}`},
		syncinfo.RepeatedID: {with(`"id":1`, one) + `,{"localIssueKey":"A-2","remoteIssueKey":"B-2","id":1}`,
			mirror + `,{"localIssueKey":"B-2","remoteIssueKey":"A-2"}`},
		syncinfo.RepeatedComment:    {with(`"comments":[{"localId":"1"},{"localId":"1"}]`, one), mirror},
		syncinfo.RepeatedAttachment: {one, with(`"attachments":[{"remoteId":"1"},{"remoteId":"1"}]`, mirror)},
		syncinfo.Connectors: {with(`"connectorKey":"CON-1"`, one) +
			`,{"localIssueKey":"A-2","remoteIssueKey":"B-2","connectorKey":"CON-2"}`,
			mirror + `,{"localIssueKey":"B-2","remoteIssueKey":"A-2"}`},
		syncinfo.Swapped:  {one, mirror, "--master-project=X"},
		syncinfo.SameFile: {both, both},
	}
	for _, rule := range syncinfo.Rules() {
		files := broken[rule]
		if files == nil || ruleHelp[rule] == "" {
			t.Fatalf("%s has no case here, or no help", rule)
		}
		args := append([]string{"--migrating=slave", "--master=m", "--slave=s", "-oo"}, files[2:]...)
		others := args
		for _, other := range syncinfo.Rules() {
			if other != rule {
				others = append(others[:len(others):len(others)], other.Flag())
			}
		}
		_, err := mergeFiles(t, io.Discard, files[0], files[1], others...)
		var check *syncinfo.CheckError
		if !errors.As(err, &check) || len(check.Findings) == 0 {
			t.Errorf("%s is not refused: %v", rule, err)
			continue
		}
		for _, f := range check.Findings {
			if f.Rule != rule {
				t.Errorf("%s: refused for %s", rule, f)
			}
		}
		if _, err := mergeFiles(t, io.Discard, files[0], files[1], append(args, rule.Flag())...); err != nil {
			t.Errorf("%s is refused all the same: %v", rule, err)
		}
	}
}
