package backbone

import (
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/planner"
)

// product is the prefix of the IDs of rules.
const product = "backbone"

// The IDs of findings, without the product, and names of what is examined. Rules explains each.
const (
	ruleBAC1449          = "BAC-1449"
	ruleByEmail          = "by-email"
	ruleConflicts        = "conflicts"
	ruleConflictsUnknown = "conflicts-unknown"
	ruleCountersUnknown  = "counters-unknown"
	ruleDeleteAllow      = "delete-allow"
	ruleErrorsUnknown    = "errors-unknown"
	ruleHalfLeft         = "half-left"
	ruleHalfPairs        = "half-pairs"
	ruleInFlight         = "in-flight"
	ruleIssuesInError    = "issues-in-error"
	ruleMarkTakenOver    = "mark-taken-over"
	ruleMarkUnknown      = "mark-unknown"
	ruleMarked           = "marked"
	ruleNarrows          = "narrows"
	ruleNewHasPairs      = "new-has-pairs"
	ruleNewRuns          = "new-runs"
	ruleNewStatusUnknown = "new-status-unknown"
	ruleNoIssueTypes     = "no-issue-types"
	ruleNoMark           = "no-mark"
	ruleNoPairs          = "no-pairs"
	ruleNotReadable      = "not-readable"
	ruleOriginalKept     = "original-kept"
	rulePartnerUnknown   = "partner-unknown"
	ruleRole             = "role"
	ruleStatus           = "status"
	ruleStatusUnknown    = "status-unknown"
	ruleTransport        = "transport"
	ruleUnmatchedPairs   = "unmatched-pairs"
	ruleVendorHelp       = "vendor-help"
	ruleVendorSample     = "vendor-sample"
	ruleWidens           = "widens"

	whatProject = "project"
	whatVersion = "Jira version"
)

// Rules explains Backbone's findings, what the merge may be allowed to overlook, what a migration may lose or change,
// and what is examined.
func (d *Driver) Rules() []planner.Rule {
	out := standingRules()
	for _, more := range [][]planner.Rule{markRules(), newRules(), carryRules(), permissions(), acceptances()} {
		out = append(out, more...)
	}
	return append(out,
		driver.ExaminationRule(whatVersion, "Which version the Jira has. No interface shows the version of Backbone.",
			"The server accepts the credentials.", "Look at it in the administration of Jira."),
		driver.ExaminationRule(whatProject+" NAME",
			"Whether the user may see the project's synchronizations, which Backbone shows to administrators of the "+
				"project alone; on a cloud site, whether the user may see the project.",
			"A declared synchronization has an end in the project.",
			"Make the user an administrator of the project, or of Jira, and check the key of the project. On a cloud "+
				"site nothing is to be done before the project has moved there."),
	)
}

func finding(rule, meaning, when, do string, severities ...planner.Severity) planner.Rule {
	return planner.FindingRule(product+"/"+rule, meaning, when, do, severities...)
}

// byWord is the advice for what a plan needs and no interface shows.
const byWord = "Look at the web page when the plan's step asks for it, and confirm what you see."

