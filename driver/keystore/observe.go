package keystore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// Need returns the observation of a declared keystore's file, an *Observed. This driver plans from it, and others
// may.
func Need(r *schema.Resource) planner.Need {
	return planner.Need{Server: r.Addr.String(), What: fileFact}
}

// State says what is known about a keystore's file. If the machine could not be asked there is no State, but an
// error.
type State string

// The states of a file.
const (
	Missing  State = "missing"  // according to the machine, there is no such file
	Unusable State = "unusable" // there is a file, but it cannot be opened, so its content is unknown
	Opened   State = "opened"
)

// Observed is what a keystore's machine showed of its file: only the public parts, never a key or a password.
type Observed struct {
	Machine  string    `json:"machine"` // its name for people
	Now      time.Time `json:"now"`     // when the file was read, for what expires
	State    State     `json:"state"`
	Sum      string    `json:"sum,omitempty"`       // SHA-256 of the file; "" if its bytes were not read
	Modified time.Time `json:"modified,omitzero"`   // according to the machine
	NoFolder string    `json:"no_folder,omitempty"` // if Missing: the folder, if that is missing too
	Previous bool      `json:"previous,omitempty"`  // if Opened: only previous_password opens it
	Problem  *Error    `json:"problem,omitempty"`   // if Unusable: why
	Store    *Store    `json:"store,omitempty"`     // if Opened: its content
}

// fileFact is the name of the fact that the file is unchanged, and of the file's observation.
const fileFact = "file"

// The values of the fact if there is no sum.
const (
	factMissing    = "absent"
	factUnreadable = "unreadable"
)

// fact returns the value of fileFact.
func (o *Observed) fact() string {
	switch {
	case o.State == Missing:
		return factMissing
	case o.Sum == "":
		return factUnreadable
	}
	return sumFact(o.Sum)
}

func sumFact(sum string) string { return "sha256:" + sum }

// Needs returns the only observation that a plan is made from: the file.
func (d *Driver) Needs(r *schema.Resource, _ *planner.Observations) ([]planner.Need, hcl.Diagnostics) {
	return []planner.Need{Need(r)}, nil
}

// Observe reads the file. It returns an *Observed.
func (d *Driver) Observe(ctx context.Context, r *schema.Resource, n planner.Need) (any, error) {
	if n != Need(r) {
		return nil, fmt.Errorf("observing %s: unknown observation", n)
	}
	w, err := parse(r)
	if err != nil {
		return nil, err
	}
	o, _, err := d.look(ctx, w)
	return o, err
}

// look reads the file. The returned Store includes the keys; it is nil unless the file was opened.
func (d *Driver) look(ctx context.Context, w *wanted) (*Observed, *Store, error) {
	h, err := d.host(w.declaration)
	if err != nil {
		return nil, nil, err
	}
	o := &Observed{Machine: h.Name(), Now: d.env.Now().UTC().Truncate(time.Second)}
	content, modified, err := readFile(h.Files(ctx), w.Path)
	switch {
	case errors.Is(err, ErrNoFile):
		o.State = Missing
		o.NoFolder, err = missingFolder(h.Files(ctx), w.Path)
	case errors.As(err, &o.Problem):
		o.State, err = Unusable, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s on %s: %w", w.Path, h.Name(), err)
	}
	if o.State != "" {
		return o, nil, nil
	}
	o.Sum, o.Modified = host.Sum(content), modified
	s, previous, err := w.openWith(ctx, content)
	switch {
	case errors.As(err, &o.Problem):
		o.State = Unusable
		return o, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("reading %s on %s: %w", w.Path, h.Name(), err)
	}
	o.State, o.Previous, o.Store = Opened, previous, s.Public()
	return o, s, nil
}

