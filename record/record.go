// Package record writes and reads the record of a run, which is kept as evidence: one tar with the run's plan,
// journal, verification and configuration, a manifest with the digest of each, and optionally a signature. The same
// content always gives the same bytes. So an archive with hidden content is refused, since writing it again would give
// other bytes.
//
// The package knows no secret and uses no file system. The caller must have searched the parts for secrets before.
package record

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/signing"
)

// Suffix is the suffix of a record's file name.
const Suffix = ".syncrecord.tar"

// Namespace is the namespace of a record's signature, as in ssh-keygen -Y sign -n.
const Namespace = "record@syncctl"

// Format is the version of the format.
const Format = 1

// Names of parts.
const (
	ManifestName  = "record.json"
	SignatureName = ManifestName + signing.Suffix
	PlanName      = "plan.json"
	JournalName   = "journal.jsonl"
)

// States of a run. If it has ended, an entry of its journal has the same word as event.
const (
	Finished   = "finished"
	Unfinished = "unfinished"
	Abandoned  = "abandoned"
)

// runKey is the key of entries about the whole run.
const runKey = "run"

// Limits for reading: bytes, parts, and bytes of a name.
const (
	MostBytes = 256 << 20
	mostParts = 10_000
	mostName  = 255
)

// ErrCut says that a record does not have the end of one.
var ErrCut = errors.New("it is not whole: its end is missing, as in a file that was cut short, or it is not a record")

// tarBlock is the number of bytes of which a tar has a multiple. It ends with two blocks of zeros, as nothing else in a
// record does.
const tarBlock = 512

// Manifest describes a record. It is what is signed.
type Manifest struct {
	Format        int       `json:"format"`        // of the record
	Syncctl       string    `json:"syncctl"`       // version of the program that wrote the record
	Run           string    `json:"run"`           // the run
	State         string    `json:"state"`         // of the run, see the states above
	At            time.Time `json:"at"`            // of the journal's last entry
	Plan          string    `json:"plan"`          // its hash
	Configuration string    `json:"configuration"` // its digest
	Entries       int       `json:"entries"`       // number of entries in the journal
	Head          string    `json:"head"`          // hash of the last entry
	Parts         []Part    `json:"parts"`         // sorted by name

	// Rehearsal is the result of the plan's rehearsal, or "none". Older programs wrote nothing.
	Rehearsal string `json:"rehearsal,omitempty"`

	// Seal is the SHA-256 of the manifest without the seal, so that a change is noticed. It is not a signature: anybody
	// who changes the manifest can compute it again.
	Seal string `json:"seal"`
}

// Part is a file of a record.
type Part struct {
	Name   string `json:"name"`   // may contain slashes
	Bytes  int64  `json:"bytes"`  // its length
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// Record is a record that was read and verified.
type Record struct {
	Manifest
	Files  map[string][]byte `json:"-"`                // the parts
	Signer string            `json:"signer,omitempty"` // the fingerprint of the key that signed it; "" if it is not signed

	// Known reports whether the signer is among the accepted ones.
	Known bool `json:"known"`

	Rehearsed *Rehearsal `json:"rehearsed,omitempty"` // absent if there is no rehearsal
}

// Write writes a record. It fills in what the manifest says about the parts, the plan and the journal. If sign is nil,
// the record is not signed.
func Write(m Manifest, files map[string][]byte, sign func([]byte) ([]byte, error)) ([]byte, error) {
	m.Format, m.Parts = Format, partsOf(files)
	entries, err := journal.Decode(bytes.NewReader(files[JournalName]), nil)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	if m.Entries = len(entries); m.Entries > 0 {
		m.Head, m.At = entries[m.Entries-1].Hash, entries[m.Entries-1].Time
	}
	plan, hash, err := readPlan(files)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	rehearsal, err := rehearsed(plan, files)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	m.Plan, m.Rehearsal = hash, wordFor(rehearsal)
	if m.Seal, err = m.seal(); err != nil {
		return nil, err
	}
	text, err := m.encode()
	if err != nil {
		return nil, err
	}
	var signature []byte
	if sign != nil {
		if signature, err = sign(text); err != nil {
			return nil, fmt.Errorf("signing the record: %w", err)
		}
	}
	var out bytes.Buffer
	if err := archive(&out, m.At, text, files, signature); err != nil {
		return nil, err
	}
	if _, err := Read(out.Bytes(), nil); err != nil { // never return a record that cannot be read
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return out.Bytes(), nil
}

// partsOf returns the files with their digests, sorted by name.
func partsOf(files map[string][]byte) []Part {
	parts := []Part{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		parts = append(parts, Part{name, int64(len(files[name])), hex.EncodeToString(sum[:])})
	}
	return parts
}

func readPlan(files map[string][]byte) (plan *planner.Plan, hash string, err error) {
	if plan, err = planner.Decode(bytes.NewReader(files[PlanName])); err != nil {
		return nil, "", err
	}
	hash, err = plan.Hash()
	return plan, hash, err
}

func (m *Manifest) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	return append(text, '\n'), nil
}

func (m *Manifest) seal() (string, error) {
	open := *m
	open.Seal = ""
	text, err := open.encode()
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// archive packs the manifest, the parts by name, and the signature. The result does not depend on this machine.
func archive(to io.Writer, at time.Time, manifest []byte, files map[string][]byte, signature []byte) error {
	if at.Unix() < 0 { // of a run that has not begun
		at = time.Unix(0, 0)
	}
	w := tar.NewWriter(to)
	add := func(name string, content []byte) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644,
			ModTime: at.UTC().Truncate(time.Second)}
		if err := w.WriteHeader(h); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		_, err := w.Write(content)
		return err
	}
	err := add(ManifestName, manifest)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		err = errors.Join(err, add(name, files[name]))
	}
	if signature != nil {
		err = errors.Join(err, add(SignatureName, signature))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return nil
}

