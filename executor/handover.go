package executor

import (
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// A run over several sites consists of a plan and one journal for each site. A site writes only to its own journal,
// and has copies of the others as far as they were handed over. All journals together give the state of the run.

// Handover describes what one site sends to the others. It is sent with a Cargo and the content of Files, each as a
// separate part, and authenticated together with them.
type Handover struct {
	From   string `json:"from"`   // the site that sends; journal, observations and files are its own
	Digest string `json:"digest"` // of the configuration, the same at all sites (schema.Config.Digest)

	// Run is the run's ID, the same at all sites. It is "" if there is no run yet and only observations are sent.
	Run  string `json:"run,omitempty"`
	Plan string `json:"plan,omitempty"` // the hash of the run's plan

	Entries int    `json:"entries,omitempty"` // how many entries the site's own journal has
	Head    string `json:"head,omitempty"`    // the hash of the last one, in a chain without a key

	// Files are the files that the site's own steps have written and other sites' steps read, with the hashes in the
	// journal.
	Files []FileInfo `json:"files,omitempty"`
}

// Cargo is the content of a Handover, except for the content of its files.
type Cargo struct {
	Observations *planner.Observations // of the sender's own servers; may be nil

	Plan *planner.Plan // the run's plan; nil if there is no run

	// Origin is what the plan was made from, so that the receiver can make the plan again. It is nil if unknown.
	Origin *Origin

	// Chain is the whole journal of the sender, chained without a key (journal.Rechain) so that anybody can check it. A
	// receiver that already has the beginning takes the rest.
	Chain []journal.Entry
}
