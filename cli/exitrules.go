package cli

import (
	"strconv"

	"github.com/syncctl/syncctl/planner"
)

// exitRules explains the exit codes, in order.
func exitRules() []planner.Rule {
	var out []planner.Rule
	for _, r := range []struct {
		code              int
		meaning, when, do string
	}{
		{exitDone, "Done, or there was nothing to do.",
			"A command has succeeded. A plan without changes, and one with changes but without -detailed-exitcode, end so too.",
			"Nothing."},
		{exitError, "An error: what was asked for could not be done. Nothing was begun, or what was begun says so.",
			"A mistake in the files or on the command line, a server that is not reached, an examination that fails.",
			"Read the error: it says where, and what to do. After a run, syncctl status says how far it came."},
		{exitChanges, "The plan has changes, or with -against, it is not the plan of the file; or something was changed " +
			"from outside.",
			"plan -detailed-exitcode has found something to do, or with -against, a difference; or drift has found what was " +
				"changed from outside. On Windows a crash of the program ends so too.",
			"Review the plan and apply it. Of drift, ask who has changed it. After a crash, syncctl apply resumes the run."},
		{exitUnformatted, "A file is not formatted.",
			"fmt -check has found a difference.",
			"Run syncctl fmt."},
		{exitWaiting, "The run waits for a person, or for another site.",
			"A step has no documented interface, and its end is not verified yet; or only another site can go on.",
			"syncctl status says where to go and what to enter, or which site has to go on. Do it, or hand over and receive, " +
				"then run syncctl apply again."},
		{exitStopped, "The run has stopped after some steps were done. It can be resumed.",
			"A step has failed, or it is unknown whether it was carried out.",
			"syncctl status says which step and why. Mend it, or resolve the step, then run syncctl apply again."},
		{exitStale, "The plan is stale: the files or the servers have changed since it was made.",
			"A saved plan is applied, or a run is resumed, and something has moved that a step relies on. apply -expect has " +
				"made another plan than the one that was approved, or apply than somebody else has signed.",
			"Read what has changed. Plan again; a run that has begun is resumed with the files as they were, or with a " +
				"mended plan that touches nothing that was begun."},
		{exitLocked, "Another run holds the lock.",
			"Another process of syncctl is at work in the same folder.",
			"Wait until it has ended: the error says who it is, and since when."},
		{exitRefused, "A guard has refused.",
			"The plan has a finding that stops it, a check right before a step that cannot be undone has failed, a bundle " +
				"is not taken, or ci approved finds that nobody has approved a plan.",
			"Read the finding: syncctl explain with its rule says what to do. Then plan again, or have the bundle sent again."},
		{exitDeclined, "A person has not approved the plan.",
			"The question was answered with something other than yes.",
			"Nothing was done. Run syncctl apply again to approve it."},
		{exitFault, "A fault of the program itself.",
			"Something happened that the program should have prevented.",
			"Report it, with what the program printed. The run is kept: syncctl apply resumes it."},
		{exitInterrupted, "Interrupted at a safe point.",
			"A signal has come, such as by Ctrl-C.",
			"syncctl apply resumes the run."},
		{exitCrashed, "The program has crashed, such as without memory.",
			"The runtime has ended the process, on systems other than Windows.",
			"syncctl apply resumes the run. No crash leaves a core file."},
		{exitBrokenPipe, "Nobody reads the rest of the output. Tools of products end so.",
			"A tool writes into a pipe, and what reads from it has ended, such as head.",
			"Nothing, if that was meant."},
	} {
		out = append(out, planner.Rule{ID: strconv.Itoa(r.code), Kind: planner.KindExit, Meaning: r.meaning, When: r.when,
			Do: r.do})
	}
	return out
}
