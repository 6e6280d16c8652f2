package args

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"pgregory.net/rapid"
)

// commands returns a small tree of commands like the real one.
func commands() *cobra.Command {
	root := &cobra.Command{Use: "syncctl"}
	root.PersistentFlags().String("chdir", "", "")
	run := func(*cobra.Command, []string) {}
	plan, box := &cobra.Command{Use: "plan", Run: run}, &cobra.Command{Use: "sandbox", Run: run}
	group, merge := &cobra.Command{Use: "backbone"}, &cobra.Command{Use: "merge", Run: run}
	plan.Flags().String("out", "", "")
	plan.Flags().Bool("detailed-exitcode", false, "")
	merge.Flags().StringP("out", "o", "", "")
	merge.Flags().String("master", "", "")
	merge.Flags().BoolP("verbose", "v", false, "")
	box.Flags().String("dump", "", "")
	group.AddCommand(merge)
	root.AddCommand(plan, group, box)
	return root
}

func TestTwoDashes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plan -out=x -detailed-exitcode", "plan --out=x --detailed-exitcode"},
		{"plan --out x", "plan --out x"},
		{"-chdir plan plan -out x", "--chdir plan plan --out x"},
		{"plan -ouut=x -help", "plan --ouut=x --help"},
		{"backbone merge -o - -h", "backbone merge -o - -h"},
		{"backbone merge -oz -vo z -voz -v=true", "backbone merge -oz -vo z -voz -v=true"},
		{
			"backbone merge --master -mm -master -out -o -out -out -mm",
			"backbone merge --master -mm --master -out -o -out --out -mm",
		},
		{"backbone merge -vo -master -master=-mm -mastr x", "backbone merge -vo -master --master=-mm --mastr x"},
		{"sandbox d -dump=f -- sh -ec -dump", "sandbox d --dump=f -- sh -ec -dump"},
		{"x -1 -", "x -1 -"},
	} {
		if got := strings.Join(TwoDashes(commands(), strings.Fields(c.in)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

// TestTwoDashesTwice checks that a command line with two dashes stays as it is.
func TestTwoDashesTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`-{0,3}[a-z]{0,3}(=.{0,3})?|-?-?(out|master|chdir)|plan|backbone|merge`)
		args := rapid.SliceOf(word).Draw(t, "args")
		once := TwoDashes(commands(), args)
		if d := cmp.Diff(once, TwoDashes(commands(), once)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestNearest(t *testing.T) {
	names := []string{"plan", "apply", "out", "sync.backbone.support/stop_master"}
	for word, want := range map[string]string{
		"plna": "plan", "aply": "apply", "zzz": "", "x": "", "output": "out", "Plan": "plan",
		"stop_master": "sync.backbone.support/stop_master",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