// standingRules are the rules about the original.
func standingRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleConflicts,
			"A half of the original has conflicts, and its data may not be complete until they are solved.",
			"Backbone reports conflicts of a half.",
			"Solve the conflicts on the web page of that half, then plan again.", planner.Refuse),
		finding(ruleConflictsUnknown,
			"Whether a half of the original has conflicts cannot be read over REST.",
			"The server does not answer the question, or in a form that is not known.",
			byWord, planner.Warn, planner.Refuse),
		finding(ruleErrorsUnknown,
			"How many issues of a half are in error cannot be read over REST.",
			"The server does not say how many issues are in error.",
			byWord, planner.Warn, planner.Refuse),
		finding(ruleIssuesInError,
			"Issues of the original are in error, and the vendor's guide asks for none before the files are downloaded.",
			"Backbone reports issues in error of a half.",
			"Open the troubleshooting tab of that half, solve the errors, then plan again.", planner.Refuse),
		finding(ruleNotReadable,
			"Role, transport and partner of a half cannot all be read over REST, so it is recognized by its project, its "+
				"single connector and its pairs.",
			"The server leaves one of the three out.",
			"Nothing, if the plan names the right halves. Otherwise set key in the blocks of the ends.", planner.Note),
		finding(rulePartnerUnknown,
			"Nothing shows that the two halves belong to one synchronization.",
			"They have no pair in common, their partners cannot be read over REST, and their keys are not both declared.",
			"If they belong together, set key in the blocks master and slave of the original.", planner.Refuse),
		finding(ruleRole,
			"A half has the other role than declared: master and slave are exchanged.",
			"Backbone says which role the half has.",
			"Exchange the blocks master and slave of the declaration.", planner.Refuse),
		finding(ruleStatus,
			"The synchronization is in a state other than running or stopped, in which its data may not be complete or it "+
				"cannot be started.",
			"Backbone reports such a state.",
			"Bring it to RUNNING or STOPPED on the web page, with the administrators of both ends, then plan again.",
			planner.Refuse, planner.Warn).NotCompared(),
		finding(ruleStatusUnknown,
			"Whether the synchronization runs cannot be read over REST.",
			"The server does not say its status.",
			"Look at Backbone's overview. In a migration a person stops it and confirms that it is stopped.",
			planner.Warn).NotCompared(),
		finding(ruleTransport,
			"The synchronization has another transport than declared, and cannot be switched between e-mail and file.",
			"Backbone reports another transport.",
			"Declare the transport that it has, or delete it first.", planner.Refuse),
	}
}

// markRules are the rules about other runs of the same migration.
func markRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleMarkTakenOver,
			"The mark on a project is of a run that was abandoned, and is overwritten.",
			"The run was given up in this folder, or take_over names it.",
			"Nothing. With mark = \"none\" remove the mark as the finding says.", planner.Note),
		finding(ruleMarkUnknown,
			"Whether another run is at the migration cannot be told, because the mark on a project cannot be read.",
			"The server refuses the project property, or answers in a form that is not known.",
			"Let the user browse and administer the project; or set mark = \"none\" in the migration once you know that "+
				"there is no other run.", planner.Refuse, planner.Warn),
		finding(ruleMarked,
			"Another run is at this migration, perhaps from another folder.",
			"A project carries the mark of a run that is not this one.",
			"Resume that run, or let it end. If it was given up in another folder, name it with take_over in the migration.",
			planner.Refuse),
		finding(ruleNoMark,
			"The projects are not marked, so others cannot see that a run is at this migration.",
			"mark = \"none\" is declared.",
			"Agree on the one folder that applies. The lock keeps apart two runs of one folder only.", planner.Warn),
	}
}

// newRules are the rules about the new synchronization of a migration, and about synchronizations outside of
// migrations.
func newRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleByEmail,
			"A mapping of users becomes one by e-mail address, because the cloud has no user names. Nothing is lost.",
			"The original maps users by name or passes them through, and the new one maps them by e-mail.",
			"See that the users' e-mail addresses are the same on both ends.", planner.Note),
		finding(ruleNarrows,
			"The new synchronization does not carry something that the original carries, or carries it otherwise.",
			"A field or its direction, an issue type, a filter, comments or attachments differ, or cannot be read of the "+
				"original.",
			"Declare it in the new synchronization; or, if the loss is meant, accept it by its name with accept = [...] in "+
				"the migration. It refuses only where the original is to be deleted.", planner.Warn, planner.Refuse),
		finding(ruleNewHasPairs,
			"The new synchronization has pairs that are not the original's.",
			"It was started too early, or somebody paired issues in it.",
			"Delete it on the web page, and look for issues that it made twice; or allow pairs that were made since with "+
				"new_pairs in the block verify of the migration.", planner.Refuse),
		finding(ruleNewRuns,
			"The new synchronization runs without the pairs: it would make every issue a second time.",
			"It has no pairs and is not stopped.",
			"Stop it before anything else.", planner.Refuse),
		finding(ruleNewStatusUnknown,
			"The new synchronization has no pairs, and whether it runs is unknown. If it did, it would make every issue a "+
				"second time.",
			"It has no pairs, and its status cannot be read over REST.",
			"Resume the run that it was created in, or delete it on the web page.", planner.Refuse),
		finding(ruleNoIssueTypes,
			"The synchronization would be created without an issue type, and Backbone refuses to start one.",
			"issue_types is not declared, and the synchronization does not exist yet.",
			"Declare issue_types: those of the first end and what they are on the other.", planner.Refuse),
		finding(ruleWidens,
			"The new synchronization carries something that the original does not.",
			"A field, an issue type, comments or attachments are declared, and the original has none.",
			"Nothing, if that is meant. Otherwise take it out of the new synchronization.", planner.Note),
	}
}

