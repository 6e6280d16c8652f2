package planner

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// proofs prove that a plan is as it was made.
type proofs struct {
	seal, hash string
	mac        []byte // nil without a key
	changed    string // the first step whose print is wrong; "" if there is none, or prints are not checked
	same       bool   // the text that was compared has the same values, up to what follows the plan, which is in rest
	rest       []byte
}

// prove makes the proofs of a plan in one pass, in which each value is marshalled once: a large plan has nothing else
// that takes as long. If there is a text, it is compared with the plan, and the prints of the steps are checked.
func (p *Plan) prove(key, text []byte) (proofs, error) {
	sums := newSums(key)
	all := io.Writer(sums.seal)
	if key != nil {
		all = io.MultiWriter(sums.seal, sums.mac)
	}
	said := p.said()
	s := marshalling(all)
	if text != nil {
		s.compare(text)
		s.prints = newPrints(p)
	}
	s.documents(p, &said, sums.hash)
	if s.err != nil {
		return proofs{}, s.err
	}
	out := proofs{seal: sums.sealed(), hash: sums.hashed()}
	if key != nil {
		out.mac = sums.mac.Sum(nil)
	}
	if text != nil {
		out.same, out.rest, out.changed = !s.compared.other, s.compared.text, s.prints.changed
	}
	return out, nil
}

// sums are the hashes of which the proofs of a plan are made, while it is written to them.
type sums struct{ seal, hash, mac hash.Hash }

func newSums(key []byte) sums { return sums{sha256.New(), sha256.New(), hmac.New(sha256.New, key)} }

func (s sums) sealed() string { return hex.EncodeToString(s.seal.Sum(nil)[:16]) }
func (s sums) hashed() string { return hashPrefix + hex.EncodeToString(s.hash.Sum(nil)) }

// ending returns what Encode writes after the plan, if it is authentic.
func (s sums) ending() []byte {
	return fmt.Appendf(nil, ",\n  \"hash\": %q,\n  \"seal\": %q,\n  \"mac\": \"%x\"\n}\n", s.hashed(), s.sealed(),
		s.mac.Sum(nil))
}

// prints checks the prints of steps (see fingerprint), one after the other.
type prints struct {
	hash    hash.Hash
	digest  []byte
	of      map[string]string // by ID
	changed string            // the first step that has a wrong one
}

func newPrints(p *Plan) *prints {
	return &prints{hash: sha256.New(), digest: []byte(p.Digest), of: make(map[string]string, len(p.Steps))}
}

// check checks the print of the next step, which was marshalled. The print is its last member.
func (c *prints) check(s *Step, doc []byte) {
	const member = `"print":"`
	body, ok := bytes.CutSuffix(doc, []byte(member+s.Print+`"}`))
	c.hash.Reset()
	c.hash.Write(c.digest)
	c.hash.Write(body)
	c.hash.Write([]byte(member + `"}`))
	for _, n := range s.Needs {
		c.hash.Write([]byte(c.of[n]))
	}
	if print := hex.EncodeToString(c.hash.Sum(nil)[:16]); c.changed == "" && (!ok || print != s.Print) {
		c.changed = s.ID
	}
	c.of[s.ID] = s.Print
}

// remainder is what is left of a JSON text.
type remainder struct {
	text  []byte
	other bool // something else came than what was expected
}

// next takes whole tokens, which are written without whitespace, from what is left.
func (r *remainder) next(tokens []byte) {
	for len(tokens) > 0 && !r.other {
		n := 1
		if tokens[0] == '"' {
			n = textLen(tokens)
		}
		r.space()
		rest, ok := bytes.CutPrefix(r.text, tokens[:n])
		r.text, r.other, tokens = rest, !ok, tokens[n:]
	}
}

// space skips what may stand between the tokens of JSON.
func (r *remainder) space() {
	for len(r.text) > 0 && r.text[0] <= ' ' {
		r.text = r.text[1:]
	}
}

// textLen returns the length of the text in quotes that JSON begins with.
func textLen(doc []byte) int {
	for i := 1; i < len(doc); i++ {
		switch doc[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(doc)
}
