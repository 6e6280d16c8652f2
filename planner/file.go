package planner

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/printable"
)

// document is a plan as it is written, with a digest of everything in it. The steps' prints say whether two plans
// would do the same. The seal also covers the rest, above all the findings, so that a refusal cannot be removed
// unnoticed. The seal is not a signature: anybody who can change the file can compute it. The MAC protects against
// that.
type document struct {
	*Plan
	Hash string `json:"hash,omitempty"` // see Plan.Hash; files of older programs have none
	Seal string `json:"seal"`
	MAC  string `json:"mac,omitempty"` // see Authenticate
}

// Authenticate sets the MAC, which proves that a holder of the key made the plan as it is now. Encode writes it.
func (p *Plan) Authenticate(key []byte) error {
	mac, err := p.authentication(key)
	p.MAC = hex.EncodeToString(mac)
	return err
}

// Authentic reports whether a holder of the key made the plan, and it was not changed since.
func (p *Plan) Authentic(key []byte) bool {
	want, err := p.authentication(key)
	mac, bad := hex.DecodeString(p.MAC)
	return err == nil && bad == nil && hmac.Equal(mac, want)
}

func (p *Plan) authentication(key []byte) ([]byte, error) {
	mac, err := p.sum(hmac.New(sha256.New, key))
	if err != nil {
		return nil, fmt.Errorf("authenticating the plan: %w", err)
	}
	return mac, nil
}

// Encode writes the plan as one JSON document, in pieces. The same plan always gives the same bytes.
func (p *Plan) Encode(w io.Writer) error {
	made, err := p.prove(nil, nil)
	if err != nil {
		return fmt.Errorf("sealing the plan: %w", err)
	}
	doc := document{Plan: p, Hash: made.hash, Seal: made.seal, MAC: p.MAC}
	if err := doc.write(w); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}

// Text returns what Encode writes. A plan that Decode would refuse, because it is too large, is an error: a run of it
// could not be resumed.
func (p *Plan) Text() ([]byte, error) {
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		return nil, err
	}
	if err := printable.Documents.Check(b.Bytes()); err != nil {
		return nil, fmt.Errorf("the plan is too large to be read again: it %w. Plan a part of it with -target or "+
			"-exclude", err)
	}
	return b.Bytes(), nil
}

func (d *document) write(w io.Writer) error {
	s := indenting(w)
	s.document(d)
	return s.err
}

// escaped matches an escape in JSON.
var escaped = lazyregexp.New(`\\(?:ufffd|.)`)

// asDecoded returns the JSON that json.Marshal gives after the value was written and read once. json.Marshal escapes
// bytes that are not UTF-8; after reading they are characters. Hashes must be the same before and after.
func asDecoded(doc []byte) []byte {
	if !bytes.Contains(doc, []byte(`\ufffd`)) {
		return doc
	}
	return escaped.ReplaceAllFunc(doc, func(found []byte) []byte {
		if string(found) == `\ufffd` {
			return []byte("\ufffd")
		}
		return found
	})
}

// Decode reads a plan document and checks it: the format is known, steps have unique IDs, come after the steps that
// they need and have the right print, and nothing else was changed. So a plan that was edited by hand is refused.
// Whitespace does not matter.
func Decode(r io.Reader) (*Plan, error) {
	var all bytes.Buffer
	if known, ok := r.(interface{ Len() int }); ok {
		all.Grow(known.Len() + bytes.MinRead)
	}
	if _, err := all.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	p, _, err := DecodeAuthentic(all.Bytes(), nil)
	return p, err
}