// carryRules are the rules about the pairs that are carried over, and about what happens to the original.
func carryRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleBAC1449,
			"Comments on paired issues may be duplicated: comment and attachment ids change when a project moves to the "+
				"cloud, so the ids in the pairs go stale. The vendor names this as BAC-1449.",
			"The end that migrates has pairs with comments, and the new synchronization carries comments.",
			"Ask the vendor before the migration. Without comments = true the new synchronization carries none.",
			planner.Warn),
		finding(ruleCountersUnknown,
			"Whether messages are in flight cannot be told for some pairs: an end does not say how many messages it has "+
				"sent or applied.",
			"The files of synced issues leave the counters of pairs out.",
			"If you know that none is in flight, allow = [\"sequence\"] in the migration says so.",
			planner.Refuse, planner.Warn),
		finding(ruleDeleteAllow,
			"The plan deletes more halves of the original than the declaration allows.",
			"allow in delete_original is lower than the number of halves that are left.",
			"Read what is deleted, then set allow in delete_original to the number that the finding names.", planner.Refuse),
		finding(ruleHalfLeft,
			"One half of the original is gone already; only the other one is left to be deleted.",
			"An earlier run, or a person, has deleted the first half.",
			"Read which half is deleted. Nothing else is to be done.", planner.Warn),
		finding(ruleHalfPairs,
			"Comments and attachments know one of their two ids only: the end that wrote one keeps its own id.",
			"The pairs of an end have such comments or attachments.",
			"Nothing: they are carried over as they are. With complete_comments = true the merge fills in what the other "+
				"end's file knows.", planner.Note),
		finding(ruleInFlight,
			"Messages are on the way between the two ends. The migration continues only once there is none.",
			"The counters of the two ends differ, and no issue is in error.",
			"Wait. The step that checks it is verified again until no message is in flight.", planner.Warn),
		finding(ruleNoPairs,
			"Neither end has a pair, so there is nothing to carry over.",
			"Both files of synced issues are empty.",
			"Check that the right synchronization is declared as the original.", planner.Warn),
		finding(ruleOriginalKept,
			"The original stays, stopped, on both ends.",
			"The migration has no block delete_original.",
			"Nothing, or add delete_original once the new synchronization has proved itself.", planner.Note),
		finding(ruleUnmatchedPairs,
			"Pairs of one end have no mirror on the other, and the merge refuses them.",
			"An issue was paired on one end only, or an end has lost its half of a pair.",
			"If they are new, let the messages through and plan again. If one end has lost its half for good, "+
				"allow = [\"unmatched\"] in the migration carries them over all the same.", planner.Refuse, planner.Warn),
		finding(ruleVendorHelp,
			"The vendor's other guides have a step that its guide for this case leaves out: Backbone Cloud Migration "+
				"preparation, which translates ids that change in the cloud.",
			"Pairs are carried over to a cloud site.",
			"Ask the vendor whether it fits your case: help@k15t.com.", planner.Note),
		finding(ruleVendorSample,
			"The guide's merged example for this variant is not valid JSON, and its sentence names the wrong file.",
			"The slave's project is the one that migrates.",
			"Nothing: the merge writes what the example means, the master first and the slave second.", planner.Note),
	}
}

