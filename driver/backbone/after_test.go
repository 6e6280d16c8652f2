package backbone_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// edited returns a bench with changed copies of an example's files.
func edited(t *testing.T, example string, change ...string) *bench {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", example))); err != nil {
		t.Fatal(err)
	}
	return newBenchOf(t, dir, smaller(t, example, change...))
}

// without removes blocks from the files. Each begins with the given header, and ends with the first brace at the
// start of a line.
func (b *bench) without(headers ...string) {
	b.t.Helper()
	name := filepath.Join(b.dir, "main.sync.hcl")
	src, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	out := string(src)
	for _, h := range headers {
		block := regexp.MustCompile(`(?ms)^` + regexp.QuoteMeta(h) + ` \{\n.*?^\}\n`)
		if !block.MatchString(out) {
			b.t.Fatalf("no block %s", h)
		}
		out = block.ReplaceAllString(out, "")
	}
	if err := os.WriteFile(name, []byte(out), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

const (
	originalHeader  = `sync "backbone" "support_files"`
	migrationHeader = `migration "backbone_to_cloud" "support"`
)

// TestBlocksMayGoAfterTheMigration checks that a block for what the migration has deleted may stay in the file or be
// removed. Neither restores it or is an error.
func TestBlocksMayGoAfterTheMigration(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string][]string{
		"original":               {originalHeader},
		"migration":              {migrationHeader},
		"original and migration": {originalHeader, migrationHeader},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := edited(t, "behind-firewall-master")
			if rep := b.apply(b.plan()); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			b.without(gone...)
			if p := b.plan(); len(p.Steps) != 0 || len(p.Refusals()) != 0 {
				t.Fatalf("%s", text(t, p))
			}
		})
	}
}

func TestOriginalMustBeDeclaredBefore(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	b.without(originalHeader)
	_, diags := b.tryPlan()
	if len(diags) != 1 || diags[0].Summary != "The original is not declared" || diags[0].Subject == nil {
		t.Fatal(diags)
	}
}

// TestDriftAfterTheMigration checks that the new synchronization is maintained like any other.
func TestDriftAfterTheMigration(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	if rep := b.apply(b.plan()); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	_, err := b.box.Person(context.Background(), "configure_sync", map[string]string{
		"server": "b", "first_project": "SP2", "second_project": "SAM2", "issue_types": `{"Bug":"Bug","Task":"Task"}`,
		"fields": `[{"first":"summary","second":"summary","mapping":"passthrough"},` +
			`{"first":"description","second":"description","mapping":"passthrough"},` +
			`{"first":"assignee","second":"assignee","mapping":"user_passthrough_by_username"}]`,
		"comments": "true", "attachments": "true",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := b.plan()
	if ops(p) != "~stop ?configure ~start" || !strings.Contains(p.Steps[1].Because, "field.assignee.mapping") {
		t.Fatalf("%s", text(t, p))
	}
	if rep := b.apply(p); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	if p := b.plan(); len(p.Steps) != 0 {
		t.Fatalf("%s", text(t, p))
	}
}

// TestHalfOfTheOriginalGone checks that it is an error, not a guess, if half of the original is gone for an unknown
// reason.
func TestHalfOfTheOriginalGone(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-master")
	if _, err := b.box.Person(context.Background(), "delete_sync", map[string]string{"server": "a",
		"integration": "INT-4"}); err != nil {
		t.Fatal(err)
	}
	_, diags := b.tryPlan()
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "The slave's half is still there") {
		t.Fatal(diags)
	}
}

// TestOriginalKept checks that the original is kept if nothing says to delete it, and that the second plan is empty.
func TestOriginalKept(t *testing.T) {
	t.Parallel()
	b := edited(t, "behind-firewall-slave")
	name := filepath.Join(b.dir, "main.sync.hcl")
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	kept := regexp.MustCompile(`(?s)  delete_original \{.*?\}\n`).ReplaceAllString(string(src), "")
	if err := os.WriteFile(name, []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
	p := b.plan()
	if strings.Contains(ops(p), "delete") || p.Tally().Destroy != 0 {
		t.Fatalf("%s", text(t, p))
	}
	if rep := b.apply(p); !rep.Finished {
		t.Fatal(unfinished(rep))
	}
	if p := b.plan(); len(p.Steps) != 0 {
		t.Fatalf("%s", text(t, p))
	}
}

// TestDeletionAddedLater checks a finished migration whose original is to be deleted later: the plan has the checks
// and the deletions. Issues that were synchronized in the meantime are expected, and nothing is resynced again.
func TestDeletionAddedLater(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"behind-firewall-master", "behind-firewall-slave"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			var access syncBuffer
			dir := edited(t, example).dir
			b := newBenchOf(t, dir, smaller(t, example), benchLog{&access})
			const block = "  delete_original {\n    allow = 2\n  }\n"
			b.change(block, "")
			if rep := b.apply(b.plan()); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			stays, project := "b", "SP2"
			if strings.HasSuffix(example, "slave") {
				stays, project = "a", "SAM2"
			}
			b.person("create_issue", "server", stays, "project", project, "type", "Bug", "summary", "made since", "user",
				"amelie")
			b.change("  migrating = ", block+"  migrating = ")
			before := strings.Count(string(access.Bytes()), "/resync")
			p := b.plan()
			if len(p.Steps) != 7 || p.Steps[0].Op != "preflight" || p.Tally().Destroy != 2 || len(p.Refusals()) > 0 {
				t.Fatalf("%s: %s", ops(p), text(t, p))
			}
			if rep := b.apply(p); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if n := strings.Count(string(access.Bytes()), "/resync"); before != 2 || n != before {
				t.Errorf("%d resyncs, %d before", n, before)
			}
			if p := b.plan(); len(p.Steps) != 0 {
				t.Fatalf("%s", text(t, p))
			}
		})
	}
}