// comparing compares what is written with the bytes that are left of an archive, so that no second one is made.
type comparing struct {
	left  []byte
	other bool // whether something else was written
}

func (c *comparing) Write(p []byte) (int, error) {
	var same bool
	if c.left, same = bytes.CutPrefix(c.left, p); !same {
		c.other = true
	}
	return len(p), nil
}

// Read reads a record and verifies all of it: the parts and their digests, the plan, the chain of the journal, the
// signature, and that it contains nothing else. signers are the accepted public keys, one line each. If it is nil, any
// signer is accepted and only reported.
func Read(src []byte, signers []string) (*Record, error) {
	if len(src) > MostBytes {
		return nil, fmt.Errorf("it is larger than %d bytes", MostBytes)
	}
	if len(src)%tarBlock != 0 || !bytes.HasSuffix(src, make([]byte, 2*tarBlock)) {
		return nil, ErrCut
	}
	all, err := unpack(src)
	if err != nil {
		return nil, err
	}
	text, signature := all[ManifestName], all[SignatureName]
	if text == nil {
		return nil, fmt.Errorf("it has no %s: it is not a record of syncctl", ManifestName)
	}
	r := &Record{}
	if err := r.decode(text); err != nil {
		return nil, err
	}
	delete(all, ManifestName)
	delete(all, SignatureName)
	r.Files = all
	if err := r.checkParts(); err != nil {
		return nil, err
	}
	if err := r.checkContent(); err != nil {
		return nil, err
	}
	again := &comparing{left: src}
	if err := archive(again, r.At, text, all, signature); err != nil {
		return nil, err
	}
	if again.other || len(again.left) > 0 {
		return nil, errors.New("there is more in it than the parts, or it was packed by another program")
	}
	if signature == nil {
		return r, nil
	}
	if err := r.checkSignature(text, signature, signers); err != nil {
		return nil, err
	}
	return r, nil
}

// unpack reads a tar of plain files whose names cannot lead out of a folder. They are parts of src, not copies.
func unpack(src []byte) (map[string][]byte, error) {
	all, folded, in, total := map[string][]byte{}, map[string]bool{}, bytes.NewReader(src), int64(0)
	for t := tar.NewReader(in); ; {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("it is not a whole tar: %w", err)
		case h.Typeflag != tar.TypeReg:
			return nil, fmt.Errorf("%q is not a plain file", h.Name)
		case !isName(h.Name):
			return nil, fmt.Errorf("%q is not the name of a part", h.Name)
		case folded[strings.ToLower(h.Name)]:
			return nil, fmt.Errorf("%q is in it twice", h.Name)
		case len(all) > mostParts || h.Size > min(int64(in.Len()), int64(len(src))-total):
			// A sparse file is larger than its bytes in the tar.
			return nil, fmt.Errorf("%q is more than a record may hold", h.Name)
		}
		total += h.Size
		content := src[len(src)-in.Len():][:h.Size:h.Size]
		folded[strings.ToLower(h.Name)], all[h.Name] = true, content
	}
}

// isName reports whether a name stays inside a folder on every system.
func isName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return false
		}
	}
	return len(name) <= mostName && fs.ValidPath(name) && name != "." && path.Clean(name) == name &&
		!strings.ContainsAny(name, `\:*?"<>|`) && printable.Line(name) == name
}

