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
)

// brokenWriter takes nothing.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("nobody reads this") }

// mergeWith runs the tool with a command line.
func mergeWith(t *testing.T, stderr io.Writer, args ...string) (afero.Fs, error) {
	t.Helper()
	fs := afero.NewMemMapFs()
	for name, text := range map[string]string{
		"m": `{"firstConnector":[{"localIssueKey":"A-1","remoteIssueKey":"B-1"}]}`,
		"s": `{"firstConnector":[{"localIssueKey":"B-1","remoteIssueKey":"A-1"}]}`,
	} {
		if err := afero.WriteFile(fs, name, []byte(text), 0o600); err != nil {
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

// TestMergeWithoutASummary: a merge that is finished has not failed because nobody can read about it.
func TestMergeWithoutASummary(t *testing.T) {
	fs, err := mergeWith(t, brokenWriter{}, "--migrating=slave", "--master=m", "--slave=s", "-oo")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := afero.ReadFile(fs, "o"); err != nil || !strings.Contains(string(data), "secondConnector") {
		t.Error(string(data), err)
	}
}
