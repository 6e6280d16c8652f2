package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/journal"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/printable"
	"github.com/syncctl/syncctl/schema"
)

// The parts of a bundle.
const (
	partHandover      = "handover.json"
	partObservations  = "observations.jsonl"
	partPlan          = "plan.json"
	partOrigin        = "origin.json"             // the inputs of the plan, except
	partSeen          = "plan-observations.jsonl" // what servers showed
	partJournal       = "journal.jsonl"
	partConfiguration = "configuration/" // prefix of the name of a file
	partFile          = "files/"         // prefix of the name of a run's file
)

// Reasons why a bundle is refused that depend on its parts.
const (
	otherConfiguration bundle.Reason = "other-configuration"
	otherPlan          bundle.Reason = "other-plan"
	unfoundedPlan      bundle.Reason = "unfounded-plan"
	unfitParts         bundle.Reason = "unfit-parts"
	unfitRun           bundle.Reason = "unfit-run"
)

// mostInMemory is the maximum total size, in bytes, of the parts kept in memory, which are all except the run's files.
const mostInMemory = 256 << 20

// handed is the contents of a bundle, without those of the run's files.
type handed struct {
	executor.Handover
	executor.Cargo
	configuration map[string][]byte // by file name
}

// inbox and sent belong to the folder.
func (c *command) inbox() *bundle.Inbox {
	return &bundle.Inbox{FS: c.app.fs, Dir: filepath.Join(c.dataDir(), "received")}
}

func (c *command) sent() *bundle.Ledger {
	return &bundle.Ledger{FS: c.app.fs, Dir: filepath.Join(c.dataDir(), "sent")}
}

// ownSite returns the site that the command acts for.
func ownSite(cfg *schema.Config) (*schema.Site, error) {
	if len(cfg.Settings.Sites) == 0 {
		return nil, failf(exitError, "this configuration declares no site: one process reaches all of its servers, and "+
			"nothing has to be sent")
	}
	for _, s := range cfg.Settings.Sites {
		if s.Name == cfg.Site {
			return s, nil
		}
	}
	return nil, failf(exitError, "say with -site=NAME or SYNCCTL_SITE which site you act for")
}

