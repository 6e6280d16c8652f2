package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
)

// RehearsalName is the name of the part with the rehearsal of the run's plan.
const RehearsalName = "rehearsal.json"

// configurationFolder is the folder of the configuration's files among the parts.
const configurationFolder = "configuration/"

// NoRehearsal is the manifest's word if there is no rehearsal: nobody has shown that the plan was rehearsed.
const NoRehearsal = "none"

// Results of a rehearsal.
const (
	RehearsalComplete = "complete" // every step was carried out and verified, and a second plan had nothing to do
	RehearsalFailed   = "failed"
)

// Rehearsal is the result of carrying out the steps of a plan against simulated servers. It identifies the steps and
// the files. So it is valid for every plan with these steps from these files, whatever its servers are.
type Rehearsal struct {
	Format  int       `json:"format"`  // of the document
	Syncctl string    `json:"syncctl"` // version of the program that rehearsed
	At      time.Time `json:"at"`      // when it began
	Result  string    `json:"result"`  // how it ended
	Exit    int       `json:"exit"`    // the exit code
	Steps   int       `json:"steps"`   // of the plan
	Plan    string    `json:"plan"`    // hash of the rehearsed plan, which has simulated servers
	Course  string    `json:"course"`  // hash of the steps, without what differs in simulated servers
	Seed    string    `json:"seed"`    // SHA-256 of the file that describes the simulated servers
	Files   []Part    `json:"files"`   // of the configuration, with secrets masked, sorted by name
}

// NewRehearsal returns the rehearsal of a plan from a configuration, whose files are named as parts are. The caller
// fills in the result.
func NewRehearsal(plan *planner.Plan, configuration map[string][]byte) (*Rehearsal, error) {
	r := &Rehearsal{Format: Format, Steps: len(plan.Steps), Files: partsOf(configuration)}
	var err error
	if r.Plan, err = plan.Hash(); err != nil {
		return nil, err
	}
	r.Course, err = plan.Course()
	return r, err
}

// Encode writes a rehearsal in the only form that DecodeRehearsal accepts.
func (r *Rehearsal) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the rehearsal: %w", err)
	}
	return append(text, '\n'), nil
}

// DecodeRehearsal reads a rehearsal.
func DecodeRehearsal(text []byte) (*Rehearsal, error) {
	if err := printable.Documents.Check(text); err != nil {
		return nil, fmt.Errorf("reading the rehearsal: it %w", err)
	}
	r := &Rehearsal{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("reading the rehearsal: %w", err)
	}
	again, err := r.Encode()
	switch {
	case err != nil:
		return nil, err
	case r.Format != Format:
		return nil, fmt.Errorf("the format of the rehearsal is %d, this program reads %d", r.Format, Format)
	case r.Result != RehearsalComplete && r.Result != RehearsalFailed:
		return nil, fmt.Errorf("the rehearsal has ended in an unknown way: %q", r.Result)
	case r.Result == RehearsalComplete && r.Exit != 0:
		return nil, fmt.Errorf("the rehearsal says that it is complete, and that it ended with exit code %d", r.Exit)
	case !bytes.Equal(again, text):
		return nil, errors.New("the rehearsal is not written as syncctl writes it")
	}
	return r, nil
}

// Of returns nil if this is the rehearsal of a plan from these files, which are named as parts are. Otherwise the
// error says why it is not.
func (r *Rehearsal) Of(plan *planner.Plan, configuration map[string][]byte) error {
	course, err := plan.Course()
	switch {
	case err != nil:
		return err
	case course != r.Course || r.Steps != len(plan.Steps):
		return fmt.Errorf("other steps were rehearsed: %d, the plan has %d, or they are others or in another order",
			r.Steps, len(plan.Steps))
	case len(configuration) == 0:
		return errors.New("the configuration is not there, so it is not known whether the rehearsal was of it")
	}
	was, is := map[string]string{}, map[string]string{}
	for _, p := range r.Files {
		was[p.Name] = p.SHA256
	}
	for _, p := range partsOf(configuration) {
		is[p.Name] = p.SHA256
		if was[p.Name] != p.SHA256 {
			return fmt.Errorf("it was rehearsed with another %s, or without it", p.Name)
		}
	}
	for _, p := range r.Files {
		if is[p.Name] == "" {
			return fmt.Errorf("it was rehearsed with %s, which is not there", p.Name)
		}
	}
	return nil
}

// rehearsed returns the rehearsal among the parts, or nil if there is none. It must be the rehearsal of the plan.
func rehearsed(plan *planner.Plan, files map[string][]byte) (*Rehearsal, error) {
	text, there := files[RehearsalName]
	if !there {
		return nil, nil
	}
	r, err := DecodeRehearsal(text)
	if err != nil {
		return nil, err
	}
	configuration := map[string][]byte{}
	for name, content := range files {
		if strings.HasPrefix(name, configurationFolder) {
			configuration[name] = content
		}
	}
	if err := r.Of(plan, configuration); err != nil {
		return nil, fmt.Errorf("the rehearsal is not that of the plan: %w", err)
	}
	return r, nil
}

// wordFor returns the manifest's word for a rehearsal.
func wordFor(r *Rehearsal) string {
	if r == nil {
		return NoRehearsal
	}
	return r.Result
}
