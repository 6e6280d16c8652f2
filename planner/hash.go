package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// hashPrefix says how a plan's hash is made.
const hashPrefix = "sha256:"

var wellFormedHash = regexp.MustCompile(`^` + hashPrefix + `[0-9a-f]{64}$`)

// IsHash tells whether a text has the form of a plan's hash.
func IsHash(s string) bool { return wellFormedHash.MatchString(s) }

// Hash is the name of what a plan says: "sha256:" and 64 digits. Two plans have the same hash exactly if they would do
// the same, from the same configuration and the same facts, in the same order, and tell a person the same. So it covers
// the digest of the configuration, what is declared beside what there is, all of every step, and all findings.
//
// It covers neither when, where and by whom the plan was made, nor the version of the program, nor secrets, of which it
// would say something to whoever guesses them.
func (p *Plan) Hash() (string, error) {
	said := *p
	said.Syncctl, said.Secrets, said.Sites = "", "", sitesOf(p)
	b, err := json.Marshal(&said)
	if err != nil {
		return "", fmt.Errorf("hashing the plan: %w", err)
	}
	sum := sha256.Sum256(asDecoded(b))
	return hashPrefix + hex.EncodeToString(sum[:]), nil
}

// sitesOf are the sites of a plan without what depends on when it was made.
func sitesOf(p *Plan) []PlanSite {
	out := slices.Clone(p.Sites)
	for i := range out {
		out[i].Observed = nil
	}
	return out
}

// Course is the name of what a plan's steps do, in which order, and on whose word, wherever the servers are: "sha256:"
// and 64 digits. So a plan for real servers and one for simulated servers have the same course if the same steps stand
// in both. It covers neither values, such as addresses, nor how much a step does, nor findings.
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