// source returns a part whose content is in memory.
func source(name string, content []byte) bundle.Source {
	return bundle.Source{Name: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

// parts returns the parts of a bundle, except the run's files.
func (h *handed) parts() ([]bundle.Source, error) {
	var out []bundle.Source
	add := func(name string, encode func(io.Writer) error) error {
		var b bytes.Buffer
		err := encode(&b)
		out = append(out, source(name, b.Bytes()))
		return err
	}
	if err := add(partHandover, jsonOf(&h.Handover)); err != nil {
		return nil, fmt.Errorf("writing what is handed over: %w", err)
	}
	if h.Observations != nil {
		if err := add(partObservations, h.Observations.Encode); err != nil {
			return nil, err
		}
	}
	if h.Cargo.Plan != nil {
		plan := *h.Cargo.Plan
		plan.Secrets = "" // it depends on a key of this folder's user, and means nothing elsewhere
		if err := add(partPlan, plan.Encode); err != nil {
			return nil, err
		}
		if o := h.Cargo.Origin; o != nil {
			if err := errors.Join(add(partOrigin, jsonOf(o)), add(partSeen, o.Seen.Encode)); err != nil {
				return nil, fmt.Errorf("writing what the plan was made from: %w", err)
			}
		}
		if err := add(partJournal, func(w io.Writer) error { return journal.Encode(w, h.Chain) }); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.configuration)) {
		out = append(out, source(partConfiguration+name, h.configuration[name]))
	}
	return out, nil
}

// jsonOf writes a value as JSON.
func jsonOf(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
}

// strictly decodes a part into a value, and refuses unknown members, and whatever follows the value.
func strictly(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// unpack reads the contents of a bundle. It refuses a part with an unknown name, because a later version may rely on
// it.
func unpack(s *bundle.Staged) (*handed, error) {
	h := &handed{configuration: map[string][]byte{}}
	var files []string
	if err := fitsMemory(s.Parts); err != nil {
		return nil, err
	}
	for _, p := range s.Parts {
		if name, ok := strings.CutPrefix(p.Name, partFile); ok {
			files = append(files, name)
			continue
		}
		text, err := readPart(s, p)
		if err != nil {
			return nil, err
		}
		if err := h.add(p.Name, text); err != nil {
			return nil, bundle.Refuse(unfitParts, "its part %q cannot be used: %v", p.Name, err)
		}
	}
	switch {
	case h.From == "":
		return nil, bundle.Refuse(unfitParts, "it does not say what it hands over: the part %s is missing", partHandover)
	case h.From != s.From || h.Digest != s.Configuration || h.Handover.Plan != s.Plan:
		return nil, bundle.Refuse(unfitParts, "its part %s is of another bundle", partHandover)
	}
	for _, name := range files {
		if !slices.ContainsFunc(h.Files, func(f executor.FileInfo) bool { return f.Name == name }) {
			return nil, bundle.Refuse(unfitParts, "it has a file %q that it does not hand over", name)
		}
	}
	return h, nil
}

// fitsMemory refuses parts that are too large in total to be kept in memory, before the first one is read.
func fitsMemory(parts []bundle.Part) error {
	left := int64(mostInMemory)
	for _, p := range parts {
		if strings.HasPrefix(p.Name, partFile) {
			continue
		}
		if p.Size > left {
			return bundle.Refuse(bundle.TooLarge, "its parts without the run's files have more than %d bytes together, which "+
				"is the limit", int64(mostInMemory))
		}
		left -= p.Size
	}
	return nil
}

// origin returns the inputs of the plan, as far as they were read.
func (h *handed) origin() *executor.Origin {
	if h.Cargo.Origin == nil {
		h.Cargo.Origin = &executor.Origin{}
	}
	return h.Cargo.Origin
}

// add adds a part.
func (h *handed) add(name string, text []byte) (err error) {
	file, isConfiguration := strings.CutPrefix(name, partConfiguration)
	bounds := printable.Documents
	if name == partObservations || name == partSeen {
		bounds = bounds.Times(4) // it holds many answers of servers, each of which has limits of its own
	}
	if err := bounds.Check(text); err != nil && !isConfiguration {
		return fmt.Errorf("it %w", err)
	}
	switch {
	case isConfiguration:
		h.configuration[file] = text
	case name == partHandover:
		err = strictly(text, &h.Handover)
	case name == partOrigin:
		err = strictly(text, h.origin())
	case name == partSeen:
		h.origin().Seen, err = planner.DecodeObservations(bytes.NewReader(text))
	case name == partObservations:
		h.Observations, err = planner.DecodeObservations(bytes.NewReader(text))
	case name == partPlan:
		h.Cargo.Plan, err = planner.Decode(bytes.NewReader(text))
	case name == partJournal:
		h.Chain, err = journal.Decode(bytes.NewReader(text), nil)
	default:
		err = errors.New("this version knows no part of that name")
	}
	return err
}

func readPart(s *bundle.Staged, p bundle.Part) ([]byte, error) {
	f, err := s.Open(p.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it is only read
	return io.ReadAll(f)
}

// onlyOf returns the observations of the servers that are declared at a site: it may report nothing about others, nor
// about servers that may be declared later.
func onlyOf(cfg *schema.Config, site string, sent *planner.Observations) *planner.Observations {
	others := map[string]bool{}
	for _, server := range sent.Servers() {
		others[server] = true
	}
	for _, r := range cfg.Resources {
		if r.Site == site {
			delete(others, r.Addr.String())
		}
	}
	return sent.Without(others)
}

// shareable returns the files of the configuration as another site may see them: without the values of variables, and
// with secrets masked so that their length does not show.
func (c *command) shareable(cfg *schema.Config) map[string][]byte {
	out := map[string][]byte{}
	for path, file := range cfg.Files() {
		name, err := filepath.Rel(c.dirName, path)
		if err != nil || !configurationSource(name) || file == nil {
			continue
		}
		out[filepath.ToSlash(name)] = asterisks.ReplaceAll(file.Bytes, []byte("***"))
	}
	return out
}

// asterisks match a masked secret in a file that is shown.
var asterisks = lazyregexp.New(`\*{2,}`)

// configurationSource reports whether a file holds declarations, rather than values, plans or tests.
func configurationSource(name string) bool {
	return filepath.IsLocal(name) && (strings.HasSuffix(name, ".sync.hcl") || strings.HasSuffix(name, ".sync.hcl.json"))
}

// usesOwnKey returns an error if nobody has reviewed the files, which say for whom the user's key signs.
func (c *command) usesOwnKey(command string) error {
	if c.flags.untrusted {
		return failf(exitError, "%s uses your key, and -untrusted is for files that nobody has reviewed", command)
	}
	return nil
}
