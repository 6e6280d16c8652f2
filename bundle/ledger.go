package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"
)

// Ledger remembers the manifests of the bundles of one site. For another site these are the bundles received from it;
// for the own site, those that were sent.
type Ledger struct {
	FS  afero.Fs
	Dir string // created if missing
}

// Record is a bundle in a ledger.
type Record struct {
	Manifest
	ID   string
	Text []byte // of the manifest
}

const recordSuffix = ".json"

// List returns the bundles in the ledger, by number.
func (l *Ledger) List() ([]Record, error) {
	infos, err := afero.ReadDir(l.FS, l.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing bundles: %w", err)
	}
	var out []Record
	for _, info := range infos {
		if !strings.HasSuffix(info.Name(), recordSuffix) { // a half-written file of a process that died
			continue
		}
		name := filepath.Join(l.Dir, info.Name())
		text, err := afero.ReadFile(l.FS, name)
		if err != nil {
			return nil, fmt.Errorf("reading what is known of a bundle: %w", err)
		}
		m, err := Decode(text)
		if err == nil && info.Name() != recordName(m.Number) {
			err = errors.New("it is of another number than its file's name says")
		}
		if err != nil {
			return nil, fmt.Errorf("what is known of a bundle is damaged: %s: %w", name, err)
		}
		out = append(out, Record{*m, ID(text), text})
	}
	slices.SortFunc(out, func(a, b Record) int { return int(a.Number - b.Number) })
	return out, nil
}

func recordName(number int64) string { return fmt.Sprintf("%08d%s", number, recordSuffix) }

// Last returns the bundle with the greatest number, or nil if there is none.
func (l *Ledger) Last() (*Record, error) {
	all, err := l.List()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[len(all)-1], nil
}

// Add stores a bundle durably. A bundle to be sent must be added before anybody can receive it, so that its number is
// never used again.
func (l *Ledger) Add(r *Record) error {
	if err := l.add(r); err != nil {
		return fmt.Errorf("remembering bundle %d of %s: %w", r.Number, r.From, err)
	}
	return nil
}

func (l *Ledger) add(r *Record) error {
	if err := l.FS.MkdirAll(l.Dir, 0o700); err != nil {
		return err
	}
	return l.write(recordName(r.Number), r.Text)
}

// write writes a file in the ledger's folder, completely or not at all.
func (l *Ledger) write(base string, content []byte) error {
	name := filepath.Join(l.Dir, base)
	part := name + ".part"
	f, err := l.FS.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, durable{f}.Close()); err == nil {
		err = l.FS.Rename(part, name)
	}
	if err != nil {
		return err
	}
	if d, err := l.FS.Open(l.Dir); err == nil {
		_ = d.Sync() // not every system can sync a folder
		_ = d.Close()
	}
	return nil
}

// place compares a bundle with those received before. again is true if it is one of them. The error is a Refusal if it
// does not follow them.
func (l *Ledger) place(b *Bundle) (again bool, err error) {
	before, err := l.List()
	if err != nil {
		return false, err
	}
	for i := range before {
		r := &before[i]
		switch {
		case r.ID == b.ID:
			return true, nil
		case r.Number == b.Number:
			return false, refuse(Fork, "%q has sent two different bundles with the number %d: %s, which was received, and %s. "+
				"Either it was restored from a backup, or two act for it. Ask which of them counts", b.From, b.Number, r.ID, b.ID)
		case r.Number == b.Number-1 && r.ID != b.Previous:
			return false, refuse(Fork, "it follows a bundle %d of %q which is not the one that was received: %s there, %s "+
				"here. Either %q was restored from a backup, or two act for it. Ask which of them counts", r.Number, b.From,
				b.Previous, r.ID, b.From)
		}
	}
	if n := len(before); n > 0 && before[n-1].Number > b.Number {
		return false, refuse(Old, "it is bundle %d of %q, and number %d was received before, which has all that it has",
			b.Number, b.From, before[n-1].Number)
	}
	return false, nil
}

// Check refuses a bundle of another site that says it has received a bundle from this site that is not in this ledger
// of sent bundles. Then this folder was restored from a backup, or somebody acts for this site from another folder.
func (l *Ledger) Check(site string, m *Manifest) error {
	sent, err := l.List()
	if err != nil {
		return err
	}
	for _, r := range m.Received {
		known := slices.ContainsFunc(sent, func(s Record) bool { return s.Number == r.Number && s.ID == r.ID })
		if r.Site != site || known {
			continue
		}
		return refuse(Forgotten, "%q has received bundle %d of %q (%s), of which nothing is known in this folder: it was "+
			"restored from a backup, or somebody acts for %q from another one. Use the folder that has sent it", m.From,
			r.Number, site, r.ID, site)
	}
	return nil
}
