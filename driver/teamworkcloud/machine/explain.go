package machine

import "github.com/syncctl/syncctl/planner"

// RuleLoggedIn is the ID, after the product, of the finding about users who are logged in to a server whose services
// are to be stopped.
const RuleLoggedIn = "logged-in"

// Rules explains the findings about a maintenance window. Their IDs begin with product.
func Rules(product string) []planner.Rule {
	return []planner.Rule{
		planner.FindingRule(product+"/"+RuleLoggedIn,
			"Somebody is logged in to a server whose services are to be stopped, or the user may not see who is.",
			"The plan stops the services of a server.",
			"Nothing now: the services are stopped only once nobody else is logged in, or a person says so. With "+
				"allow_logged_in = true those who are logged in are cut off.", planner.Warn, planner.Note),
	}
}