// TestNotResyncedYet checks that the resync is planned for a migration that was given up before its resync.
func TestNotResyncedYet(t *testing.T) {
	t.Parallel()
	b := newBenchOf(t, edited(t, "behind-firewall-slave").dir, smaller(t, "behind-firewall-slave"),
		"path=**/resync,nth=1,kind=fail,status=403")
	if rep := b.apply(b.plan()); rep.Finished || deleted(rep) {
		t.Fatal("the resync did not fail")
	}
	if p := b.plan(); !strings.Contains(ops(p), "resync_first") {
		t.Fatalf("%s", ops(p))
	}
}

// TestIssueMadeSinceTheStart checks that an issue that is created while the migration verifies is named, and that
// nobody is told to delete the running synchronization.
func TestIssueMadeSinceTheStart(t *testing.T) {
	t.Parallel()
	b := small(t)
	run := b.begin()
	b.seen = func(e executor.Event) {
		if e.Name == executor.EventDone && e.Step.Op == "resync_second" {
			b.person("create_issue", "server", "b", "project", "SP2", "type", "Bug", "summary", "made late", "user",
				"amelie")
			b.until(b.hasPairs("b", "CON-6-SP2", 14))
		}
	}
	why := failed(b.carry(run))
	if !strings.Contains(why, "issues were created since the start") || strings.Contains(why, "delete") {
		t.Fatalf("stopped by %q", why)
	}
}

// TestDuplicatedComments checks that comments are counted before the start and after the resync. A comment that only
// one Jira has since then is named with its issue.
func TestDuplicatedComments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user string // of a comment that is added once the new synchronization runs
		want string
	}{
		"none":      {"", "none duplicated"},
		"duplicate": {"712020:0b-backbone", "look for duplicates (BAC-1449): "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := edited(t, "behind-firewall-master")
			verified := ""
			b.seen = func(e executor.Event) {
				switch {
				case e.Step == nil || e.Name != executor.EventDone:
				case e.Step.Op == "verify":
					verified = e.Message
				case e.Step.Op == "resync_second" && c.user != "":
					b.person("add_comment", "server", "a_cloud", "issue", "SAM2-1", "user", c.user,
						"body", "The template of May is still in use, see the picture.")
				}
			}
			if rep := b.apply(b.plan()); !rep.Finished {
				t.Fatal(unfinished(rep))
			}
			if !strings.Contains(verified, c.want) || strings.Contains(verified, "SP2-1 and SAM2-1 have ") != (c.user != "") {
				t.Error(verified)
			}
		})
	}
}

// TestVendorHelp checks that the step that moves the project shows the vendor's own preparation, which its guide for
// this case leaves out, and whom to ask, in both variants.
func TestVendorHelp(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"behind-firewall-master", "behind-firewall-slave"} {
		b := edited(t, example)
		at := slices.IndexFunc(b.plan().Findings, func(f planner.Finding) bool { return f.Rule == "backbone/vendor-help" })
		if at < 0 {
			t.Fatal(example)
		}
		f := b.plan().Findings[at]
		if f.Op != "move_project" || f.Severity != planner.Note || !strings.Contains(f.Detail, "help@k15t.com") ||
			!strings.Contains(f.Summary, "Backbone Cloud Migration preparation") {
			t.Errorf("%s: %+v", example, f)
		}
	}
}
