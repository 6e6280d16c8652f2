package executor

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/syncctl/syncctl/journal"
)

// checkPlan checks that the plan is the one that the handover names, and that the sender takes part in it.
func (in *Incoming) checkPlan() error {
	p := in.cargo.Plan
	switch {
	case !isRunID(in.Run):
		return errors.New("the id of its run does not have the form of one")
	case madeAt(in.Run).Sub(in.store.Now()) > mostAhead: // it would hide all later runs
		return fmt.Errorf("its run %s was made in the future: compare the clocks of both sites", in.Run)
	case p == nil:
		return fmt.Errorf("it is of run %s, and has no plan", in.Run)
	case p.SiteOf(in.From) == nil:
		return fmt.Errorf("its plan has no part for site %q, from which it comes", in.From)
	}
	hash, err := p.Hash()
	if err != nil {
		return err
	}
	if hash != in.Plan || p.Digest != in.Digest {
		return errors.New("its plan is not the one that it names")
	}
	return nil
}

// checkChain checks that the chain is the sender's own, continues what is known here, and does not know more of this
// site than there is.
func (in *Incoming) checkChain() error {
	chain := in.cargo.Chain
	if len(chain) != in.Entries || head(chain) != in.Head {
		return errors.New("its journal is not the one that it names")
	}
	checked, err := journal.Rechain(chain, nil)
	if err != nil {
		return err
	}
	in.sites = map[string]string{}
	for i := range in.cargo.Plan.Steps {
		in.sites[in.cargo.Plan.Steps[i].ID] = in.cargo.Plan.Steps[i].Site
	}
	for i, e := range checked {
		if e.Hash != chain[i].Hash || e.Seq != i+1 {
			return fmt.Errorf("entry %d of its journal was changed, or one before it is missing", i+1)
		}
		if err := in.checkEntry(e); err != nil {
			return fmt.Errorf("entry %d of its journal cannot be taken: %w", i+1, err)
		}
	}
	if in.run == nil {
		return in.checkOrder()
	}
	if in.run.Damage != nil {
		return fmt.Errorf("run %s is damaged here: %w", in.run.ID, in.run.Damage)
	}
	hash, err := in.run.Plan.Hash()
	if err != nil {
		return err
	}
	if hash != in.Plan {
		return fmt.Errorf("it is of another plan than run %s has here: its plan is %s, and here it is %s", in.Run, in.Plan,
			hash)
	}
	if err := in.checkFork(chain); err != nil {
		return err
	}
	if err := in.checkReceipts(); err != nil {
		return err
	}
	return in.checkOrder()
}

// checkOrder checks that the journals of all sites, including the chain, can be put in one order. Otherwise completed
// steps, also of this site, would count as not begun.
func (in *Incoming) checkOrder() error {
	_, err := Union("", in.chains()) // what is not recorded as received counts too
	return err
}

// chains returns the journals of all sites, including the chain.
func (in *Incoming) chains() map[string][]journal.Entry {
	chains := map[string][]journal.Entry{}
	if in.run != nil {
		maps.Copy(chains, in.run.Chains)
	}
	if len(in.cargo.Chain) > len(chains[in.From]) {
		chains[in.From] = in.cargo.Chain
	}
	return chains
}

// checkReceipts checks that a site has not sent one journal to here and another one to a third site: what that has
// received, as far as it is here, must be the same. What a site has received from here is checked by checkKnown.
func (in *Incoming) checkReceipts() error {
	chains, plain := in.chains(), map[string][]journal.Entry{}
	for _, by := range slices.Sorted(maps.Keys(chains)) {
		for _, e := range chains[by] {
			got, ok := receivedOf(e)
			if !ok || by == in.store.Site || got.Site == in.store.Site || got.Entries > len(chains[got.Site]) {
				continue
			}
			if plain[got.Site] == nil {
				chain, err := journal.Rechain(chains[got.Site], nil)
				if err != nil {
					return err
				}
				plain[got.Site] = chain
			}
			if head(plain[got.Site][:got.Entries]) != got.Head {
				return fmt.Errorf("site %q says that it has received another journal of site %q of run %s than is here, up to "+
					"entry %d: one of the two does not say what is so, or the folder of site %[2]q was restored or copied. Nothing "+
					"of this run can be relied on any more. Ask both, abandon it at all sites (syncctl resolve -abandon), and "+
					"plan again", by, got.Site, in.Run, got.Entries)
			}
		}
	}
	return nil
}

