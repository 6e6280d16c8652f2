package view

import (
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// EventHead has the members of every event.
type EventHead struct {
	Level     string `json:"@level" jsonschema:"info, warn or error"`
	Message   string `json:"@message" jsonschema:"what people read"`
	Module    string `json:"@module" jsonschema:"always syncctl"`
	Timestamp string `json:"@timestamp" jsonschema:"in RFC 3339, in UTC"`
	Type      string `json:"type" jsonschema:"which of the types of events it is"`
}

// EventFields is what one type of event has beside an EventHead. Only events of EventTypes can be written.
type EventFields interface{ eventType() string }

// EventType is a type of event, for its reference.
type EventType struct {
	Fields EventFields
	Doc    string
}

// Name returns the member "type" of such events.
func (t EventType) Name() string { return t.Fields.eventType() }

// EventTypes returns all types of events, in the order in which a command writes them.
func EventTypes() []EventType {
	out := []EventType{
		{VersionEvent{}, "The first event: which version of the program writes."},
		{DiagnosticEvent{}, "An error or a warning about the files."},
		{ServingEvent{}, "The run is shown on a live page (-serve)."},
		{PlanEvent{}, "What is about to be carried out, before it is approved. Its steps: syncctl show -json."},
		{PlanDiffersEvent{}, "The plan is not the approved one, so that nothing is carried out (-expect, -against)."},
		{RefusedEvent{}, "A finding that stops the plan. There is one event for each."},
		{RevisedEvent{}, "The run is resumed with files that were changed since it was planned."},
		{ApplyStartEvent{}, "From here on, this process carries out the run."},
	}
	for _, s := range stepEvents {
		out = append(out, EventType{StepEvent{name: s.name}, s.doc})
	}
	return append(out, []EventType{
		{OperatorOutputEvent{}, "A line that the program of the operator block has printed; it is the message."},
		{WaitingForServerEvent{}, "A server asks to be asked again later, so the command waits."},
		{InterruptedEvent{}, "A signal has come; the message says what happens now."},
		{NoBundleEvent{}, "Another site has to act now, and no bundle could be written for it. The message says why."},
		{ApplyEndEvent{}, "How the run stands at the end of the command."},
		{TestRunEvent{}, "A run of a test has ended."},
		{TestFileEvent{}, "All runs of a file of tests have ended."},
		{TestSummaryEvent{}, "All tests have ended."},
		{ErrorEvent{}, "Why the command has failed; it is the message. The exit code is the command's."},
		{FaultEvent{}, "A fault of the program itself (exit code 70)."},
	}...)
}

// stepEvents are the events of the executor that are observed, in the order in which a step has them.
var stepEvents = []struct{ name, doc string }{
	{executor.EventStarted, "The step begins. It is in the journal, so that it is known after a crash."},
	{executor.EventProgress, "How far a long step is."},
	{executor.EventAsked, "A person is asked to do the step: step.manual says what to do."},
	{executor.EventVerifying, "The servers are asked whether the step is done; the message says what is missing."},
	{executor.EventDone, "The step is done, and verified against the servers."},
	{executor.EventAlready, "The servers show that the step was done before; it was not carried out."},
	{executor.EventWaiting, "A person was asked and has not done the step yet. Other steps are carried out."},
	{executor.EventFailed, "The step has failed; the message says why."},
	{executor.EventPutOff, "The step has failed for now and is tried again."},
	{executor.EventStuck, "It is unknown whether the step was carried out: a person must resolve it."},
}

type (
	// VersionEvent is the first event.
	VersionEvent struct{}
	// InterruptedEvent reports a signal.
	InterruptedEvent struct{}
	// NoBundleEvent reports that no bundle was written.
	NoBundleEvent struct{}
	// OperatorOutputEvent reports a line of the operator's program.
	OperatorOutputEvent struct{}
	// ErrorEvent reports the error that ends a command.
	ErrorEvent struct{}
)

// DiagnosticEvent reports an error or a warning.
type DiagnosticEvent struct {
	Diagnostic schema.DiagnosticView `json:"diagnostic"` // as in validate -json
}

// ServingEvent reports that a page is served.
type ServingEvent struct {
	Address string `json:"address"` // the host and port of the page, without what gives access to it
}

// PlanEvent reports what will be carried out.
type PlanEvent struct {
	Hash         string `json:"hash"`           // what the plan says and does, by which it is approved
	Add          int    `json:"add"`            // how many objects are added
	Change       int    `json:"change"`         // how many are changed
	Destroy      int    `json:"destroy"`        // how many are destroyed
	Steps        int    `json:"steps"`          // how many steps there are
	Person       int    `json:"person"`         // how many of them a person does
	Irreversible int    `json:"irreversible"`   // how many of them nothing can undo
	Run          string `json:"run,omitempty"`  // the run that is resumed
	Done         *int   `json:"done,omitempty"` // how many of its steps are done
}

// PlanDiffersEvent reports that the plan is not the approved one.
type PlanDiffersEvent struct {
	Diff *planner.PlanDiff `json:"diff"` // from the approved plan to the new one
}

// RefusedEvent reports a finding that stops the plan.
type RefusedEvent struct {
	Rule   string `json:"rule"`   // its id, for syncctl explain
	Addr   string `json:"addr"`   // the declaration
	Detail string `json:"detail"` // more about it, in sentences
}

// RevisedEvent reports that a run has a new plan.
type RevisedEvent struct {
	Run       string   `json:"run"`       // the run
	Arguments []string `json:"arguments"` // the arguments that were changed
	Changed   []string `json:"changed"`   // the steps that are changed
	Added     []string `json:"added"`     // the steps that are added
	Removed   []string `json:"removed"`   // the steps that are removed
}

// ApplyStartEvent reports that a run is carried out.
type ApplyStartEvent struct {
	Run string `json:"run"` // the run
}

// StepEvent reports what happens to a step.
type StepEvent struct {
	Step     *EventStep     `json:"step"`               // the step
	Script   string         `json:"script,omitempty"`   // of step_asked: the script with its commands, if they are long
	Progress *EventProgress `json:"progress,omitempty"` // of step_progress

	name string
}

// EventStep is a step in an event.
type EventStep struct {
	ID     string          `json:"id"`               // the declaration, a slash and op
	Number int             `json:"number"`           // its number in the plan
	Of     int             `json:"of"`               // how many steps the plan has
	Addr   string          `json:"addr"`             // the declaration
	Op     string          `json:"op"`               // its name within the declaration
	Mark   planner.Mark    `json:"mark"`             // what kind of work it is
	Manual *planner.Manual `json:"manual,omitempty"` // of step_asked and step_waiting: what the person has to do
}

// EventProgress is the progress of a step.
type EventProgress struct {
	Done  int64  `json:"done"`  // how much is done
	Total int64  `json:"total"` // how much there is; zero if that is unknown
	Unit  string `json:"unit"`  // what is counted
}

// ApplyEndEvent reports how a run stands.
type ApplyEndEvent struct {
	Run      string         `json:"run"`               // the run
	Dir      string         `json:"dir"`               // its folder; empty if it is not kept
	Finished bool           `json:"finished"`          // whether nothing is left to do
	Steps    []EventOutcome `json:"steps"`             // in the order of the plan
	Bundle   string         `json:"bundle,omitempty"`  // the file that was written for the other sites
	Advice   []string       `json:"advice,omitempty"`  // what a person has to do first, if the run is not finished
	Choices  []string       `json:"choices,omitempty"` // of which a person has to choose one for each stuck step
	Next     string         `json:"next,omitempty"`    // the command that resumes the run, if no person has to choose
}

// EventOutcome says how a step stands at the end.
type EventOutcome struct {
	ID    string         `json:"id"`             // the step
	Phase executor.Phase `json:"phase"`          // how it stands
	Why   string         `json:"why,omitempty"`  // why it is not done
	Here  bool           `json:"here,omitempty"` // it was done by this process, not by an earlier one
}

// WaitingForServerEvent reports that a server is waited for.
type WaitingForServerEvent struct {
	Server  string  `json:"server"`  // the declaration of the server
	Seconds float64 `json:"seconds"` // how long it waits
	Why     string  `json:"why"`     // what the server has said
}

// FaultEvent reports a fault of the program.
type FaultEvent struct {
	Run   string `json:"run"`   // the run that was carried out; empty if there was none
	Kept  string `json:"kept"`  // what it means for the run
	Where string `json:"where"` // what to report: version, platform and stack
}

// TestRunEvent reports the end of a run of a test.
type TestRunEvent struct {
	File        string                  `json:"file"`        // the file of tests
	Run         string                  `json:"run"`         // the label of the run
	Status      string                  `json:"status"`      // pass, fail, error or skip
	Seconds     float64                 `json:"seconds"`     // how long it took
	Diagnostics []schema.DiagnosticView `json:"diagnostics"` // what was not as expected
}

// TestFileEvent reports the end of a file of tests.
type TestFileEvent struct {
	File   string `json:"file"`   // the file of tests
	Status string `json:"status"` // pass, fail, error or skip
}

// TestSummaryEvent reports the end of all tests.
type TestSummaryEvent struct {
	Passed      int  `json:"passed"`      // how many runs have passed
	Failed      int  `json:"failed"`      // how many have failed, or ended half-way
	Skipped     int  `json:"skipped"`     // how many were not carried out
	Interrupted bool `json:"interrupted"` // a signal has ended the tests
}

func (VersionEvent) eventType() string          { return "version" }
func (DiagnosticEvent) eventType() string       { return "diagnostic" }
func (ServingEvent) eventType() string          { return "serving" }
func (PlanEvent) eventType() string             { return "plan" }
func (PlanDiffersEvent) eventType() string      { return "plan_differs" }
func (RefusedEvent) eventType() string          { return "refused" }
func (RevisedEvent) eventType() string          { return "revised" }
func (ApplyStartEvent) eventType() string       { return "apply_start" }
func (e StepEvent) eventType() string           { return "step_" + e.name }
func (OperatorOutputEvent) eventType() string   { return "operator_output" }
func (WaitingForServerEvent) eventType() string { return "waiting_for_server" }
func (InterruptedEvent) eventType() string      { return "interrupted" }
func (NoBundleEvent) eventType() string         { return "no_bundle" }
func (ApplyEndEvent) eventType() string         { return "apply_end" }
func (TestRunEvent) eventType() string          { return "test_run" }
func (TestFileEvent) eventType() string         { return "test_file" }
func (TestSummaryEvent) eventType() string      { return "test_summary" }
func (ErrorEvent) eventType() string            { return "error" }
func (FaultEvent) eventType() string            { return "fault" }
