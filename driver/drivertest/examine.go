package drivertest

import (
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// examineAll examines every server and keystore as a new process would, if the driver is a driver.Doctor. It checks
// that the results follow the comments of driver.Examination.
func (w *world) examineAll() map[schema.Addr][]driver.Examination {
	w.t.Helper()
	cfg, d := w.load()
	defer w.release(d)
	doctor, ok := d.(driver.Doctor)
	if !ok {
		return nil
	}
	all := map[schema.Addr][]driver.Examination{}
	for _, r := range cfg.Resources {
		if r.Addr.Kind != schema.Server && r.Addr.Kind != schema.Keystore {
			continue
		}
		var users []*schema.Resource
		for _, user := range cfg.Resources {
			if user.Referred(r.Addr) != nil {
				users = append(users, user)
			}
		}
		found := doctor.Examine(w.t.Context(), r, users)
		all[r.Addr] = found
		if len(found) == 0 {
			w.t.Errorf("the examination of %s finds nothing", r.Addr)
		}
		for _, x := range found {
			for _, problem := range examinationProblems(x, d.Rules()) {
				w.t.Errorf("the examination of %s: %s: %+v", r.Addr, problem, x)
			}
			w.clean("the examination of "+r.Addr.String(), x.What+x.Seen+x.Advice)
		}
	}
	return all
}

// examinationProblems returns what is wrong with an examination. rules are the driver's.
func examinationProblems(x driver.Examination, rules []planner.Rule) []string {
	var problems []string
	states := []driver.State{driver.OK, driver.Warn, driver.Fail, driver.Unknown}
	if !slices.Contains(states, x.State) {
		problems = append(problems, "unknown state")
	}
	if x.What == "" || x.Seen == "" {
		problems = append(problems, "it does not say what was examined, or what was seen")
	}
	explains := func(r planner.Rule) bool { return r.Kind == planner.KindExamination && r.Explains(x.What) }
	if x.What != "" && !slices.ContainsFunc(append(driver.Rules(), rules...), explains) {
		problems = append(problems, "no rule explains what is examined")
	}
	if (x.State == driver.OK) != (x.Advice == "") {
		problems = append(problems, "advice stands where something is not ok, and only there")
	}
	if strings.Contains(x.What+x.Seen+x.Advice, "\n") {
		problems = append(problems, "each text is one line")
	}
	return problems
}
