package keystore

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Doctor = (*Driver)(nil)

// Examine checks whether the file of a declared keystore exists, whether the password opens it, and until when its
// certificates are valid.
func (d *Driver) Examine(ctx context.Context, r *schema.Resource, _ []*schema.Resource) []driver.Examination {
	w, err := parse(r)
	var o *Observed
	if err == nil {
		o, _, err = d.look(ctx, w)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return []driver.Examination{{
			What: whatFile, State: driver.Fail, Seen: wording.OneLine(err.Error()),
			Advice: "Check path, and the machine in host.",
		}}
	}
	where := fmt.Sprintf("%s on %s", w.Path, o.Machine)
	file := driver.Examination{What: whatFile, State: driver.OK, Seen: where}
	switch {
	case o.NoFolder != "":
		file.State, file.Seen = driver.Fail, fmt.Sprintf("%s: there is no folder %s", where, o.NoFolder)
		file.Advice = "Make the folder first, or correct path."
	case o.State == Missing:
		file.State, file.Seen = driver.Warn, where+" does not exist"
		file.Advice = "Let syncctl apply make it, or correct path."
	case o.State == Unusable:
		return append([]driver.Examination{file}, driver.Examination{
			What: whatPassword, State: driver.Fail, Seen: "it cannot be opened: " + wording.OneLine(o.Problem.Message),
			Advice: wording.OneLine(o.Problem.Help),
		})
	}
	out := []driver.Examination{file}
	if o.State != Opened {
		return out
	}
	password := driver.Examination{What: whatPassword, State: driver.OK, Seen: "opens the " + o.Store.String()}
	if o.Previous {
		password.State, password.Seen = driver.Warn, "only previous_password opens it"
		password.Advice = "Let syncctl apply change the password."
	}
	out = append(out, password)
	for _, e := range o.Store.Entries {
		out = append(out, examineEntry(w, &e, o))
	}
	return out
}

// examineEntry checks until when the certificates of an entry are valid: the first one of the chain to expire counts.
func examineEntry(w *wanted, e *Entry, o *Observed) driver.Examination {
	x := driver.Examination{What: fmt.Sprintf("%s %q", whatEntry, e.Alias), State: driver.OK}
	if len(e.Chain) == 0 {
		x.State, x.Seen, x.Advice = driver.Fail, "the key has no certificate", "Give the certificate of the key."
		return x
	}
	first, known := e.firstToExpire()
	left := int(first.until.Sub(o.Now).Hours() / 24)
	x.Seen = fmt.Sprintf("%s, signed by %s, %d days left", first.Name(), first.Issuer(), left)
	switch {
	case !known:
		x.State, x.Seen, x.Advice = driver.Unknown, "its certificate cannot be read", "Look at it with keytool."
	case !first.until.After(o.Now):
		x.State, x.Advice = driver.Fail, "Renew it: it has expired."
	case first.from.After(o.Now):
		x.State, x.Seen = driver.Fail, fmt.Sprintf("%s is not valid yet", first.Name())
		x.Advice = "Check the clocks, or wait."
	case left < w.WarnDays:
		x.State, x.Advice = driver.Warn, "Renew it soon."
	}
	return x
}
