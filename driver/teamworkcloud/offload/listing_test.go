package offload

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/executor"
)

const (
	idOther = "0c0c0c0c-0000-4000-8000-000000000009"
	trunk   = "11111111-0000-4000-8000-000000000001"
	dev     = "11111111-0000-4000-8000-000000000002"
	idA     = "a4c498c9-f125-453c-b9cb-3d5a6e675714"
	idB     = "ald569ea-fe6a-402f-8a25-aef6b932de48" // as in the vendor's example, not quite hexadecimal
	idC     = "0b0b0b0b-1111-4222-8333-444444444444"
)

// verifiedEngine is Engine (idA) with revisions 1, 2, 5 on trunk and 3, 6 on dev.
func verifiedEngine() revision.Records {
	return revision.Records{idA: {
		Name: "Engine",
		Source: []revision.BranchRecord{{ID: dev, Name: "dev", Revisions: "3,6"},
			{ID: trunk, Name: "trunk", Revisions: "1-2,5"}},
	}}
}

// fakeHost answers command lines from a table; a program that is not in it does not exist.
type fakeHost struct {
	host.Host // other methods are not used

	answers map[string]host.Output
}

func (h *fakeHost) Name() string { return "admin@twc" }

func (h *fakeHost) Run(_ context.Context, c host.Command) (host.Output, error) {
	if out, ok := h.answers[strings.Join(c.Args, " ")]; ok {
		return out, nil
	}
	return host.Output{Code: 127, Stderr: c.Args[0] + ": not found\n"}, nil
}

// sound returns a machine whose database has Engine (idA) as verified, and another resource.
func sound() (*machine.Machine, map[string]host.Output) {
	answers := map[string]host.Output{
		"dm -lr":                   {Stdout: idA + "  Engine\n" + idOther + "  Frame\n"},
		"dm -lrd":                  {},
		"dm -lb resourceID=" + idA: {Stdout: trunk + "  trunk\n" + dev + "  dev\n"},
		lrv(trunk):                 {Stdout: "1  change\n2  change\n5  change\n"},
		lrv(dev):                   {Stdout: "3  change\n6  change\n"},
	}
	return machine.New(&fakeHost{answers: answers}, machine.CommandsOf("server.teamwork_cloud.a",
		machine.Declared{DataManager: []string{"dm"}}, osmc.Release{})), answers
}

func lrv(branch string) string { return "dm -lrv resourceID=" + idA + " branchID=" + branch }

func TestUntouched(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(answers map[string]host.Output)
		strict executor.State // if nothing was removed yet
		later  executor.State
		final  bool
		says   string
	}{
		"as verified": {func(map[string]host.Output) {}, executor.Done, executor.Done, false,
			"has no branch and no revision"},
		"the parent's too": {put(lrv(dev), "1 x\n2 x\n3 x\n6 x\n"), executor.Done, executor.Done, false, ""},
		"a new revision": {put(lrv(trunk), "1 x\n2 x\n5 x\n7 late\n"), executor.Unknown, executor.Unknown, true,
			"revision 7 on branch trunk"},
		"a new branch": {put("dm -lb resourceID="+idA, trunk+"\n"+dev+"\n"+idC+" late\n"), executor.Unknown,
			executor.Unknown, true, "branch " + idC},
		"one not listed": {put(lrv(trunk), "1 x\n2 x\n"), executor.Unknown, executor.Unknown, false,
			"does not list revision 5 of branch trunk of Engine"},
		"none listed": {put(lrv(trunk), ""), executor.Unknown, executor.Done, false,
			"does not list revision 1 of branch trunk of Engine"},
		"a branch less": {put("dm -lb resourceID="+idA, trunk+"\n"), executor.Unknown, executor.Done, false,
			"lists 1 branch of Engine"},
		"no branch": {put("dm -lb resourceID="+idA, ""), executor.Unknown, executor.Unknown, false,
			"lists 0 branches of Engine"},
		"unreadable": {put(lrv(trunk), "Exception in thread \"main\"\n"), executor.Unknown, executor.Unknown, false,
			"cannot be read"},
		"in another form": {put(lrv(trunk), "rev#one\nrev#two\n"), executor.Unknown, executor.Done, false,
			"does not list revision 1"},
		"gone": {put("dm -lr", idOther+"  Frame\n"), executor.Unknown, executor.Done, true,
			"does not list Engine"},
		"marked as deleted": {both(put("dm -lr", idOther+"  Frame\n"), put("dm -lrd", idA+"  Engine\n")), executor.Done,
			executor.Done, false, ""},
		"database away": {func(a map[string]host.Output) {
			a["dm -lr"] = host.Output{Code: 1, Stdout: "ERROR: could not reach any contact point\n"}
		}, executor.Unknown, executor.Unknown, false, "could not reach"},
		"datamanager is not": {func(a map[string]host.Output) { delete(a, "dm -lr") }, executor.Unknown, executor.Unknown,
			false, "code 127"},
	} {
		verified := verifiedEngine()
		for _, strict := range []bool{true, false} {
			m, answers := sound()
			c.spoil(answers)
			v, err := verifyUntouched(t.Context(), m, &executor.Task{}, verified, strict)
			want := c.later
			if strict {
				want = c.strict
			}
			if c.final && (strict || name != "gone") {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s (strict %v): %+v, %v; want an end with %q", name, strict, v, err, c.says)
				}
				continue
			}
			if err != nil || v.State != want || want != executor.Done && !strings.Contains(v.Why, c.says) {
				t.Errorf("%s (strict %v): %+v, %v; want %s with %q", name, strict, v, err, want, c.says)
			}
			if v.State == executor.Done && v.Outputs[witnessOutput] != idOther {
				t.Errorf("%s: witnesses %q", name, v.Outputs[witnessOutput])
			}
		}
	}
}

