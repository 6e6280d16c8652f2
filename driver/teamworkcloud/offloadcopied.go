package teamworkcloud

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// copied is what a run has verified of one resource before it stopped services: which revisions its source had, and what its
// copy on the target was like. It is journaled, so that what happens afterwards can be told from it: with its services stopped
// a server says nothing.
type copied struct {
	Name   string         `json:"name"`
	Digest string         `json:"digest,omitempty"` // of the source's history; "" when only the copy was looked at
	Source []copiedBranch `json:"source,omitempty"`
	Copy   string         `json:"copy"` // digest of the copy's history
	Target []copiedBranch `json:"target"`
}

// copiedBranch is one branch of a resource.
type copiedBranch struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Revisions string `json:"revisions"`        // the numbers of those made on it, see ranges
	Prints    string `json:"prints,omitempty"` // of each of them, printLength characters
	Gone      bool   `json:"gone,omitempty"`   // the server does not list it any more, its revisions only
}

const printLength = 4

// copiedOf records what was verified; source is nil when there is none any more.
func copiedOf(name string, source, target *history) copied {
	c := copied{Name: name, Copy: target.digest(), Target: copiedBranches(target, true)}
	if source != nil {
		c.Digest, c.Source = source.digest(), copiedBranches(source, false)
	}
	return c
}

func copiedBranches(h *history, prints bool) []copiedBranch {
	var out []copiedBranch
	for _, l := range h.lines() {
		b := copiedBranch{ID: l.id, Name: l.name, Gone: !h.hasBranch(l.id)}
		var numbers []int
		for _, r := range l.revisions {
			numbers = append(numbers, r.Number)
			if prints {
				b.Prints += printOf(r)
			}
		}
		b.Revisions = ranges(numbers)
		out = append(out, b)
	}
	return out
}

func (h *history) hasBranch(id string) bool {
	return slices.ContainsFunc(h.Branches, func(b osmc.Branch) bool { return b.ID == id })
}

// printOf tells a revision from another one, to name the first that is not what it was: that something is different at all,
// the digest says.
func printOf(r *osmc.Revision) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %q", r.Author, instant(r.Created), r.Description))
	return hex.EncodeToString(sum[:])[:printLength]
}

// numbers are those of a branch's revisions, sorted.
func (b *copiedBranch) numbers() ([]int, error) { return fromRanges(b.Revisions) }

// verifiedRevisions are all numbers that the source had, of all branches.
func (c *copied) verifiedRevisions() (map[int]bool, error) {
	out := map[int]bool{}
	for i := range c.Source {
		numbers, err := c.Source[i].numbers()
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			out[n] = true
		}
	}
	return out, nil
}

// onSource names a branch and revision of the copy by what the source called it, where it was called otherwise.
func (c *copied) onSource(branch string, index, number int) string {
	at := fmt.Sprintf("revision %d of branch %s", number, branch)
	for i := range c.Source {
		if c.Source[i].Name != branch {
			continue
		}
		numbers, err := c.Source[i].numbers()
		if err == nil && index < len(numbers) && numbers[index] != number {
			at = fmt.Sprintf("revision %d of branch %s (%d on the source)", number, branch, numbers[index])
		}
	}
	return at
}

// changed says what has become of the copy since it was verified, "" if nothing.
func (c *copied) changed(now *history) string {
	if now.digest() == c.Copy {
		return ""
	}
	lost, added := c.compare(now)
	switch {
	case lost != "":
		return lost
	case added != "":
		return added
	}
	return "its branches or tags are not those that were verified"
}

// lost says what is not there any more of what was verified, "" if all of it is. What has been added since is the matter of
// those who may edit it. Tags can be taken off by them too.
func (c *copied) lost(now *history) string {
	lost, _ := c.compare(now)
	return lost
}

func (c *copied) compare(now *history) (lost, added string) {
	lines := now.lines()
	for i := range c.Target {
		b := &c.Target[i]
		at := slices.IndexFunc(lines, func(l *line) bool { return l.id == b.ID })
		if at < 0 {
			return fmt.Sprintf("branch %s is gone from the target", b.Name), ""
		}
		numbers, err := b.numbers()
		if err != nil {
			return err.Error(), ""
		}
		if lost := c.compareLine(b, numbers, lines[at]); lost != "" {
			return lost, ""
		}
		if more := lines[at].revisions[len(numbers):]; len(more) > 0 && added == "" {
			added = fmt.Sprintf("revision %s of branch %s was made on the target", revisionText(more[0]), b.Name)
		}
		lines = slices.Delete(lines, at, at+1)
	}
	if len(lines) > 0 && added == "" {
		added = fmt.Sprintf("branch %s was made on the target", lines[0].name)
	}
	return "", added
}

func (c *copied) compareLine(b *copiedBranch, numbers []int, now *line) string {
	for i, n := range numbers {
		where := c.onSource(b.Name, i, n)
		if i >= len(now.revisions) || now.revisions[i].Number != n {
			return where + " is missing on the target"
		}
		if from := i * printLength; from+printLength <= len(b.Prints) && b.Prints[from:from+printLength] != printOf(now.revisions[i]) {
			return fmt.Sprintf("%s is not what was verified: it is now by %s of %s", where, now.revisions[i].Author, instant(now.revisions[i].Created))
		}
	}
	return ""
}

// revisionText names a revision with its author and date.
func revisionText(r *osmc.Revision) string {
	text := fmt.Sprintf("%d by %s", r.Number, r.Author)
	if at := instant(r.Created); at != "" {
		text += " (" + at + ")"
	}
	return text
}

// newer lists the revisions of a source that were not there when it was verified, and the branches.
func (c *copied) newer(now *history) string {
	had, err := c.verifiedRevisions()
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, l := range now.lines() {
		for _, r := range l.revisions {
			if !had[r.Number] {
				words = append(words, fmt.Sprintf("revision %s of branch %s", revisionText(r), l.name))
			}
		}
		if !slices.ContainsFunc(c.Source, func(b copiedBranch) bool { return b.ID == l.id }) && len(l.revisions) == 0 {
			words = append(words, "branch "+l.name)
		}
	}
	return wording.List(words)
}

// copiedOutput is the name under which a step journals what it has verified.
const copiedOutput = "verified"

func packCopied(all map[string]copied) (map[string]string, error) {
	b, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("writing down what was verified: %w", err)
	}
	return map[string]string{copiedOutput: string(b)}, nil
}

func unpackCopied(text string) (map[string]copied, error) {
	var all map[string]copied
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("reading what was verified: %w", err)
	}
	return all, nil
}
