package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
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
	said.Syncctl, said.Secrets = "", ""
	b, err := json.Marshal(&said)
	if err != nil {
		return "", fmt.Errorf("hashing the plan: %w", err)
	}
	sum := sha256.Sum256(asDecoded(b))
	return hashPrefix + hex.EncodeToString(sum[:]), nil
}
