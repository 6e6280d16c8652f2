package revision

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
)

// Record is what a run has verified about one resource: which revisions its source had, and the state of its copy on
// the target. It is journaled before services are stopped, because a stopped server cannot be asked.
type Record struct {
	Name      string         `json:"name"`
	ProjectID string         `json:"project,omitempty"` // ID of the modelling tool's project on the source; "": unknown
	Digest    string         `json:"digest,omitempty"`  // of the source's history; "" if only the copy was read
	Source    []BranchRecord `json:"source,omitempty"`
	Copy      string         `json:"copy"` // digest of the copy's history
	Target    []BranchRecord `json:"target"`
}

// BranchRecord is one branch of a resource.
type BranchRecord struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Revisions string `json:"revisions"`        // numbers of the revisions made on it, see encodeNumbers
	Prints    string `json:"prints,omitempty"` // one print per revision, printLength characters each
	Deleted   bool   `json:"gone,omitempty"`   // see Line.Deleted
}

const printLength = 4

// RecordOf returns a record of what was verified. source is nil if only the copy was read.
func RecordOf(name string, source, target *History) Record {
	c := Record{Name: name, Copy: target.Digest(), Target: branchRecords(target, true)}
	if source != nil {
		c.Digest, c.Source = source.Digest(), branchRecords(source, false)
	}
	return c
}

func branchRecords(h *History, prints bool) []BranchRecord {
	var out []BranchRecord
	for _, l := range h.Lines() {
		b := BranchRecord{ID: l.ID, Name: l.Name, Deleted: l.Deleted}
		var numbers []int
		for _, r := range l.Revisions {
			numbers = append(numbers, r.Number)
			if prints {
				b.Prints += printOf(r)
			}
		}
		b.Revisions = encodeNumbers(numbers)
		out = append(out, b)
	}
	return out
}

// IsOf reports whether a source has exactly what is recorded about it. The digest alone is not enough: a record may
// come from another site, with a correct digest and wrong branches.
func (c *Record) IsOf(source *History) bool {
	return c.Digest == source.Digest() && slices.Equal(c.Source, branchRecords(source, false))
}

// printOf returns a short fingerprint of a revision, used to name the first one that has changed. Whether anything has
// changed is decided by the digest.
func printOf(r *osmc.Revision) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %q", r.Author, Instant(r.Created), r.Description))
	return hex.EncodeToString(sum[:])[:printLength]
}

// Numbers returns the numbers of the branch's revisions, sorted.
func (b *BranchRecord) Numbers() ([]int, error) { return decodeNumbers(b.Revisions) }

// VerifiedRevisions returns the numbers of all revisions that the source had, on all branches.
func (c *Record) VerifiedRevisions() (map[int]bool, error) {
	out := map[int]bool{}
	for i := range c.Source {
		numbers, err := c.Source[i].Numbers()
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			out[n] = true
		}
	}
	return out, nil
}

// onSource describes a revision of the copy, with its number on the source if that differs.
func (c *Record) onSource(branch string, index, number int) string {
	at := fmt.Sprintf("revision %d of branch %s", number, branch)
	for i := range c.Source {
		if c.Source[i].Name != branch {
			continue
		}
		numbers, err := c.Source[i].Numbers()
		if err == nil && index < len(numbers) && numbers[index] != number {
			at = fmt.Sprintf("revision %d of branch %s (%d on the source)", number, branch, numbers[index])
		}
	}
	return at
}

