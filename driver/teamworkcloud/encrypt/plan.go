package encrypt

import (
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
	"github.com/zclconf/go-cty/cty"
)

// Needs asks for all observations that a server's plan is made from.
func (e *Encryption) Needs(v *survey.View, server *connect.Server) {
	if server.SyncTLS != nil {
		e.look(v, server)
	}
}

// Plan plans what brings a server's encryption to what is declared. For a server without sync_tls there is nothing to
// do.
func (e *Encryption) Plan(v *survey.View, server *connect.Server,
	confirmed map[string]planner.Confirmation) (planner.Outline, error) {
	if server.SyncTLS == nil {
		return planner.Outline{Action: planner.NoChange}, nil
	}
	s := e.look(v, server)
	if err := v.Err(); err != nil || s == nil {
		return planner.Outline{}, errors.Join(err, missingReference(server))
	}
	s.confirmed = confirmed
	q := &planner.Sequence{Addr: s.addr()}
	if s.recipe.Name != "" {
		s.steps(q)
	}
	out := planner.Outline{Action: planner.Update, Steps: q.Steps, Findings: s.findings(q), Actual: s.actual()}
	if len(out.Steps) == 0 {
		out.Action = planner.NoChange
	}
	return out, nil
}

func missingReference(server *connect.Server) error {
	if server.SyncTLS.Keystore != nil {
		return nil
	}
	return fmt.Errorf("the keystore of %s is no longer declared", server.Address())
}

// steps adds the steps in the vendor's order: first the port, then what connects to it. At the end the services are
// restarted once.
func (s *state) steps(q *planner.Sequence) {
	if s.uploads() {
		q.Then(s.portStep())
	}
	switch {
	case s.server.Host != nil:
		s.machineSteps(q)
	case s.leftToPerson():
		q.Then(s.byHandStep())
	}
	if len(q.Steps) > 0 {
		q.Then(s.presentedStep())
	}
}

// machineSteps adds the steps that edit files, and those that restart the services once, whatever was edited.
func (s *state) machineSteps(q *planner.Sequence) {
	edits := s.edits()
	q.Then(edits...)
	if len(edits) == 0 && !s.rereads() {
		return
	}
	w := s.window()
	if (len(s.in.Users) > 0 || !s.in.Known) && !w.AllowLoggedIn {
		q.Then(w.AnnounceStep(*s.in))
	}
	people := "nobody else is logged in to " + s.addr()
	switch {
	case w.AllowLoggedIn:
		people = fmt.Sprintf("%s answers; users who are logged in are cut off (%s now)", s.addr(), s.in.Count())
	case s.in.Known:
		people += fmt.Sprintf(" (%s now)", s.in.Count())
	}
	because := "settings and trust stores are read when they start"
	if len(edits) == 0 {
		because = "the web application reads the keystore when it starts"
	}
	stop := w.StopStep(because)
	stop.Guards = []string{q.ID(w.Op(machine.Idle))}
	for _, step := range []planner.Step{w.IdleStep(people), stop, w.StartStep(because)} {
		step.Args = s.args()
		q.Then(step)
	}
}

// actual returns the part of the declaration that the server shows: its port, and which certificates its machine
// trusts.
func (s *state) actual() cty.Value {
	tls := map[string]cty.Value{}
	if s.port.Known || s.port.Enabled {
		tls["port"] = cty.NullVal(cty.Number)
		if s.port.Enabled {
			tls["port"] = cty.NumberIntVal(int64(s.port.Port))
		}
	}
	if trust, known := s.actualTrust(); known {
		tls["trust"] = trust
	}
	return cty.ObjectVal(map[string]cty.Value{"sync_tls": cty.ObjectVal(tls)})
}

// actualTrust returns the declared certificates that all trust stores have. known reports whether all stores could be
// read.
func (s *state) actualTrust() (trust cty.Value, known bool) {
	if len(s.stores) == 0 {
		return cty.NilVal, false
	}
	have := map[string]cty.Value{}
	for _, t := range s.trust {
		have[t.Alias] = cty.ObjectVal(map[string]cty.Value{
			"certificate": cty.StringVal(s.server.SyncTLS.Trust[t.Alias].Certificate.String()),
		})
	}
	for _, store := range s.stores {
		if store.seen.Store == nil {
			return cty.NilVal, false
		}
		for _, t := range store.seen.missing(s.trust) {
			delete(have, t.Alias)
		}
	}
	return cty.ObjectVal(have), true
}
