package backbone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
)

// Tools returns the commands that Backbone adds, such as `syncctl backbone merge`.
func Tools() []driver.Tool {
	return []driver.Tool{{
		Name:  "merge",
		Short: "Merge the synced-issue files of both ends into the file that pairs the issues of a new synchronization",
		Long: `Merge joins the two files of "Download synchronized issues" of an e-mail or file synchronization. The end
that stays becomes firstConnector, the one that migrates to the cloud secondConnector. Entries stay byte for byte as
they are. Everything is checked first; when a check fails, nothing is written. A path of "-" is standard input or
output. It ends with 0 when the merged file is complete, even if the summary on standard error cannot be written.`,
		Example: "  syncctl backbone merge --migrating=master --master=master.json --slave=slave.json -o merged.json",
		Flags:   mergeFlags,
		Run:     runMerge,
	}}
}

var ruleHelp = map[syncinfo.Rule]string{
	syncinfo.Unmatched:          "merge although a pair has no mirror on the other side",
	syncinfo.SeqDiffer:          "merge although message numbers disagree: something was in flight",
	syncinfo.Doubled:            "merge although a file has a pair twice",
	syncinfo.SharedIssue:        "merge although an issue is in two different pairs",
	syncinfo.RepeatedID:         "merge although a file has the id of an entry twice",
	syncinfo.RepeatedComment:    "merge although an entry has the id of a comment twice",
	syncinfo.RepeatedAttachment: "merge although an entry has the id of an attachment twice",
	syncinfo.Connectors:         "merge although a file has entries of two connectors",
	syncinfo.Swapped:            "merge although issue keys are not of the project given for their side",
	syncinfo.SameFile:           "merge although both sides are the same file",
}

func mergeFlags(f *pflag.FlagSet) {
	f.String("migrating", "", "the end that migrates to the cloud: master or slave (required)")
	f.String("master", "", "file of the master's synced issues (required)")
	f.String("slave", "", "file of the slave's synced issues (required)")
	f.StringP("out", "o", "", "file to write (required)")
	f.String("master-project", "", "project key of the master, to notice exchanged files")
	f.String("slave-project", "", "project key of the slave, to notice exchanged files")
	f.Bool("complete-comments", false, "fill the missing half of a comment or attachment pair from the "+
		"other side's file")
	for _, r := range syncinfo.Rules() {
		f.Bool("allow-"+string(r), false, ruleHelp[r])
	}
}

func runMerge(ctx context.Context, t driver.ToolRun) error {
	if len(t.Args) > 0 {
		return fmt.Errorf("merge takes no arguments beside its flags: %q is one too many", t.Args[0])
	}
	value := func(name string) string { return t.Flags.Lookup(name).Value.String() }
	if err := mergeNeeds(t.Flags); err != nil {
		return err
	}
	o := syncinfo.MergeOptions{
		Fs: t.Fs, Master: value("master"), Slave: value("slave"), Stdin: t.Stdin,
		Out: value("out"), Stdout: t.Stdout, Migrating: syncinfo.Role(value("migrating")),
		MasterProject: value("master-project"), SlaveProject: value("slave-project"),
		CompleteComments: value("complete-comments") == "true", Clock: time.Now,
	}
	for _, r := range syncinfo.Rules() {
		if value("allow-"+string(r)) == "true" {
			o.Allow = append(o.Allow, r)
		}
	}
	rep, err := syncinfo.Merge(ctx, o)
	if err != nil {
		return err
	}
	// The merged file is complete at this point. If the summary cannot be written, the command still succeeds.
	_, _ = io.WriteString(t.Stderr, rep.Summary())
	return nil
}

// mergeNeeds reports everything that is missing or wrong in the flags at once.
func mergeNeeds(flags *pflag.FlagSet) error {
	var errs []error
	for _, name := range []string{"migrating", "master", "slave", "out"} {
		if f := flags.Lookup(name); f.Value.String() == "" {
			errs = append(errs, fmt.Errorf("merge needs --%s: %s", name, f.Usage))
		}
	}
	if m := flags.Lookup("migrating").Value.String(); m != "" && m != master && m != slave {
		errs = append(errs, fmt.Errorf("--migrating is %q: it must be master or slave.%s", m, didYouMean(m, master,
			slave)))
	}
	return errors.Join(errs...)
}

// didYouMean suggests a similar word, if there is one.
func didYouMean(word string, words ...string) string {
	for _, w := range words {
		if d := levenshtein.Distance(strings.ToLower(strings.TrimSpace(word)), w, nil); d <= 2 {
			return fmt.Sprintf(" Did you mean %q?", w)
		}
	}
	return ""
}
