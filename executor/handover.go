package executor

import (
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// A run over several sites is a plan, and one journal for each site: a site writes to its own and to no other, and has
// copies of the others' as far as they were handed over. What the run's state is follows from all of them together.

// Handover says what one site hands over to the others. It travels with a Cargo and with the content of Files, each a
// part of its own, and is authentic together with them.
type Handover struct {
	From   string `json:"from"`   // the site that hands over, whose journal, observations and files these are
	Digest string `json:"digest"` // of the configuration, the same at all sites (schema.Config.Digest)

	// Run is the run's id, the same at all sites; "" where there is none yet: only observations are handed over.
	Run  string `json:"run,omitempty"`
	Plan string `json:"plan,omitempty"` // PlanHash of the run's plan

	Entries int    `json:"entries,omitempty"` // how many the site's own journal has
	Head    string `json:"head,omitempty"`    // the hash of the last one, in a chain without key

	// Files are those of the run that the site's own steps have written, with the hashes that its entries name.
	Files []FileInfo `json:"files,omitempty"`
}

// Cargo is what a Handover is about, but for the content of its files.
type Cargo struct {
	Observations *planner.Observations // of the sender's own servers; nil: none. Each says when it was made, and by whom

	Plan *planner.Plan // the run's; nil where there is no run

	// Origin is what the plan was made from; nil: not known. Whoever receives the plan makes it again from that.
	Origin *Origin

	// Chain is the whole journal of the sender, chained without a key (journal.Rechain), so that anybody can check it. A
	// receiver that has a part of it takes the rest.
	Chain []journal.Entry
}