// decode reads the manifest, and accepts only the form that encode writes.
func (r *Record) decode(text []byte) error {
	if err := printable.Documents.Check(text); err != nil {
		return fmt.Errorf("reading %s: it %w", ManifestName, err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r.Manifest); err != nil {
		return fmt.Errorf("reading %s: %w", ManifestName, err)
	}
	if r.Format != Format {
		return fmt.Errorf("its format is %d, this program reads %d", r.Format, Format)
	}
	again, err := r.encode()
	if err != nil {
		return err
	}
	seal, err := r.seal()
	if err != nil {
		return err
	}
	if seal != r.Seal {
		return fmt.Errorf("%s was changed", ManifestName)
	}
	if !bytes.Equal(again, text) {
		return fmt.Errorf("%s is not written as syncctl writes it", ManifestName)
	}
	return nil
}

// checkParts compares the parts with the manifest.
func (r *Record) checkParts() error {
	named := map[string]bool{}
	for _, p := range r.Parts {
		content, there := r.Files[p.Name]
		sum := sha256.Sum256(content)
		switch {
		case named[p.Name]:
			return fmt.Errorf("%s names %q twice", ManifestName, p.Name)
		case !there:
			return fmt.Errorf("%q is missing", p.Name)
		case int64(len(content)) != p.Bytes || hex.EncodeToString(sum[:]) != p.SHA256:
			return fmt.Errorf("%q was changed", p.Name)
		}
		named[p.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if !named[name] {
			return fmt.Errorf("%q was added", name)
		}
	}
	return nil
}

// checkContent compares the plan and the journal with the manifest.
func (r *Record) checkContent() error {
	plan, hash, err := readPlan(r.Files)
	if err != nil {
		return err
	}
	if hash != r.Plan {
		return fmt.Errorf("%s is not the plan %s", PlanName, printable.Line(r.Plan))
	}
	if plan.Digest != r.Configuration {
		return fmt.Errorf("%s is not the configuration of %s", printable.Line(r.Configuration), PlanName)
	}
	if r.Rehearsed, err = rehearsed(plan, r.Files); err != nil {
		return err
	}
	if word := wordFor(r.Rehearsed); r.Rehearsal != word && (r.Rehearsal != "" || r.Rehearsed != nil) {
		return fmt.Errorf("%s says %q of the rehearsal, and it is %s", ManifestName, printable.Line(r.Rehearsal), word)
	}
	if _, there := r.Files[JournalName]; !there {
		return errors.New("it has no journal")
	}
	bounds := printable.Documents.Times(4) // a step has several entries
	if err := bounds.Check(r.Files[JournalName]); err != nil {
		return fmt.Errorf("%s: it %w", JournalName, err)
	}
	entries, err := journal.Decode(bytes.NewReader(r.Files[JournalName]), nil)
	if err != nil {
		return fmt.Errorf("%s: %w", JournalName, err)
	}
	head, at := "", r.At
	if n := len(entries); n > 0 {
		head, at = entries[n-1].Hash, entries[n-1].Time
	}
	if len(entries) != r.Entries || head != r.Head || !at.Equal(r.At) {
		return fmt.Errorf("%s is not the journal that %s is of", JournalName, ManifestName)
	}
	return r.checkState(entries)
}

// checkState compares the run's state with its journal.
func (r *Record) checkState(entries []journal.Entry) error {
	switch r.State {
	case Unfinished:
		return nil
	case Finished, Abandoned:
		if !slices.ContainsFunc(entries, func(e journal.Entry) bool { return e.Key == runKey && e.Event == r.State }) {
			return fmt.Errorf("its journal does not say that the run is %s", r.State)
		}
		return nil
	}
	return fmt.Errorf("%q is not a state of a run", printable.Line(r.State))
}

func (r *Record) checkSignature(text, signature []byte, signers []string) error {
	key, err := signing.Author(text, signature, Namespace)
	if err != nil {
		return fmt.Errorf("its signature does not hold: %w", err)
	}
	again, err := signing.Rewrite(signature)
	if err != nil {
		return fmt.Errorf("its signature does not hold: %w", err)
	}
	if !bytes.Equal(again, signature) { // no digest covers text around the signature
		return fmt.Errorf("%s is not written as syncctl writes it", SignatureName)
	}
	r.Signer = signing.FingerprintOf(key)
	if signers == nil {
		return nil
	}
	if _, err := signing.Verify(text, signature, Namespace, signers); err != nil {
		return fmt.Errorf("its signature is not taken: %w", err)
	}
	r.Known = true
	return nil
}