// permissions returns the checks of the merge that may fail if allow in a migration, or a flag of the merge, permits
// it.
func permissions() []planner.Rule {
	var out []planner.Rule
	for _, r := range syncinfo.Rules() {
		words := permissionWords[r]
		out = append(out, planner.Rule{ID: string(r), Kind: planner.KindPermission, Meaning: words[0],
			When: "The merge finds it in the files of synced issues, and refuses.",
			Do:   words[1] + " allow = [\"" + string(r) + "\"] in the migration, or " + r.Flag() + ", merges all the same."})
	}
	return out
}

// permissionWords holds for each check what it finds and what to do.
var permissionWords = map[syncinfo.Rule][2]string{
	syncinfo.Connectors: {"A file has entries of more than one connector, so it is of more than one synchronization.",
		"Download the synced issues of the one synchronization that is meant."},
	syncinfo.Doubled: {"A file has a pair twice.",
		"Download the file again. If it still has it, ask the vendor which of the two counts."},
	syncinfo.RepeatedAttachment: {"An entry has the id of an attachment twice.",
		"Download the file again. If it still has it, compare the attachments of that issue on both ends."},
	syncinfo.RepeatedComment: {"An entry has the id of a comment twice.",
		"Download the file again. If it still has it, compare the comments of that issue on both ends."},
	syncinfo.RepeatedID: {"A file has the id of an entry twice.",
		"Download the file again. If it still has it, ask the vendor which of the two counts."},
	syncinfo.SameFile: {"Both sides are the same file, or have the same content.",
		"Give the master's file as the master's and the slave's as the slave's."},
	syncinfo.SeqDiffer: {"The message numbers of the two sides disagree: something was in flight when a file was " +
		"downloaded.",
		"Let the messages through, stop both ends, and download both files again."},
	syncinfo.SharedIssue: {"An issue is in two different pairs.",
		"See on both ends which issue it belongs to, and have the other pair removed."},
	syncinfo.Swapped: {"Issue keys are not of the project that is given for their side: the two files may be exchanged.",
		"Exchange the files, or correct the projects."},
	syncinfo.Unmatched: {"A pair has no mirror on the other side.",
		"Let the messages through and download both files again; one end may have lost its half for good."},
}

// acceptances returns the names that accept in a migration may have: the parts that the new synchronization loses or
// changes.
func acceptances() []planner.Rule {
	var out []planner.Rule
	for _, part := range []struct{ id, what string }{
		{attachmentsPart, "Attachments are not synchronized any more, or it is unknown whether they were."},
		{commentsPart, "Comments are not synchronized any more, or it is unknown whether they were."},
		{directionPart, "Which way fields of the original are synchronized is unknown."},
		{fieldPart, "Which fields the original maps, and which way, is unknown, so the declared ones stand for themselves."},
		{fieldPart + ".NAME", "The field is not mapped any more, or otherwise or another way than before."},
		{first + jqlPart, "The filter of the first end is another one than before, or the former is unknown."},
		{issueTypesPart, "Which issue types the original maps is unknown, so the declared ones stand for themselves."},
		{issueTypesPart + ".NAME", "The issue type is not synchronized any more, or becomes another one than before."},
		{second + jqlPart, "The filter of the second end is another one than before, or the former is unknown."},
	} {
		out = append(out, planner.Rule{ID: part.id, Kind: planner.KindAcceptance, Meaning: part.what,
			When: "A finding backbone/narrows names it. It refuses where the original is to be deleted.",
			Do: "Declare it in the new synchronization as it was; or, if the change is meant, name it in accept = [...] " +
				"of the migration."})
	}
	return out
}