// Changed returns what has changed in the copy since it was verified, "" if nothing has.
func (c *Record) Changed(now *History) string {
	if now.Digest() == c.Copy {
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

// OtherProject returns why a copy cannot be known to be of the verified project, "" if it is. Two unknown IDs are not
// equal.
func (c *Record) OtherProject(id string) string {
	switch {
	case c.ProjectID == "":
		return "the source did not show its PROJECT_ID when it was verified"
	case id == "":
		return "the target does not show its PROJECT_ID"
	case id != c.ProjectID:
		return fmt.Sprintf("its PROJECT_ID is %s, that of its original %s", id, c.ProjectID)
	}
	return ""
}

// Lost returns what is missing or changed in the copy compared with what was verified, "" if nothing is. Its users may
// have added revisions since, and removed tags.
func (c *Record) Lost(now *History) string {
	lost, _ := c.compare(now)
	return lost
}

// compare finds the first verified branch or revision that is missing or different now, else the first new one.
func (c *Record) compare(now *History) (lost, added string) {
	lines := now.Lines()
	for i := range c.Target {
		b := &c.Target[i]
		at := slices.IndexFunc(lines, func(l *Line) bool { return l.ID == b.ID })
		if at < 0 {
			return fmt.Sprintf("branch %s is missing on the target", b.Name), ""
		}
		numbers, err := b.Numbers()
		if err != nil {
			return err.Error(), ""
		}
		if lost := c.compareLine(b, numbers, lines[at]); lost != "" {
			return lost, ""
		}
		if more := lines[at].Revisions[len(numbers):]; len(more) > 0 && added == "" {
			added = fmt.Sprintf("revision %s of branch %s was made on the target", revisionText(more[0]), b.Name)
		}
		lines = slices.Delete(lines, at, at+1)
	}
	if len(lines) > 0 && added == "" {
		added = fmt.Sprintf("branch %s was made on the target", lines[0].Name)
	}
	return "", added
}

func (c *Record) compareLine(b *BranchRecord, numbers []int, now *Line) string {
	if len(b.Prints) != len(numbers)*printLength {
		return fmt.Sprintf("branch %s cannot be compared: the record of what was verified is damaged", b.Name)
	}
	for i, n := range numbers {
		where := c.onSource(b.Name, i, n)
		if i >= len(now.Revisions) || now.Revisions[i].Number != n {
			return where + " is missing on the target"
		}
		if from, r := i*printLength, now.Revisions[i]; b.Prints[from:from+printLength] != printOf(r) {
			return fmt.Sprintf("%s is not what was verified: it is now by %s of %s", where, r.Author, Instant(r.Created))
		}
	}
	return ""
}

// revisionText describes a revision by number, author and date.
func revisionText(r *osmc.Revision) string {
	text := fmt.Sprintf("%d by %s", r.Number, r.Author)
	if at := Instant(r.Created); at != "" {
		text += " (" + at + ")"
	}
	return text
}

// Newer lists the revisions and branches that the source did not have when it was verified, "" if there are none.
func (c *Record) Newer(now *History) string {
	had, err := c.VerifiedRevisions()
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, l := range now.Lines() {
		for _, r := range l.Revisions {
			if !had[r.Number] {
				words = append(words, fmt.Sprintf("revision %s of branch %s", revisionText(r), l.Name))
			}
		}
		if !slices.ContainsFunc(c.Source, func(b BranchRecord) bool { return b.ID == l.ID }) && len(l.Revisions) == 0 {
			words = append(words, "branch "+l.Name)
		}
	}
	return wording.List(words)
}

// Records holds what a run has verified, by resource ID.
type Records map[string]Record

// RecordsOutput is the name under which a step journals its records.
const RecordsOutput = "verified"

// Outputs returns the records in the form in which a step journals them.
func (r Records) Outputs() (map[string]string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing down what was verified: %w", err)
	}
	return map[string]string{RecordsOutput: string(b)}, nil
}

// DecodeRecords reads what Outputs wrote under RecordsOutput. It returns nil for "".
func DecodeRecords(text string) (Records, error) {
	var r Records
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("reading what was verified: %w", err)
	}
	return r, nil
}

// IDs returns the IDs of the resources, sorted.
func (r Records) IDs() []string { return slices.Sorted(maps.Keys(r)) }

// Names returns the names of the resources, by ID.
func (r Records) Names() map[string]string {
	names := map[string]string{}
	for id, record := range r {
		names[id] = record.Name
	}
	return names
}

// encodeNumbers writes sorted numbers in a short form, for example "1-14,16".
func encodeNumbers(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(numbers[i]))
		if j > i {
			b.WriteString("-" + strconv.Itoa(numbers[j]))
		}
		i = j + 1
	}
	return b.String()
}

// decodeNumbers reads what encodeNumbers wrote.
func decodeNumbers(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		low, high, ok := strings.Cut(part, "-")
		if !ok {
			high = low
		}
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || to < from || to-from > mostRevisions {
			return nil, fmt.Errorf("reading which revisions were verified: %s is not a range of numbers", wording.Quote(part))
		}
		for n := from; n <= to; n++ {
			out = append(out, n)
		}
	}
	return out, nil
}

// mostRevisions is more than any branch has.
const mostRevisions = 1_000_000
