package planner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Encode writes the plan as one JSON document, always the same bytes for the same plan.
func (p *Plan) Encode(w io.Writer) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}

// Decode reads a plan document and checks that it is whole: its format is known, steps have unique ids, stand after
// what they need, and carry the fingerprint of what they say, so that a plan edited by hand is refused.
func Decode(r io.Reader) (*Plan, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("reading the plan: it is no plan of syncctl: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading the plan: something follows the end of the document")
	}
	if p.Format != Format {
		return nil, fmt.Errorf("reading the plan: its format is %d, this program reads %d: make the plan again", p.Format, Format)
	}
	seen := map[string]bool{}
	prints := make([]string, len(p.Steps))
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.ID != StepID(s.Addr, s.Op) || seen[s.ID] {
			return nil, fmt.Errorf("reading the plan: step %d has the id %q, which is taken or is not address/op", i+1, s.ID)
		}
		for _, n := range s.Needs {
			if !seen[n] {
				return nil, fmt.Errorf("reading the plan: step %s needs %s, which does not stand before it", s.ID, n)
			}
		}
		seen[s.ID] = true
		prints[i] = s.Print
	}
	if err := fingerprint(&p); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	for i := range p.Steps {
		if p.Steps[i].Print != prints[i] {
			return nil, fmt.Errorf("reading the plan: step %s was changed after the plan was made: make the plan again", p.Steps[i].ID)
		}
	}
	return &p, nil
}