// openWith opens a keystore with the declared password, or else with the previous one.
func (w *wanted) openWith(ctx context.Context, content []byte) (s *Store, previous bool, err error) {
	s, err = Open(ctx, content, w.Password.Reveal())
	if !isWrongPassword(err) || w.PreviousPassword.Empty() {
		return s, false, err
	}
	before, failed := Open(ctx, content, w.PreviousPassword.Reveal())
	switch {
	case failed == nil:
		return before, true, nil
	case !isWrongPassword(failed): // it says more than that both are wrong
		return nil, false, failed
	}
	return nil, false, err
}

func isWrongPassword(err error) bool {
	var unusable *Error
	return errors.As(err, &unusable) && unusable.Rule == RuleWrongPassword
}

// Public returns the keystore without any key: what remains after it is written as JSON.
func (s *Store) Public() *Store {
	out := *s
	out.secrets, out.loose, out.source, out.password = nil, nil, nil, ""
	out.Entries, out.Trusted, out.Loose = nil, nil, nil
	for _, e := range s.Entries {
		out.Entries = append(out.Entries, Entry{
			Alias: e.Alias, Chain: e.Chain, Created: e.Created, Key: e.Key, Public: e.Public, Sealed: e.Sealed, Plain: e.Plain,
		})
	}
	for _, t := range s.Trusted {
		out.Trusted = append(out.Trusted, Trusted{Alias: t.Alias, Certificate: t.Certificate, Created: t.Created})
	}
	for _, t := range s.Loose {
		out.Loose = append(out.Loose, Trusted{Alias: t.Alias, Certificate: t.Certificate, Created: t.Created})
	}
	return &out
}

// mostBytes is the maximum size of a keystore. One with a thousand CAs has two million bytes.
const mostBytes = 16 << 20

// readFile reads a file and the time it was modified. The error is ErrNoFile if there is no file, and an *Error if
// its type or size shows that it is not a keystore.
func readFile(files host.Files, name string) ([]byte, time.Time, error) {
	info, err := files.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, time.Time{}, ErrNoFile
	case err != nil:
		return nil, time.Time{}, err
	case !info.Mode().IsRegular():
		return nil, time.Time{}, &Error{RuleNotAKeystore, "it is not a regular file", "path names the file itself."}
	case info.Size() > mostBytes:
		return nil, time.Time{}, &Error{
			RuleNotAKeystore, fmt.Sprintf("it has %d bytes, too many for a keystore", info.Size()), "Correct path.",
		}
	}
	content, err := host.ReadFile(files, name, mostBytes)
	if err == nil { // read again afterwards, so that a write in between counts as newer than the content
		info, err = files.Stat(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, time.Time{}, ErrNoFile
	case err != nil:
		return nil, time.Time{}, err
	}
	return content, info.ModTime().UTC(), nil
}

// missingFolder returns the folder of a file if it does not exist, or "" if it does. It is an error if the machine
// cannot be asked.
func missingFolder(files host.Files, name string) (string, error) {
	folder := filepath.Dir(name)
	if path.IsAbs(name) { // paths on another machine have slashes, whatever those of this one have
		folder = path.Dir(name)
	}
	info, err := files.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return folder, nil
	case err != nil:
		return "", fmt.Errorf("looking for its folder: %w", err)
	case !info.IsDir():
		return folder, nil
	}
	return "", nil
}

// Facts reads the only fact, fileFact: the SHA-256 of the file, or "absent", or "unreadable".
func (d *Driver) Facts(ctx context.Context, r *schema.Resource, names []string) (map[string]string, error) {
	decl, err := decode(r)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		if name != fileFact {
			return nil, fmt.Errorf("reading fact %q of %s: unknown fact", name, r.Addr)
		}
		h, err := d.host(decl)
		if err != nil {
			return nil, err
		}
		content, _, err := readFile(h.Files(ctx), decl.Path)
		var unusable *Error
		switch {
		case errors.Is(err, ErrNoFile):
			out[name] = factMissing
		case errors.As(err, &unusable):
			out[name] = factUnreadable
		case err != nil:
			return nil, fmt.Errorf("reading %s on %s: %w", decl.Path, h.Name(), err)
		default:
			out[name] = sumFact(host.Sum(content))
		}
	}
	return out, nil
}
