package syncinfo

import (
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/schema"
)

// Limits of what a Reader accepts, apart from the grammar of RFC 8259.
const (
	// DefaultMaxEntry is the maximum size of an entry, in bytes, unless MaxEntry sets another one. A real entry has
	// less than a kilobyte, and about 50 bytes more per comment.
	DefaultMaxEntry = 64 << 20
	// MaxDepth is how deep objects and arrays may be nested in one member of an entry or of the envelope.
	MaxDepth = 512
)

// Section names the array of the envelope that holds an entry.
type Section string

const (
	// First is firstConnector, and the only section of a bare array.
	First Section = "firstConnector"
	// Second is secondConnector.
	Second Section = "secondConnector"
)

// Entry is one pair of synchronized issues as one connector sees it. Its slices point into the Reader's buffers and
// are valid only until the next call of Next, so copy what you want to keep.
type Entry struct {
	Raw          []byte // the entry as it is in the file, from '{' to '}'
	LocalKey     []byte // localIssueKey, decoded; never empty
	RemoteKey    []byte // remoteIssueKey, decoded; never empty
	ConnectorKey []byte // connectorKey, decoded; empty if it is missing or not a string
	ID           []byte // id: the digits of a whole number, a string decoded; empty if it is missing or neither

	Sequence    Sequence // message counters
	OddSequence bool     // a message counter is a number, but not a whole one of 64 bits; it counts as missing

	// The number of {localId, remoteId} objects, and how many of them have only one of the two. null and "" count as
	// missing. The sender of a comment knows only its own ID of it, so half pairs are ordinary.
	Comments, HalfComments       int
	Attachments, HalfAttachments int

	// A localId or remoteId that two of them share, as "localId 10019 twice", or "" if there is none. Only a merge
	// looks for it.
	RepeatedComment, RepeatedAttachment string

	Offset int64 // of Raw in the file, in bytes
	Line   int   // 1-based
	Column int   // 1-based, in bytes
}

// Sequence holds an entry's message counters: the numbers of messages that were sent and applied for the issue. The
// documents do not say what the counters mean; this is inferred from their names and from the vendor's samples (A's
// outgoing equals B's incoming once nothing is in flight).
type Sequence struct {
	Outgoing, Incoming       int64
	HasOutgoing, HasIncoming bool
}

// isKnown reports whether both counters exist.
func (q Sequence) isKnown() bool { return q.HasOutgoing && q.HasIncoming }

// lacks names the counters that are missing to compare both directions of a pair, or returns "" if there are none. a
// and b are the names of its ends.
func (q Sequence) lacks(other Sequence, a, b string) string {
	var missing []string
	for _, c := range [...]struct {
		has bool
		end string
		m   member
	}{
		{q.HasOutgoing, a, outgoing}, {q.HasIncoming, a, incoming},
		{other.HasOutgoing, b, outgoing}, {other.HasIncoming, b, incoming},
	} {
		if !c.has {
			missing = append(missing, memberNames[c.m]+" is unknown at "+clip(c.end))
		}
	}
	return strings.Join(missing, ", ")
}

// Where returns the entry's position in the named file as file:line:column.
func (e *Entry) Where(file string) string {
	return where(file, e.Line, e.Column)
}

func where(file string, line, column int) string {
	return schema.SanitizeLine(file) + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
}

// reset clears an entry for the next one.
func (e *Entry) reset() { *e = Entry{} }
