package offload

import (
	"context"
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// unused has a person confirm that no other model needs what is removed. The interface shows only what the newest
// revisions of main branches use, for resources that its user may read. It has no overview of other branches, older
// revisions and other servers.
var unused = driver.Verb[*Offloading]{Name: opUnused, Verify: (*Offloading).verifyUnused}

// usageMap is the application that shows usages (TWCloud2021x, Identifying suspicious usages).
const usageMap = "Resource Usage Map"

func (o *plan) unusedStep() planner.Step {
	var ids, names []string
	for _, r := range o.present {
		ids, names = append(ids, r.ID), append(names, joinPath(r.Path, r.Name))
	}
	server := o.server(atSource)
	step := planner.Person(opUnused, fmt.Sprintf("see that no other model on %s needs the %s that are removed",
		o.addr(atSource), wording.Plural(len(ids), "resource")), planner.Manual{
		Where: server.WebPage() + ", " + usageMap + ", or a modelling tool", Action: "check_usages",
		Do: []string{
			"Look which models use the resources named below, on any of their branches.",
			"Have those that are needed still use the copies on the target, or take the resources out of this migration.",
		},
		Values: []planner.Value{
			{Name: "server", Label: "Server", Value: server.URL.String()},
			{Name: "resources", Label: "Resources", Value: strings.Join(ids, ","), Shown: strings.Join(names, ", ")},
		},
		Attest: "no model that is still needed uses any of them",
	})
	step.Verb, step.Servers = unused.Name, []string{o.addr(atSource)}
	step.Because = "a model cannot be opened whole without the projects that it uses, and no interface shows all usages"
	return step
}

// verifyUnused reads again what the interface shows of it. That is never everything, so a person has to confirm it.
func (w *Offloading) verifyUnused(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	verified, err := verifiedHere(t)
	if err != nil || len(verified) == 0 {
		return executor.Verdict{State: executor.NotDone, Why: errNothingVerified.Error()}, err
	}
	var used *survey.Used
	err = survey.Gather(ctx, w.Observe.In(survey.Recent), func(v *survey.View) {
		used = v.UsedBy(w.sync().SourceServer(), verified.IDs())
	})
	if err != nil {
		return executor.Verdict{}, err
	}
	if w.sync().OverSites() { // other companies read it
		return executor.Unknown.Because("%s of this server use any of them, as far as it shows; of %d more it is unknown",
			wording.Plural(len(used.By), "other resource"), len(used.Unknown)), nil
	}
	return executor.Unknown.Because("%s", usedWords(used)), nil
}

// usedWords describes in one line what was read.
func usedWords(used *survey.Used) string {
	out := "no model says that it uses any of them"
	if len(used.By) > 0 {
		var all []string
		for _, u := range used.By {
			all = append(all, u.String())
		}
		out = strings.Join(wording.FirstTen(all), "; ")
	}
	if len(used.Unknown) > 0 {
		out += "; it is unknown what is used by " + wording.List(used.Unknown)
	}
	return out
}

// used adds the finding about models that use what is removed.
func (o *plan) used() {
	used := o.facts.Used
	if used == nil {
		return
	}
	grade := planner.Note
	if len(used.By)+len(used.Unknown) > 0 {
		grade = planner.Warn
	}
	o.find(ruleUsed, grade, opUnused, usedWords(used),
		"Looked at: what the newest revision of each resource's main branch uses, on "+o.addr(atSource)+
			", as far as its user sees it. Other branches and older revisions may use more, so a person says that all is well.")
}
