package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// gone reports declarations that an earlier run has worked on and that are no longer in the files. Nothing is removed
// because a block is missing, but it is never ignored silently.
func gone(in Input) []Finding {
	var out []Finding
	removed := in.Config.WhatRemoved()
	for _, addr := range slices.Sorted(maps.Keys(in.Acted)) {
		a, err := schema.ParseAddr(addr)
		if err != nil || in.Config.Lookup(a) != nil || removed(addr) || in.Retired[addr] != "" {
			continue
		}
		f := Finding{Rule: RuleGone, Addr: addr, Severity: Note, Summary: fmt.Sprintf("it is no longer declared, and %s; "+
			"%s. If that is meant, say so with removed { from = %s }, or where it has another name now, with "+
			"moved { from, to }",
			"run "+in.Acted[addr]+" has done something for it, or may have", stays[a.Kind], addr)}
		if a.Kind == schema.Sync {
			f.Severity = Warn
		}
		out = append(out, f)
	}
	return out
}

// stays says what happens to the objects of a declaration that is no longer in the files, by its kind.
var stays = map[schema.Kind]string{
	schema.Server:    "what was set up on the server stays",
	schema.Keystore:  "the file stays where it is",
	schema.Sync:      "it goes on synchronizing, and nobody compares it with anything",
	schema.Migration: "what it has done stays done",
}

// moved renames the declarations in what is known of earlier runs to their present addresses.
func (in Input) moved() Input {
	if len(in.Config.Moves) == 0 {
		return in
	}
	where := in.Config.WhereMoved()
	confirmed := map[string]Confirmation{}
	for id, c := range in.Confirmed {
		if addr, op, ok := cutStepID(id); ok {
			id = StepID(where(addr), op)
		}
		if was, twice := confirmed[id]; !twice || cmp.Or(cmp.Compare(was.Run, c.Run), cmp.Compare(was.Seq, c.Seq)) < 0 {
			confirmed[id] = c
		}
	}
	in.Confirmed = confirmed
	byAddr := func(from map[string]string) map[string]string {
		out := map[string]string{}
		for addr, run := range from {
			addr = where(addr)
			if strings.Compare(out[addr], run) < 0 {
				out[addr] = run
			}
		}
		return out
	}
	in.Retired, in.Acted = byAddr(in.Retired), byAddr(in.Acted)
	return in
}