// checkFork checks that one of the known journal and the received chain is the beginning of the other.
func (in *Incoming) checkFork(chain []journal.Entry) error {
	had, err := journal.Rechain(in.run.Chains[in.From], nil)
	if err != nil {
		return err
	}
	for i := range min(len(had), len(chain)) {
		if a, b := had[i], chain[i]; a.Hash != b.Hash {
			return fmt.Errorf("site %q has written two journals of run %s: entry %d was %s %s at %s when it was received "+
				"before, and is now %s %s at %s. Its folder was restored or copied: nothing of this run can be relied on any "+
				"more. Abandon it at both sites (syncctl resolve -abandon), and plan again", in.From, in.Run, a.Seq, a.Event,
				a.Key, stamp(a), b.Event, b.Key, stamp(b))
		}
	}
	return nil
}

// checkEntry checks that an entry is about the run or about a step of the sender, and may occur in its journal.
func (in *Incoming) checkEntry(e journal.Entry) error {
	if e.Key != RunKey {
		if in.sites[e.Key] != in.From {
			return fmt.Errorf("%s is not a step of site %q", e.Key, in.From)
		}
		switch e.Event {
		case EventOpened, EventFinished, EventAbandoned, EventRevised, EventApproved, EventReceived:
			return fmt.Errorf("%q is said of a run, and this says it of the step %s", e.Event, e.Key)
		}
		return nil
	}
	if own := e.Data[dataOwn]; own != "" && own != in.From {
		return fmt.Errorf("it was written by site %q", own)
	}
	switch e.Event {
	case EventRevised:
		return errors.New("a plan over sites cannot be revised")
	case EventApproved:
		if e.Data[dataPlan] != in.Plan {
			return fmt.Errorf("it approves another plan, %s", e.Data[dataPlan])
		}
	case EventReceived:
		r, ok := receivedOf(e)
		if !ok {
			return errors.New("it does not say what was received")
		}
		switch {
		case r.Site == in.From:
			return errors.New("it says that the site has received its own journal")
		case in.cargo.Plan.SiteOf(r.Site) == nil:
			return fmt.Errorf("it was received from site %q, which has no part in the plan", r.Site)
		case r.Site == in.store.Site:
			return in.checkKnown(r)
		}
	}
	return nil
}

// checkKnown checks that what the sender has received from this site is what this site has written.
func (in *Incoming) checkKnown(r ReceivedData) error {
	if in.own == nil && in.run != nil {
		plain, err := journal.Rechain(in.run.Chains[in.store.Site], nil)
		if err != nil {
			return err
		}
		in.own = plain
	}
	own := in.own
	if r.Entries > len(own) {
		return fmt.Errorf("site %q has %d entries of this site's journal of run %s, and here are %d: this folder was "+
			"restored from an older state, and what was done since is not known here. Restore the newest state, or abandon "+
			"the run at both sites (syncctl resolve -abandon)", in.From, r.Entries, in.Run, len(own))
	}
	if head(own[:r.Entries]) != r.Head {
		return fmt.Errorf("site %q has received another journal of this site than there is here, from entry %d or before: "+
			"this folder was restored or copied. Abandon the run at both sites (syncctl resolve -abandon)", in.From,
			r.Entries)
	}
	return nil
}

func stamp(e journal.Entry) string { return e.Time.UTC().Format("2006-01-02T15:04:05Z") }
