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

// What a site sends about its servers comes back to it with the plan that was made from it. The site authenticates it
// with a key that nobody else has. So it can recognize it later without keeping a copy of everything it ever sent.

// Vouch sets the MAC of each observation: the holder of the key has made it, of a server that is declared as in cfg.
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

// mark returns the MAC of an observation. It also covers the server's declaration.
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

// CheckOrigin checks observations that came with another site's plan against what is known here.
//
// Observations of this site's own servers must have a valid MAC made with key. They must also belong together: a
// planner accepts none that is older than max_age, so none may be older than the newest by more than that.
//
// Observations of a third site must be equal to those it has sent here (sent holds them by site). If it has not sent
// that one, it must take part in the plan: then it checks its own observations itself.
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
		case from:
			continue // nobody else can check it
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

// oldest returns the earliest time at which an observation of this site may have been made to belong to the newest.
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

// same reports whether o holds the same observation as x. known is true if o holds one made at the same time.
func (o *Observations) same(n Need, x *observed) (same, known bool) {
	if o == nil || o.made[n] == nil || !o.made[n].at.Equal(x.at) {
		return false, false
	}
	a, errA := o.made[n].line(n, "")
	b, errB := x.line(n, "")
	return errA == nil && errB == nil && bytes.Equal(a, b), true
}
