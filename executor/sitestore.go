package executor

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
)

// sitesName is the folder of other sites' journals inside a run, and of other sites' observations next to the runs.
const sitesName = "sites"

// chainSuffix is the suffix of the file with another site's journal.
const chainSuffix = ".jsonl"

// siteKey returns the key for the copy of another site's journal.
func siteKey(key []byte, site string) []byte {
	if key == nil {
		return nil
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("site " + site))
	return mac.Sum(nil)
}

func (r *Run) chainPath(site string) string { return filepath.Join(r.Dir, sitesName, site+chainSuffix) }

// loadSites reads the journals of a run's other sites, and merges all into the run's entries. damage says what is
// wrong with their content; err means that they could not be read, or that the run belongs to another site's folder.
func (s *Store) loadSites(r *Run, key []byte) (damage, err error) {
	if len(r.Plan.Sites) == 0 {
		return nil, nil
	}
	if r.Site = ownSite(r.Entries); r.Site == "" {
		r.Site = s.Site
	}
	if s.Site != "" && r.Site != s.Site {
		return nil, fmt.Errorf("this folder has the part of site %q in run %s, and -site is %q: each site has a folder of "+
			"its own", r.Site, r.ID, s.Site)
	}
	r.Chains = map[string][]journal.Entry{}
	for _, site := range r.Plan.Sites {
		if site.Name == r.Site {
			continue
		}
		entries, err := journal.Read(s.Fs, r.chainPath(site.Name), siteKey(key, site.Name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, journal.ErrBroken):
			damage = errors.Join(damage, fmt.Errorf("what was received of site %q is damaged: %w", site.Name, err))
		case err != nil:
			return nil, err
		}
		r.Chains[site.Name] = entries
	}
	if r.Site != "" {
		r.Chains[r.Site] = r.Entries
		if damage == nil {
			damage = r.fitTogether()
		}
	}
	if err := r.unite(); err != nil {
		damage = errors.Join(damage, err)
	}
	return damage, nil
}

// unite merges the journals of all sites into the run's entries.
func (r *Run) unite() (err error) {
	r.Entries, err = Union(r.Site, r.Chains)
	return err
}

// ownSite returns the site whose journal the entries come from, or "" if they do not say it.
func ownSite(own []journal.Entry) string {
	for _, e := range own {
		if e.Key == RunKey && e.Data[dataOwn] != "" {
			return e.Data[dataOwn]
		}
	}
	return ""
}

// united is a journal for a run over sites: it writes to this site's journal and shows the entries of all.
type united struct {
	*journal.Journal

	site   string
	others map[string][]journal.Entry // the other sites' journals as they are here, also what is not recorded as received
	knows  map[string]int

	mu      sync.Mutex
	own     int // how many of the own entries are in entries
	entries []journal.Entry
}

// United returns the run's journal with the entries of all sites, for Carry. j is this site's journal, as opened now.
func (r *Run) United(j *journal.Journal) Journal {
	if len(r.Plan.Sites) == 0 {
		return j
	}
	own := j.Entries()
	u := &united{Journal: j, site: r.Site, others: r.Chains, own: len(own)}
	u.entries, _ = Union(r.Site, u.chains(own)) // with an error, the run is damaged and not carried out
	for _, e := range own {
		if got, ok := receivedOf(e); ok {
			next := map[string]int{}
			for site, n := range u.knows {
				next[site] = n
			}
			next[got.Site] = max(next[got.Site], got.Entries)
			u.knows = next
		}
	}
	return u
}

// Entries returns the known entries of all sites, followed by those that this process has written.
func (u *united) Entries() []journal.Entry {
	own := u.Journal.Entries()
	u.mu.Lock()
	defer u.mu.Unlock()
	for ; u.own < len(own); u.own++ {
		e := own[u.own]
		e.Site, e.Own, e.Knows, e.Seq = u.site, e.Seq, u.knows, len(u.entries)+1
		u.entries = append(u.entries, e)
	}
	return u.entries[:len(u.entries):len(u.entries)]
}

// chains returns the journals of all sites; own is this site's.
func (u *united) chains(own []journal.Entry) map[string][]journal.Entry {
	out := map[string][]journal.Entry{}
	maps.Copy(out, u.others)
	out[u.site] = own
	return out
}

