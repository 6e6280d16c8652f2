package offload

import "github.com/syncctl/syncctl/planner"

// The IDs of findings, after the product. Rules explains each of them.
const (
	ruleAsDocumented       = "as-documented"
	ruleConfigurationStays = "configuration-stays"
	ruleLocked             = "locked"
	ruleMakeEditable       = "make-editable"
	ruleMarkedStays        = "marked-stays"
	ruleNoHost             = "no-host"
	ruleOddID              = "odd-id"
	ruleOffloadComing      = "offload-coming"
	ruleOffloadCopy        = "offload-copy"
	ruleOffloadMarked      = "offload-marked"
	ruleOffloadRead        = "offload-read"
	ruleReactivateSynced   = "reactivate-synced"
	ruleReactivated        = "reactivated"
	ruleRecordStays        = "record-stays"
	ruleRemoveAllow        = "remove-allow"
	ruleSpace              = "space"
	ruleSyncGone           = "sync-gone"
	ruleTogether           = "together"
	ruleUsed               = "used"
	ruleWhose              = "whose"
)

func finding(rule, meaning, when, do string, severities ...planner.Severity) planner.Rule {
	return planner.FindingRule(product+"/"+rule, meaning, when, do, severities...)
}

// Rules explains the findings about an offload.
func Rules() []planner.Rule { return append(removingRules(), afterwardsRules()...) }

// removingRules are about what is removed from the source.
func removingRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleLocked,
			"There are locks on resources that are to be removed: their owners have not committed.",
			"The source shows locks on such a resource.",
			"Have their owners commit and release them: the run continues only once there are no locks.", planner.Warn),
		finding(ruleMarkedStays,
			"What is marked as deleted in a selected category is not synchronized, and stays on the source.",
			"The category has resources that are marked as deleted.",
			"Nothing. datamanager -drd, which removes all that is marked, is never used.", planner.Note),
		finding(ruleOffloadComing,
			"Resources that are to be offloaded have not come to the source yet.",
			"Another synchronization is to bring them there.",
			"Plan again once they have come.", planner.Refuse),
		finding(ruleOffloadCopy,
			"What is to be removed are copies that another synchronization brings there. Data Manager would remove its "+
				"configuration with them.",
			"A declared synchronization has the source of the offload as its target.",
			"Remove them where they come from, or take them out of that synchronization first.", planner.Refuse),
		finding(ruleOffloadMarked,
			"A resource is marked as deleted on the source. It is not synchronized, so its copy cannot be verified.",
			"The declaration selects such a resource.",
			"Restore it, or take it out of the declaration.", planner.Refuse),
		finding(ruleOffloadRead,
			"Another synchronization reads what is to be removed, and would lose it.",
			"A declared synchronization has it as its source.",
			"Take it out of that synchronization first, or set its state to removed.", planner.Refuse),
		finding(ruleRemoveAllow,
			"The plan removes more resources from the source than the declaration allows.",
			"allow in remove_from_source is lower than the number of resources.",
			"Read what is removed, then set allow in remove_from_source to the number that the finding names.",
			planner.Refuse),
		finding(ruleSpace,
			"The database gives its disk space back only when it is compacted.",
			"Resources are removed from the source.",
			"Nothing: Cassandra does so in time. nodetool compact does it at once.", planner.Note),
		finding(ruleUsed,
			"Which models on the source use what is removed, as far as can be seen: the newest revision of each main "+
				"branch.",
			"Resources are removed from the source.",
			"See that nobody needs them. A person says so in a step of the plan: other branches and older revisions may use "+
				"more.", planner.Warn, planner.Note),
		finding(ruleWhose,
			"Whose the resources are that are removed from the source: by whom their newest revisions are.",
			"Resources are removed from the source.",
			"Ask these people before you apply the plan.", planner.Warn),
	}
}

// afterwardsRules are about configurations, the services, and the target.
func afterwardsRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleAsDocumented,
			"The configurations exist while their source disappears, and what they do then is not documented.",
			"order = \"as_documented\" removes the resources before the configurations.",
			"Write order = \"verified\" to have the configurations removed before.", planner.Warn),
		finding(ruleConfigurationStays,
			"The remote resource configurations stay, with nothing on the source that they could bring.",
			"Resources are removed from the source, and remove_configuration is not true.",
			"Write remove_configuration = true to have them removed before.", planner.Warn),
		finding(ruleMakeEditable,
			"The server has a button Make editable in its Resources application, which needs no stop. It has no documented "+
				"interface.",
			"reactivate is declared, and the target is of 2026x Refresh2 or later.",
			"To use it, leave reactivate out and press the button.", planner.Note),
		finding(ruleNoHost,
			"The server has no host block, so a person works at its machine, with the lines of the plan.",
			"Services are to be stopped, or Data Manager is to be run, on that machine.",
			"Declare host to have syncctl run them, and compare what Data Manager lists.", planner.Note),
		finding(ruleOddID,
			"A server has a resource whose id could be something else on a command line, such as an option.",
			"Data Manager is to be run with that id, by syncctl or by a person.",
			"Find out what answers there: Teamwork Cloud gives ids of hexadecimal digits.", planner.Refuse),
		finding(ruleReactivateSynced,
			"A synchronization still brings resources to the target, so their read-only flag must stay: without it, the next "+
				"run leads to inconsistent versions.",
			"reactivate is declared, and another declaration or configuration brings them.",
			"Take them out of that synchronization first.", planner.Refuse),
		finding(ruleReactivated,
			"Which resources can be edited on the target afterwards.",
			"reactivate is declared. It is a warning where something counts as moved only because it is in the target "+
				"category.",
			"Read the list. Take what is not meant out of the target category first.", planner.Note, planner.Warn),
		finding(ruleRecordStays,
			"The target keeps a record of a deleted configuration: before 2024x Refresh1 the same resource can be configured "+
				"again only once Data Manager has removed its copy.",
			"Configurations are removed from such a server.",
			"Nothing, unless the same resource is to be synchronized again.", planner.Note),
		finding(ruleSyncGone,
			"The synchronization is not declared any more, so nothing says what is to be offloaded.",
			"sync names a declaration that is gone.",
			"Remove the block of the offload too.", planner.Note),
		finding(ruleTogether,
			"Two offloads may stop and start the services of one server at the same time.",
			"Another declared offload works on the same server, and neither depends on the other.",
			"Write depends_on in one of the two, so that one follows the other.", planner.Warn),
	}
}
