package keystore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

var _ planner.Replacer = (*Driver)(nil)

// againArg is the argument of a step with the fingerprints of the certificates that are generated again.
const againArg = "again"

// Replaces: whatever is declared here may have self-signed certificates.
func (d *Driver) Replaces(schema.Addr) bool { return true }

// Irreplaceable: only self-signed certificates are made here. What follows from another one for whoever uses the
// keystore is planned from the declarations, and they say nothing of it.
func (d *Driver) Irreplaceable(r *schema.Resource, users []schema.Addr) string {
	w, err := parse(r)
	switch {
	case err != nil:
		return err.Error()
	case !slices.ContainsFunc(w.entries, func(e wantedEntry) bool { return e.made != nil }):
		return "None of its entries is self_signed: their keys and certificates are given. Give other ones, and they are " +
			"exchanged."
	case len(users) > 0:
		return fmt.Sprintf("%s uses it, and what follows there is planned from what is declared. Change the subject of "+
			"self_signed, such as its OU: another key and certificate are made for it, and all that follows is planned too.",
			users[0])
	}
	return ""
}

// selfMade are the fingerprints of the certificates of a file that syncctl makes.
func (w *wanted) selfMade(have *Store) []string {
	var out []string
	for i := range w.entries {
		old := have.Entry(w.entries[i].Alias)
		if w.entries[i].made != nil && old != nil && len(old.Chain) > 0 {
			out = append(out, old.Chain[0].Fingerprint())
		}
	}
	return out
}

// renewal returns why an entry must be generated again, or "" if it stays.
func (s *standing) renewal(e *wantedEntry, old *Entry) string {
	if len(old.Chain) > 0 && slices.Contains(s.again, old.Chain[0].Fingerprint()) {
		return "it is made again (-replace)"
	}
	return e.made.renew(old, s.now, s.WarnDays)
}

// asPlanned is a declaration with what a step makes again of it.
func asPlanned(r *schema.Resource, s *planner.Step) (*wanted, error) {
	w, err := parse(r)
	if err == nil && s.Args[againArg] != "" {
		w.again = strings.Split(s.Args[againArg], " ")
	}
	return w, err
}
