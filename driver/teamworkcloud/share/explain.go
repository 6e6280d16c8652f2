package share

import "github.com/syncctl/syncctl/planner"

// The IDs of findings, after the product. Rules explains each of them.
const (
	RuleNotFound    = "not-found"
	RuleReconfigure = "reconfigure"
	RuleTLSVersion  = "tls-version"

	ruleBehind            = "behind"
	ruleCategoryMissing   = "category-missing"
	ruleDrift             = "drift"
	ruleHolds             = "holds"
	ruleLeftCategory      = "left-category"
	ruleLeftConfiguration = "left-configuration"
	ruleLoginPort         = "login-port"
	ruleMajor             = "major"
	ruleMajorExpected     = "major-expected"
	ruleMultiHop          = "multi-hop"
	ruleNoUpstream        = "no-upstream"
	ruleNotACopy          = "not-a-copy"
	ruleOneDirection      = "one-direction"
	ruleReadable          = "readable"
	ruleRemovedMarked     = "removed-marked"
	ruleRole              = "role"
	ruleSourceUser        = "source-user"
	ruleSyncVersion       = "sync-version"
	ruleTLSExisting       = "tls-existing"
	ruleTLSUnproven       = "tls-unproven"
	ruleTaken             = "taken"
	ruleTargetCategory    = "target-category"
	ruleTwice             = "twice"
	ruleUnknownHistory    = "unknown-history"
	ruleUnknownProject    = "unknown-project"
	ruleVersionUnreadable = "version-unreadable"
	ruleWaiting           = "waiting"
	ruleWaitsUpstream     = "waits-upstream"
)

// Rules explains the findings about a synchronization.
func Rules() []planner.Rule {
	return append(append(endRules(), selectionRules()...), progressRules()...)
}

func finding(rule, meaning, when, do string, severities ...planner.Severity) planner.Rule {
	return planner.FindingRule(product+"/"+rule, meaning, when, do, severities...)
}

// endRules are about the two servers, and how one connects to the other.
func endRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleLoginPort,
			"The target would log in to the source at a port that does not fit: the source has another one, or one for the "+
				"other kind of clients.",
			"The port in sync_address, or the target's own where none is given, is compared with the ports of the source.",
			"Write sync_address = \"HOST:PORT\" with the source's port for encrypted clients, or for those without "+
				"encryption and tls = false. If a firewall translates the port, a warning can be ignored.",
			planner.Refuse, planner.Warn),
		finding(ruleMajor,
			"Source and target are not of one major version, and resources are synchronized between such servers only. "+
				"Refreshes and hot fixes may differ.",
			"The two servers report different major versions.",
			"Update one of the two first.", planner.Refuse),
		finding(ruleMajorExpected,
			"A server is of another major version than its declaration expects: it was updated, or it is another server.",
			"expect { major } is declared, and the server reports another version.",
			"Change expect { major } if the server has been updated, or the url if it is another server.", planner.Refuse),
		finding(ruleMultiHop,
			"A copy can be synchronized further from 2022x Refresh2 on, and a server of the chain is older.",
			"The resources come to the source by another synchronization.",
			"Update the server first, or synchronize from where the resources come from.", planner.Refuse),
		finding(ruleNoUpstream,
			"Another declared synchronization brings the resources to the source, and nothing says that it comes first.",
			"A declaration brings resources to the source that this one synchronizes further, and upstream is not declared.",
			"Write upstream = with the address that the finding names, so that this one is planned and verified after it.",
			planner.Warn),
		finding(ruleSourceUser,
			"A remote resource configuration logs in to the source with a user name and password, and the user is unknown.",
			"The source is declared with a token alone, and does not say whose it is.",
			"Write user beside the token.", planner.Refuse),
		finding(ruleSyncVersion,
			"The server is older than 2021x Refresh2 and has no synchronization of resources yet.",
			"A server of the synchronization reports such a version.",
			"Update the server first.", planner.Refuse),
		finding(ruleTLSExisting,
			"There are configurations from before, and no page of the release says whether they follow the settings.",
			"Encryption is declared for a target of an older release that has configurations already.",
			"Where a configuration's status on the page is an Error afterwards, it has to be created again, for which Data "+
				"Manager removes the copies first.", planner.Warn),
		finding(ruleTLSUnproven,
			"The synchronization is encrypted, and the source's certificate is not verified by syncctl.",
			"The source declares no sync_tls.",
			"Declare sync_tls, so that no synchronization is set up before a handshake has shown the certificate.",
			planner.Note),
		finding(RuleTLSVersion,
			"The server is too old to synchronize encrypted, or no page of the vendor says how its release does it.",
			"tls, sync_tls or the port in sync_address ask for encryption.",
			"Update the server, or do without encryption. recipe = \"seed\" in sync_tls follows the oldest page, which names "+
				"no version.", planner.Refuse),
		finding(ruleVersionUnreadable,
			"The version of a server cannot be made out. What depends on the refresh is taken as in new releases.",
			"The server's answer has a version of an unknown form.",
			"Compare the versions of the two servers yourself.", planner.Warn),
	}
}