// DecodeAuthentic is like Decode, and also reports whether the plan is authentic (Plan.Authentic). That takes less time
// than one after the other. Without a key (nil), no plan is.
func DecodeAuthentic(text, key []byte) (plan *Plan, authentic bool, err error) {
	if err = printable.Documents.Check(text); err != nil {
		return nil, false, fmt.Errorf("reading the plan: it %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // without a byte order mark
	if written := decodeWritten(text, key); written != nil {
		return written, true, nil
	}
	plan, authentic, err = decode(text, key)
	if err != nil {
		return nil, false, fmt.Errorf("reading the plan: %w", err)
	}
	return plan, authentic, nil
}

func decode(text, key []byte) (*Plan, bool, error) {
	p := withRoom(text)
	doc := document{Plan: p}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, false, cmp.Or(malformed(text), err)
	}
	if doc.Plan == nil || p.Format != Format {
		return nil, false, fmt.Errorf("its format is %d, this program reads %d: make the plan again", p.Format, Format)
	}
	if err := p.checkSteps(); err != nil {
		return nil, false, err
	}
	found, err := p.prove(key, text)
	if err != nil {
		return nil, false, err
	}
	switch {
	case found.changed != "":
		return nil, false, fmt.Errorf("step %s was changed after the plan was made: make the plan again", found.changed)
	case found.seal != doc.Seal || doc.Hash != "" && doc.Hash != found.hash:
		return nil, false, errors.New("it was changed after it was made: make the plan again")
	}
	same, err := doc.is(text, found)
	if err != nil {
		return nil, false, err
	}
	if same {
		p.MAC = doc.MAC
		mac, bad := hex.DecodeString(p.MAC)
		return p, key != nil && bad == nil && hmac.Equal(mac, found.mac), nil
	}
	if err := malformed(text); err != nil {
		return nil, false, err
	}
	// other programs may understand it differently
	return nil, false, errors.New("it has a member twice, or is written in another way than this program does, so it " +
		"was changed after it was made: make the plan again")
}

// withRoom returns an empty plan with room for the steps in a text, since growing the list takes long.
func withRoom(text []byte) *Plan {
	p := &Plan{}
	if n := min(bytes.Count(text, []byte(`"print"`)), len(text)/leastStep, printable.Documents.Objects); n > 0 {
		p.Steps = make([]Step, 0, n)
	}
	return p
}

// leastStep is less than the length of any step in a plan.
const leastStep = len(`{"id":"","addr":"","op":"","verb":"","mark":"","summary":"","repeat":"","print":""}`)

// malformed says what is wrong with a text that is not a plan, or has a member that plans do not have. Its decoder
// takes a copy of the whole text, so it is asked only if something is wrong.
func malformed(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&document{Plan: &Plan{}}); err != nil {
		return notWhole(err, "it is not a plan of syncctl")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end of the document")
	}
	return nil
}

// is reports whether a text differs from what this program writes only in whitespace and in how characters are escaped.
func (d *document) is(text []byte, found proofs) (bool, error) {
	rest := remainder{text: found.rest, other: !found.same}
	for _, m := range []struct{ name, value string }{{"hash", d.Hash}, {"seal", d.Seal}, {"mac", d.MAC}} {
		if m.value != "" {
			rest.next([]byte(`,"` + m.name + `":"` + m.value + `"`)) // with escapes, it is something else here
		}
	}
	rest.next([]byte("}"))
	if rest.space(); !rest.other && len(rest.text) == 0 {
		return true, nil // the usual case, in which nothing is copied
	}
	var written bytes.Buffer
	if err := d.write(&written); err != nil {
		return false, err
	}
	return sameJSON(text, written.Bytes()), nil
}

// sameJSON reports whether two JSON documents differ only in whitespace and in how characters are escaped.
func sameJSON(a, b []byte) bool {
	x, y := json.NewDecoder(bytes.NewReader(a)), json.NewDecoder(bytes.NewReader(b))
	x.UseNumber()
	y.UseNumber()
	for {
		one, errX := x.Token()
		two, errY := y.Token()
		if errX != nil || errY != nil {
			return errors.Is(errX, io.EOF) && errors.Is(errY, io.EOF)
		}
		if one != two {
			return false
		}
	}
}

// notWhole explains why a JSON document cannot be decoded. The decoder's own message for an early end is of no help to
// people.
func notWhole(err error, otherwise string) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the file is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the file ends in the middle: it was cut short")
	}
	return fmt.Errorf("%s: %w", otherwise, err)
}

// checkSteps checks the steps' IDs and order.
func (p *Plan) checkSteps() error {
	seen := make(map[string]bool, len(p.Steps))
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.ID != StepID(s.Addr, s.Op) || seen[s.ID] {
			return fmt.Errorf("step %d has the id %q, which is taken or is not address/op", i+1, s.ID)
		}
		for _, n := range s.Needs {
			if !seen[n] {
				return fmt.Errorf("step %s needs %s, which does not stand before it", s.ID, n)
			}
		}
		seen[s.ID] = true
	}
	return nil
}
