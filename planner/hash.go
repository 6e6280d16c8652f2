package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/lazyregexp"
)

// hashPrefix names the algorithm of a plan's hash.
const hashPrefix = "sha256:"

var wellFormedHash = lazyregexp.New(`^` + hashPrefix + `[0-9a-f]{64}$`)

// IsHash reports whether a text has the form of a plan's hash.
func IsHash(s string) bool { return wellFormedHash.MatchString(s) }

// Hash returns "sha256:" and 64 hex digits that identify the content of a plan. Two plans have the same hash exactly
// if they do the same, from the same configuration and facts, in the same order, and tell a person the same. So it
// covers the digest of the configuration, what is declared and what there is, all of every step, and all findings.
//
// It does not cover when, where and by whom the plan was made, the version of the program, or secrets: a hash of those
// would help to guess them. But a secret that stands in a text of the plan is hidden there, so the plan has another
// hash if it is made without knowing that secret.
func (p *Plan) Hash() (string, error) {
	said := p.said()
	sum, err := said.sum(sha256.New())
	if err != nil {
		return "", fmt.Errorf("hashing the plan: %w", err)
	}
	return hashPrefix + hex.EncodeToString(sum), nil
}

// said returns the plan without what its hash does not cover.
func (p *Plan) said() Plan {
	said := *p
	said.Syncctl, said.Secrets, said.Sites = "", "", sitesOf(p)
	return said
}

// sitesOf returns the sites of a plan without what depends on when it was made.
func sitesOf(p *Plan) []PlanSite {
	out := slices.Clone(p.Sites)
	for i := range out {
		out[i].Observed = nil
	}
	return out
}

// Course returns "sha256:" and 64 hex digits that identify which steps a plan has, in which order, which of them a
// person does, and whose approval they need, wherever the declared servers are. So a plan for real servers and one
// for simulated servers have the same course if they have the same steps. It does not cover values such as addresses,
// how much a step does, or findings.
func (p *Plan) Course() (string, error) {
	type step struct {
		ID, Verb                          string
		Mark                              Mark
		Repeat                            Repeat
		Site                              string
		Servers, Approvals, Needs, Guards []string
		Person, Irreversible              bool
	}
	course := make([]step, 0, len(p.Steps))
	for i := range p.Steps {
		s := &p.Steps[i]
		course = append(course, step{s.ID, s.Verb, s.Mark, s.Repeat, s.Site, s.Servers, s.Approvals, s.Needs, s.Guards,
			s.Manual != nil, s.Irreversible()})
	}
	b, err := json.Marshal(course)
	if err != nil {
		return "", fmt.Errorf("hashing the steps of the plan: %w", err)
	}
	sum := sha256.Sum256(asDecoded(b))
	return hashPrefix + hex.EncodeToString(sum[:]), nil
}
