package backbone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// preflight is the verb that checks everything once more, right before anything is changed.
var preflight = driver.Verb[*Driver]{Name: opPreflight, Verify: (*Driver).verifyPreflight}

func (s *standing) preflight() planner.Step {
	transport := "exchanging files"
	if s.from.Transport == email {
		transport = "exchanging e-mail"
	}
	step := planner.Check(opPreflight,
		fmt.Sprintf("both ends of %s can be migrated: reachable, %s, no issue in error, no conflicts, "+
			"roles as declared", s.from.Addr(), transport), 5*time.Second)
	step.Because = guide + ": errors in the troubleshooting tab are to be solved first"
	step.Facts = append(s.facts(master), s.facts(slave)...)
	step.Args = s.takes(nil)
	return at(step, s.from.one.server, s.from.two.server, s.stay(), s.site())
}

// verifyPreflight makes the observations of the plan again, and fails if a plan of them would refuse.
func (d *Driver) verifyPreflight(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if role := ofHalf(t); role != "" {
		return d.verifyPreflightHalf(ctx, t, role)
	}
	m, err := declared(decodeMigration, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	seen, err := d.see(ctx, t.Resource)
	if err != nil {
		return executor.Verdict{}, err
	}
	s, _, err := m.look(seen)
	if err != nil {
		return executor.Verdict{}, err
	}
	own, err := ownMark(t)
	if err != nil {
		return executor.Verdict{}, err
	}
	s.taken = takenOver(t)
	findings, diags := s.findings(t.IsDone, own)
	if diags.HasErrors() {
		return executor.Verdict{}, executor.Final(errors.New(diags[0].Detail))
	}
	var refused []string
	for _, f := range findings {
		if f.Severity == planner.Refuse {
			refused = append(refused, f.Summary)
		}
	}
	if len(refused) > 0 {
		return executor.Verdict{}, executor.Final(errors.New(strings.Join(refused, "; ")))
	}
	a, b := s.half(master), s.half(slave)
	return executor.Done.Because("%s and %s can be migrated: %s and %s", a.Key, b.Key,
		wording.Plural(a.own().Pairs, "pair"), wording.Plural(b.own().Pairs, "pair")), nil
}
