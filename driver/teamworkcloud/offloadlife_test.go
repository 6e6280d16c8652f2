package teamworkcloud_test

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
)

// moving is the configuration of an offload of Cars; lines are the migration's.
func moving(lines ...string) string {
	return with(cars) + "migration \"teamwork_cloud_offload\" \"cars\" {\n  sync = sync.teamwork_cloud.cars\n  " +
		strings.Join(lines, "\n  ") + "\n}\n"
}

const (
	bringing      = "preflight create_category configure arrived remove_configuration "
	removedByHand = "unused idle_source backup_source maintain_source "
)

func wantsOps(t *testing.T, got, want string) {
	t.Helper()
	if at := strings.Index(got, "editable_"); at >= 0 {
		got = got[:at+len("editable")] + got[at+len("editable_00000000"):]
	}
	if got != want {
		t.Errorf("steps: %s\nwant   %s", got, want)
	}
}

// TestOffloadLivesOn offloads, makes editable later, lets people work on the target, and then offloads more.
func TestOffloadLivesOn(t *testing.T) {
	t.Parallel()
	s := newOffload().open(t)
	wantsOps(t, ops(s.apply(moving(removing))), bringing+removedByHand+"finished")
	both := moving(removing, reactivating)
	wantsOps(t, ops(s.apply(both)), "preflight idle_target backup_target maintain_target editable finished")

	s.person("commit", "server", "b", "resource", "Engine", "author", "ann", "description", "work goes on")
	s.person("add_resource", "server", "b", "name", "Brakes", "category", "From A")
	s.person("rename", "server", "b", "resource", "Gearbox", "name", "Transmission")
	wantsOps(t, ops(s.plan(both)), "")

	s.person("add_resource", "server", "a", "name", "Clutch", "category", "Cars")
	p := s.apply(both)
	wantsOps(t, ops(p), "preflight configure arrived remove_configuration "+removedByHand+"idle_target backup_target "+
		"maintain_target editable finished")
	if m := step(t, p, "editable_").Manual; m.Values[1].Shown != "Clutch" {
		t.Errorf("to be edited: %s", m.Values[1].Shown)
	}
}

// TestBroughtOnce copies once, keeps the originals, and makes the copies editable later. Later changes on the source
// do not matter.
func TestBroughtOnce(t *testing.T) {
	t.Parallel()
	s := newOffload().open(t)
	wantsOps(t, ops(s.apply(moving())), strings.TrimSpace(bringing))
	s.person("commit", "server", "a", "resource", "Engine", "author", "ann", "description", "goes on here")
	wantsOps(t, ops(s.plan(moving())), "")
	wantsOps(t, ops(s.apply(moving(reactivating))),
		"preflight idle_target backup_target maintain_target editable finished")
	s.person("commit", "server", "b", "resource", "Gearbox", "author", "bob", "description", "and there")
	wantsOps(t, ops(s.plan(moving(reactivating))), "")
}

// TestCommitAfterTheConfigurationIsGone commits between the removal of the configuration and that of the resources:
// the run stops, and a new plan brings the commit.
func TestCommitAfterTheConfigurationIsGone(t *testing.T) {
	for version, refused := range map[string]string{
		"2024x Refresh3": "", "2024x": "reconfigure", "2022x": "reconfigure",
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newOffload()
			w.versions(version)
			s := w.open(t)
			hcl := moving(removing)
			s.during = func(e executor.Event) {
				if e.Name == executor.EventDone && e.Step.Op == "remove_configuration" {
					s.person("commit", "server", "a", "resource", "Engine", "author", "zoe", "description", "late")
				}
			}
			rep := s.carry(s.plan(hcl), hcl)
			s.during = nil
			for i := range rep.Steps {
				if st := &rep.Steps[i]; st.Step.Op == "idle_source" &&
					(st.Phase != executor.PhaseFailed || !strings.Contains(st.Why, "revision 7 by zoe") ||
						!strings.Contains(st.Why, "resolve -abandon")) {
					t.Fatalf("%s: %s", st.Phase, st.Why)
				}
			}
			p := s.plan(hcl)
			if refused != "" {
				says(t, p, refused, "cannot be made again while the copies are there")
				if len(p.Refusals()) == 0 {
					t.Error("it is not refused")
				}
				return
			}
			wantsOps(t, ops(s.apply(hcl)), "preflight configure arrived remove_configuration "+removedByHand+"finished")
		})
	}
}