func put(line, stdout string) func(map[string]host.Output) {
	return func(a map[string]host.Output) { a[line] = host.Output{Stdout: stdout} }
}

func both(f, g func(map[string]host.Output)) func(map[string]host.Output) {
	return func(a map[string]host.Output) { f(a); g(a) }
}

func TestRemovedIsNeverConcludedFromSilence(t *testing.T) {
	for name, c := range map[string]struct {
		spoil     func(map[string]host.Output)
		witnesses string
		want      executor.State
	}{
		"all there": {func(map[string]host.Output) {}, idOther, executor.NotDone},
		"gone":      {put("dm -lr", idOther+"  Frame\n"), idOther, executor.Done},
		"some gone": {put("dm -lr", idA+" Engine\n"+idOther+"  Frame\n"), idOther, executor.Partial},
		"marked as deleted": {both(put("dm -lr", idOther+"\n"), put("dm -lrd", idA+"\n"+idB+"\n")), idOther,
			executor.NotDone},
		"nothing listed":   {put("dm -lr", ""), idOther, executor.Unknown},
		"nothing else was": {put("dm -lr", ""), "", executor.Unknown},
		"an error":         {put("dm -lr", "ERROR: timeout\n"), "", executor.Unknown},
		"half a list": {both(put("dm -lr", idOther+"\n"), put("dm -lrd", "Error: timeout\n")), idOther,
			executor.Unknown},
		"another's database":  {put("dm -lr", idC+"  Bridge\n"), idOther, executor.Unknown},
		"datamanager is gone": {func(a map[string]host.Output) { delete(a, "dm -lr") }, idOther, executor.Unknown},
	} {
		m, answers := sound()
		if name == "all there" {
			answers["dm -lr"] = host.Output{Stdout: idA + "\n" + idB + "\n" + idOther + "\n"}
		}
		c.spoil(answers)
		v, err := verifyGone(t.Context(), m, []string{idA, idB}, c.witnesses,
			func(context.Context, []string) ([]string, error) { return nil, errors.New("connection refused") })
		if err != nil || v.State != c.want || v.Why == "" {
			t.Errorf("%s: %+v, %v; want %s", name, v, err, c.want)
		}
	}
}

// TestServerVouchesForEmptyListing checks that if nothing else is in the database, the server itself has to confirm an
// empty listing.
func TestServerVouchesForEmptyListing(t *testing.T) {
	for want, left := range map[executor.State][]string{executor.Done: nil, executor.Partial: {idA}} {
		m, answers := sound()
		answers["dm -lr"] = host.Output{}
		v, err := verifyGone(t.Context(), m, []string{idA}, "",
			func(context.Context, []string) ([]string, error) { return left, nil })
		if err != nil || v.State != want {
			t.Errorf("with %v left: %+v, %v; want %s", left, v, err, want)
		}
	}
}
