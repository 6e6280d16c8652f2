package planner

import "time"

// Step is one thing to do, as data: it can be saved in the plan, reviewed, journaled, handed to a person and verified.
// It is never a closure and never holds a secret.
type Step struct {
	ID   string `json:"id"`   // address/op: the same for the same work in every plan
	Addr string `json:"addr"` // the declaration it belongs to
	Op   string `json:"op"`   // its name within the declaration, such as "stop_master"
	// the driver's verb, such as "stop"; the planner fills in Op where the driver leaves it empty
	Verb string `json:"verb"`
	Mark Mark   `json:"mark"` // what kind of work it is, as plan shows it

	// Servers holds the addresses of the declarations whose servers the step contacts, sorted. Execute, Verify and Facts
	// contact no other server. It is empty if the step only uses the run's files, or is not about a server.
	Servers []string `json:"servers,omitempty"`

	// Site is the site that carries out the step, in a plan over sites. The planner derives it from Servers. A driver
	// sets it only if Servers gives no site, such as for a person's step, and it matters who does it.
	Site string `json:"site,omitempty"`
	// Approvals holds the sites whose people must have approved the plan before an irreversible step starts.
	Approvals []string `json:"approvals,omitempty"`

	Summary string            `json:"summary"`           // one line: what is done, and to how much
	Because string            `json:"because,omitempty"` // why the step is needed
	Args    map[string]string `json:"args,omitempty"`    // small; what Execute and Verify need besides the declaration

	// Reads and Writes are files of the run that a step of one site writes and a step of another site reads: they are
	// sent between the sites. They are set only in a plan over sites.
	Reads  []string `json:"reads,omitempty"`
	Writes []string `json:"writes,omitempty"` // files of the run that it writes for another site

	Needs     []string `json:"needs,omitempty"`     // IDs of steps that must be done first
	Guards    []string `json:"guards,omitempty"`    // check steps that are verified once more right before this one starts
	Exclusive []string `json:"exclusive,omitempty"` // steps with a word in common run one at a time
	Repeat    Repeat   `json:"repeat"`              // what happens if it was begun and it is unknown how it ended
	Within    Duration `json:"within,omitempty"`    // time limit for verification to succeed; zero: the executor's default

	// Commands are the commands that the step runs on a machine, each a whole line for a shell. They do not appear in
	// Summary or Undo, whose lines may be wrapped. The commands of a person's step are in Manual.
	Commands []string `json:"commands,omitempty"`

	Manual *Manual `json:"manual,omitempty"` // set if a person does the step
	Effect *Effect `json:"effect,omitempty"` // what it does to objects
	// how to undo the step, in words; empty if it cannot be undone or there is nothing to undo
	Undo    string   `json:"undo,omitempty"`
	Facts   []Fact   `json:"facts,omitempty"`   // what the step relies on, as read when planning
	Retires []string `json:"retires,omitempty"` // declarations whose counterpart this step removes for good

	// UnaffectedBy holds the arguments, as ADDRESS.ARGUMENT, that neither carrying out nor verifying the step depends on,
	// or Peers for other declarations of its types. A step depends on everything else in its declaration and in the
	// declarations that it refers to: once it has begun, those cannot be changed in the files (see Revise).
	UnaffectedBy []string `json:"unaffected_by,omitempty"`

	Print string `json:"print"` // fingerprint of all that the step depends on; set by the planner
}

// Irreversible reports whether the step's effect cannot be undone, whoever carries it out.
func (s *Step) Irreversible() bool { return s.Effect != nil && s.Effect.Irreversible }

// Mark is the symbol that stands before a step in a plan.
type Mark string

// The marks of steps.
const (
	MarkAdd    Mark = "+" // creates an object
	MarkChange Mark = "~" // changes an object
	MarkDelete Mark = "-" // removes an object; can be undone
	MarkPerson Mark = "?" // is done by a person
	MarkCheck  Mark = "=" // a verification: changes nothing
	MarkFinal  Mark = "!" // irreversible
)

// Repeat says what may happen if it is unknown whether a step was carried out.
type Repeat string

// The values of Repeat; see executor.Next for the table.
const (
	Idempotent Repeat = "idempotent"  // carrying it out again does no harm
	CheckFirst Repeat = "check_first" // verify, and carry it out again only if it is not done
	Once       Repeat = "once"        // never twice; in doubt, a person resolves it
)

// Manual describes a person's step exactly.
type Manual struct {
	Where  string   `json:"where"`            // where the person goes: a page, a machine
	Do     []string `json:"do"`               // the instructions, one line each
	Values []Value  `json:"values,omitempty"` // the exact values to enter, in the order of the page
	// Commands are lines to paste into a shell, in order. Each is a whole command, or a comment (#) on a line of its own.
	// Do, whose lines may be wrapped, never contains a command.
	Commands []string `json:"commands,omitempty"`
	// the name of the action for programs: an operator's command, or the sandbox's stand-in for a person
	Action string `json:"action,omitempty"`
	// Attest is what the person is asked to confirm if no interface can verify the work (the verdict stays unknown).
	Attest string `json:"attest,omitempty"`
}

// Value is one value a person enters.
type Value struct {
	Name  string `json:"name"`            // the name for programs: an operator's command or the stand-in
	Label string `json:"label"`           // the label on the page
	Value string `json:"value"`           // what to enter, exactly
	Shown string `json:"shown,omitempty"` // what a person reads if Value is for programs
	File  bool   `json:"file,omitempty"`  // Value is the name of a file of the run
}

// Effect says what a step does to objects.
type Effect struct {
	Add          int    `json:"add,omitempty"`          // how many are added
	Change       int    `json:"change,omitempty"`       // how many are changed
	Destroy      int    `json:"destroy,omitempty"`      // how many are destroyed
	Irreversible bool   `json:"irreversible,omitempty"` // whether nothing can bring back what it does
	Loses        string `json:"loses,omitempty"`        // what is lost, in words with numbers
}

// Fact is one value read from a server when planning, and read again before a step relies on it.
type Fact struct {
	Name  string `json:"name"`  // the driver's name, such as "from.master.pairs"
	Value string `json:"value"` // canonical text
}

// Duration is a time.Duration that is written as text ("2m0s").
type Duration time.Duration

// MarshalText writes the text of a time.Duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads the text of a time.Duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