// chainsOf returns the sites' journals as they are here. It returns nil if the run is not over sites, or if they are
// unknown.
func chainsOf(j Journal) map[string][]journal.Entry {
	u, ok := j.(*united)
	if !ok {
		return nil
	}
	return u.chains(u.Journal.Entries())
}

// Approved reports whether a site has approved the run's plan.
func (r *Run) Approved(site string) bool {
	hash, err := r.Plan.Hash()
	return err == nil && slices.ContainsFunc(r.Chains[site], func(e journal.Entry) bool { return approves(e, hash) })
}

// Approve journals that the people of this site have approved the run's plan.
func Approve(ctx context.Context, r *Run, j *journal.Journal, by string) error {
	hash, err := r.Plan.Hash()
	if err != nil {
		return err
	}
	_, err = j.Append(ctx, RunKey, EventApproved, map[string]string{dataOwn: r.Site, dataPlan: hash, dataBy: by})
	if err == nil {
		r.Chains[r.Site] = j.Entries()
		err = r.unite()
	}
	return err
}

// fitTogether checks the receipts in the sites' journals: what this site has received must be here, and so must what
// others have received from it. What the other sites know of each other need not be here.
func (r *Run) fitTogether() error {
	plain := map[string][]journal.Entry{} // chained without a key, by site
	for _, by := range slices.Sorted(maps.Keys(r.Chains)) {
		for _, e := range r.Chains[by] {
			got, ok := receivedOf(e)
			if !ok || by != r.Site && got.Site != r.Site {
				continue
			}
			if _, known := plain[got.Site]; !known {
				chain, err := journal.Rechain(r.Chains[got.Site], nil)
				if err != nil {
					return err
				}
				plain[got.Site] = chain
			}
			switch chain := plain[got.Site]; {
			case got.Entries > len(chain):
				return fmt.Errorf("site %q has received %d entries of site %q, and %d are here: the folder was restored from "+
					"an older state, or a journal was removed or cut short", by, got.Entries, got.Site, len(chain))
			case head(chain[:got.Entries]) != got.Head:
				return fmt.Errorf("site %q has received another journal of site %q than is here, from entry %d or before: the "+
					"folder was restored or copied", by, got.Site, got.Entries)
			}
		}
	}
	return nil
}

// seenPath returns the path of the file with another site's observations.
func (s *Store) seenPath(site string) string {
	return filepath.Join(filepath.Dir(s.Dir), sitesName, site+chainSuffix)
}

// KeepSeen stores another site's observations of its servers, replacing earlier ones. The numbers of its bundles
// (bundle.Ledger) tell that these are newer, not its clock, which may be set back.
func (s *Store) KeepSeen(ctx context.Context, site string, seen *planner.Observations) error {
	var b bytes.Buffer
	if err := seen.Encode(&b); err != nil {
		return err
	}
	mac, err := s.seenMAC(site, b.Bytes())
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.seenPath(site))
	if err := s.Fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keeping the observations of site %q: %w", site, err)
	}
	_, err = writeFile(ctx, &folder{fs: s.Fs, dir: dir}, site+chainSuffix, append([]byte(mac+"\n"), b.Bytes()...))
	return err
}

// Seen returns another site's observations of its servers, or nil if there are none.
func (s *Store) Seen(site string) (*planner.Observations, error) {
	src, err := afero.ReadFile(s.Fs, s.seenPath(site))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the observations of site %q: %w", site, err)
	}
	line, content, _ := bytes.Cut(src, []byte("\n"))
	want, err := s.seenMAC(site, content)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(line, []byte(want)) {
		return nil, fmt.Errorf("what is kept of site %q was changed since it was received: remove %s, and receive its "+
			"bundle again", site, s.seenPath(site))
	}
	seen, err := planner.DecodeObservations(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("reading the observations of site %q: %w", site, err)
	}
	return seen, nil
}

func (s *Store) seenMAC(site string, content []byte) (string, error) {
	key, err := s.keyOf("observations of " + site)
	if err != nil {
		return "", fmt.Errorf("authenticating the observations of site %q: %w", site, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(content)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// isRunID reports whether a text has the form of a run's ID, which becomes the name of a folder.
func isRunID(id string) bool {
	when, head, ok := strings.Cut(id, "-")
	return ok && len(when) == len(idTime) && !madeAt(id).IsZero() && len(head) == 6 &&
		strings.Trim(head, "0123456789abcdef") == ""
}
