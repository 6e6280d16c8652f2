package planner

import "time"

// Step is one thing to do, as data: it is saved in the plan, reviewed, journaled, handed to a person, verified. It is
// never a closure and never holds a secret.
type Step struct {
	ID   string `json:"id"`   // address/op: the same for the same work in every plan
	Addr string `json:"addr"` // the declaration it belongs to
	Op   string `json:"op"`   // its name within the declaration, such as "stop_master"
	// the driver's verb, such as "stop"; the planner fills in Op where the driver leaves it empty
	Verb string `json:"verb"`
	Mark Mark   `json:"mark"`

	// Servers are the addresses of the declarations whose servers the step contacts, sorted: Execute, Verify and Facts
	// reach no other. None: it works on the run's files alone, or is about no server.
	Servers []string `json:"servers,omitempty"`

	// Site is the site that carries the step out, in a plan over sites. The planner sets it to that of the servers; a
	// driver only where there is none, such as for a person, and it matters who does it. Approvals are the sites whose
	// people must have approved the plan before an irreversible step starts.
	Site      string   `json:"site,omitempty"`
	Approvals []string `json:"approvals,omitempty"`

	Summary string            `json:"summary"`           // one line: what and how much
	Because string            `json:"because,omitempty"` // why it is there
	Args    map[string]string `json:"args,omitempty"`    // small; what Execute and Verify need beyond the declaration

	// Reads and Writes are files of the run, where a step of one site writes what one of another reads: they travel. Only
	// in a plan over sites.
	Reads  []string `json:"reads,omitempty"`
	Writes []string `json:"writes,omitempty"`

	Needs     []string `json:"needs,omitempty"`     // step ids that must be done first
	Guards    []string `json:"guards,omitempty"`    // check steps that are verified once more right before this one starts
	Exclusive []string `json:"exclusive,omitempty"` // steps that share a word run one at a time
	Repeat    Repeat   `json:"repeat"`
	Within    Duration `json:"within,omitempty"` // how long verification may take to succeed; zero: the executor's default

	// Commands are what it runs at a machine, as lines for a shell, each a whole command. None stands in Summary or in
	// Undo, which may be folded. The step of a person has them in Manual.
	Commands []string `json:"commands,omitempty"`

	Manual *Manual `json:"manual,omitempty"` // set: a person does it
	Effect *Effect `json:"effect,omitempty"` // what it does to objects
	// how this step is taken back, in words; empty: it cannot be, or there is nothing to take back
	Undo    string   `json:"undo,omitempty"`
	Facts   []Fact   `json:"facts,omitempty"`   // what it relies on, as read when planning
	Retires []string `json:"retires,omitempty"` // declarations whose counterpart this step removes for good

	// UnaffectedBy are arguments, each as ADDRESS.ARGUMENT, that neither carrying out nor verifying the step depends on,
	// or Peers for other declarations of its types. A step depends on everything else of its declaration and of what that
	// refers to: once it was begun, the files cannot be mended there (see Revise).
	UnaffectedBy []string `json:"unaffected_by,omitempty"`

	Print string `json:"print"` // fingerprint of all it depends on; set by the planner
}

// Irreversible tells whether the step's effect cannot be undone, whoever carries it out.
func (s *Step) Irreversible() bool { return s.Effect != nil && s.Effect.Irreversible }

// Mark is the sign a step carries in a plan.
type Mark string

// The marks of a plan's list.
const (
	MarkAdd    Mark = "+" // makes an object
	MarkChange Mark = "~" // changes an object
	MarkDelete Mark = "-" // removes an object and can be undone
	MarkPerson Mark = "?" // a person's
	MarkCheck  Mark = "=" // a verification: changes nothing
	MarkFinal  Mark = "!" // irreversible
)

// Repeat says what may happen when it is not known whether a step was carried out.
type Repeat string

// The three kinds of repetition, see executor.Next for the table.
const (
	Idempotent Repeat = "idempotent"  // carrying it out again does no harm
	CheckFirst Repeat = "check_first" // verify, and carry it out again unless it is done
	Once       Repeat = "once"        // never twice; when in doubt a person resolves
)

// Manual describes a person's step exactly.
type Manual struct {
	Where  string   `json:"where"`            // where the person goes: a page, a machine
	Do     []string `json:"do"`               // the instructions, one line each
	Values []Value  `json:"values,omitempty"` // the exact values to enter, in the order of the page
	// Commands are lines for a shell, to be pasted, in order: each is a whole command, or a comment (#) on a line of its
	// own. A command is never a part of Do, which is prose and may be folded.
	Commands []string `json:"commands,omitempty"`
	// the machine's name of the action, for an operator's command and the sandbox's stand-in
	Action string `json:"action,omitempty"`
	// Attest: what the person is asked to confirm where no interface can verify the work (the verdict stays unknown).
	Attest string `json:"attest,omitempty"`
}

// Value is one value a person enters.
type Value struct {
	Name  string `json:"name"`            // as an operator's command or the stand-in knows it
	Label string `json:"label"`           // as the page calls it
	Value string `json:"value"`           //
	Shown string `json:"shown,omitempty"` // what a person reads instead, where Value is for programs
	File  bool   `json:"file,omitempty"`  // Value names a file of the run
}

// Effect says what a step does to objects.
type Effect struct {
	Add          int    `json:"add,omitempty"`
	Change       int    `json:"change,omitempty"`
	Destroy      int    `json:"destroy,omitempty"`
	Irreversible bool   `json:"irreversible,omitempty"`
	Loses        string `json:"loses,omitempty"` // what is gone afterwards, in words with numbers
}

// Fact is one thing read from a server when planning, and read again before it is relied on.
type Fact struct {
	Name  string `json:"name"`  // the driver's name, such as "from.master.pairs"
	Value string `json:"value"` // canonical text
}

// Duration is a time.Duration that is written as text ("2m0s").
type Duration time.Duration

// MarshalText writes time.Duration's own text.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads time.Duration's own text.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
