package planner

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/syncctl/syncctl/schema"
)

// What a site sends of its servers comes back to it with the plan that was made from it. The site itself vouches for it
// with a key that nobody else has, so that it can tell then whether it has sent it, and keeps no copy of all it ever
// sent.

// Vouch puts onto each observation that the holder of the key has made it, of its server as cfg declares it.
func (o *Observations) Vouch(cfg *schema.Config, key []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, x := range o.made {
		mac, err := x.mark(n, cfg, key)
		if err != nil {
			return fmt.Errorf("vouching for the observation %s: %w", n, err)
		}
		x.mac = hex.EncodeToString(mac)
	}
	return nil
}

// mark is what vouches for an observation: also for what its server was declared to be when it was made.
func (x *observed) mark(n Need, cfg *schema.Config, key []byte) ([]byte, error) {
	line, err := x.line(n, "")
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(line)
	if addr, err := schema.ParseAddr(n.Server); err == nil {
		if r := cfg.Lookup(addr); r != nil {
			args := r.Arguments()
			for _, name := range slices.Sorted(maps.Keys(args)) {
				fmt.Fprintf(mac, "%q %s\n", name, args[name])
			}
		}
	}
	return mac.Sum(nil), nil
}

// CheckOrigin holds observations that came with a plan of another site against what is known here. Those of the own
// site's servers are the ones for which it has vouched with the key, and belong together: who plans takes none that is
// older than max_age, so that none is older by more than that than the newest. Those of a third site are what it has
// sent here, or that site takes part in the plan, and holds its own against what it has sent. sent is that, by site.
func (o *Observations) CheckOrigin(cfg *schema.Config, p *Plan, from string, key []byte, sent map[string]*Observations,
) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest := o.oldest(cfg)
	for _, n := range o.needs() {
		x := o.made[n]
		addr, err := schema.ParseAddr(n.Server)
		r := cfg.Lookup(addr)
		if err != nil || r == nil {
			return fmt.Errorf("it was made from %s, which is not declared", n)
		}
		switch r.Site {
		case "", from:
			continue // of the first, everybody may have a look; of the second, nobody else
		case cfg.Site:
			mac, err := hex.DecodeString(x.mac)
			want, bad := x.mark(n, cfg, key)
			if err != nil || bad != nil || !hmac.Equal(mac, want) {
				return fmt.Errorf("it was made from %s, as this site has not sent it", n)
			}
			if x.at.Before(oldest) {
				return fmt.Errorf("it was made from %s of %s, and from other observations that this site sent after that was "+
					"too old", n, x.at.UTC().Format(time.RFC3339))
			}
			continue
		}
		same, known := sent[r.Site].same(n, x)
		if !same && (known || p.SiteOf(r.Site) == nil) {
			return fmt.Errorf("it was made from %s, and site %q has not sent that here: have it send a bundle to here too", n,
				r.Site)
		}
	}
	return nil
}

// oldest is the earliest time of an observation of the own site's servers that belongs together with the newest.
func (o *Observations) oldest(cfg *schema.Config) time.Time {
	var newest time.Time
	for n, x := range o.made {
		addr, err := schema.ParseAddr(n.Server)
		if r := cfg.Lookup(addr); err == nil && r != nil && r.Site == cfg.Site && x.at.After(newest) {
			newest = x.at
		}
	}
	for _, s := range cfg.Settings.Sites {
		if s.Name == cfg.Site {
			return newest.Add(-s.MaxAge)
		}
	}
	return time.Time{}
}

// same tells whether an observation is among o as it is in x. known: one that was made at that time is.
func (o *Observations) same(n Need, x *observed) (same, known bool) {
	if o == nil || o.made[n] == nil || !o.made[n].at.Equal(x.at) {
		return false, false
	}
	a, errA := o.made[n].line(n, "")
	b, errB := x.line(n, "")
	return errA == nil && errB == nil && bytes.Equal(a, b), true
}