// selectionRules are about what is selected, and what prevents it on the target.
func selectionRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleHolds,
			"What a category holds now. What is put into it later comes too.",
			"A category is selected, and its configuration is to be made.",
			"Read the list: all of it is synchronized.", planner.Note),
		finding(ruleNotACopy,
			"A resource on the target has the id of the source's, and another history, so it is not a copy of it.",
			"The revisions of the two differ: it may have been edited on the target.",
			"Remove or rename one of the two. Where a server changes what it copies in a field, leave that field out of "+
				"verify { compare }.", planner.Refuse),
		finding(RuleNotFound,
			"What is selected is not on the server.",
			"No category or resource has the declared name, path or id. In an offload that has moved something, it is only "+
				"noted.",
			"Write its name, its name with the category path, or its id. If an offload has reached its end, take the block "+
				"out.", planner.Refuse, planner.Note),
		finding(ruleOneDirection,
			"A resource would come back to the server that it comes from. It is synchronized in one direction, and a copy "+
				"cannot be edited.",
			"The declarations form a circle.",
			"Take the resource out of one of the declarations.", planner.Refuse),
		finding(ruleReadable,
			"The user of the source may not read something that is selected, and a configuration brings only what its user "+
				"may read.",
			"The server refuses it, or shows fewer resources of a category than there are.",
			"Give the user Read Resources on it, for instance with the role Resource Reviewer on the category.",
			planner.Refuse),
		finding(ruleRemovedMarked,
			"What is selected is marked as deleted on the source, and is not synchronized.",
			"A resource that is selected, or that is in a selected category, is marked as deleted.",
			"Restore it on the source, or take it out of the declaration. A copy that the target has stays as it is.",
			planner.Refuse, planner.Warn, planner.Note),
		finding(ruleTaken,
			"The target has another resource with the same project id, resource id or name, which must be unique there, also "+
				"among what is marked as deleted.",
			"The target, or the selection itself, has two such resources.",
			"Rename or remove one of the two. What is marked as deleted is removed for good with Data Manager.",
			planner.Refuse),
		finding(ruleTwice,
			"A resource would be brought to the target by two configurations, and two cannot keep one resource.",
			"Two declarations, or two elements of one, select it. A category brings all that is in it.",
			"Take it out of one of them.", planner.Refuse),
		finding(ruleUnknownHistory,
			"A resource and its copy cannot be compared completely, because a server does not give a part of the history.",
			"A part that verify { compare } names is missing in the server's answers. Nothing is removed on that.",
			"To accept the copies without comparing that part, leave it out of verify { compare } of the synchronization.",
			planner.Warn, planner.Refuse).NotCompared(),
		finding(ruleUnknownProject,
			"The source does not give the project id of some resources, so it is unknown whether the target has another "+
				"resource with the same. Their names were compared.",
			"The server's answers lack the project id.",
			"Look for the project ids on the target if you are in doubt.", planner.Note),
		finding(ruleWaitsUpstream,
			"What is selected is not on the source yet: another synchronization brings it there.",
			"The upstream synchronization has not brought it yet.",
			"Let the upstream synchronization run, then plan again: it is configured by the first plan after that.",
			planner.Warn),
	}
}

// progressRules are about the target's category, and about what has arrived there.
func progressRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleBehind,
			"The target has not everything that has come to the source, although it should have by now.",
			"The configuration synchronizes with each commit or tag, and revisions are missing on the target.",
			"See the list of configurations on the page: the reason of an Error is in its tooltip.", planner.Warn),
		finding(ruleCategoryMissing,
			"The target category does not exist and is created.",
			"target_category names a path that the target does not have.",
			"Nothing, if the path is spelled as meant.", planner.Note),
		finding(ruleDrift,
			"A copy has another name or category than it gets from the source.",
			"Somebody has renamed or moved it on the target, or on the source since the last synchronization.",
			"Nothing: the next synchronization brings it back.", planner.Warn),
		finding(ruleLeftCategory,
			"A resource has left the selected category and is not synchronized any more. Its copy stays.",
			"It was moved to another category on the source.",
			"Select it by itself, or remove the copy.", planner.Warn),
		finding(ruleLeftConfiguration,
			"An earlier run had a person configure something that is neither declared nor on the source any more.",
			"The record of a run says so, and it is unknown whether the configuration still exists.",
			"See the step in the report of that run, and delete the configuration on the page if it is still there.",
			planner.Warn),
		finding(RuleReconfigure,
			"A configuration cannot be created again while the copies exist: before 2024x Refresh1 a deleted one leaves a "+
				"record behind that stands in the way.",
			"A configuration is to be replaced, or was removed before all had come, on such a server.",
			"Delete it on the page, remove the copies on the target with Data Manager (-dr), and plan again; or declare "+
				"what there is.", planner.Refuse),
		finding(ruleRole,
			"The user of the target needs a role on the target category to create configurations there.",
			"The role is given by the plan, cannot be read, or is missing and the user may not give it.",
			"Have somebody with the permission Manage User Permissions give it.", planner.Refuse, planner.Note),
		finding(ruleTargetCategory,
			"The path of the target category cannot be used.",
			"target_category is ambiguous or not the path of a category.",
			"Write the path of the category; a missing path is created.", planner.Refuse),
		finding(ruleWaiting,
			"Resources wait for what starts their synchronization.",
			"trigger is a tag that no new commit has, or a person's click.",
			"Tag a commit, or press Synchronize on the page, when they are to be brought.", planner.Note),
	}
}
