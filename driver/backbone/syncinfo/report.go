package syncinfo

import (
	"fmt"
	"strings"

	"github.com/syncctl/syncctl/driver/wording"
)

// Report says what Merge did.
type Report struct {
	Migrating     Role
	Master, Slave SideReport

	Pairs      int // pairs that both sides have
	Uncompared int // of Pairs: a message sequence id is missing, so it is unknown whether something is in flight

	// Sums over both sides. Half pairs are counted as they were read, before any was completed.
	Comments, HalfComments       int
	Attachments, HalfAttachments int
	Completed                    int // half pairs that were completed

	BytesIn, BytesOut int64
	Seconds           float64 // 0 if there was no clock
	Sha256            string  // of the output, hexadecimal; "" unless it was asked for

	Warnings []Finding // what was allowed, and what is unusual
}

// SideReport is about one of the two inputs.
type SideReport struct {
	Tally     // of its entries
	File      string
	Bytes     int64
	Completed int
}

func (r *Report) sum() {
	m, s := &r.Master, &r.Slave
	r.Comments, r.HalfComments = m.Comments+s.Comments, m.HalfComments+s.HalfComments
	r.Attachments, r.HalfAttachments = m.Attachments+s.Attachments, m.HalfAttachments+s.HalfAttachments
	r.Completed = m.Completed + s.Completed
	r.BytesIn = m.Bytes + s.Bytes
}

// Summary returns the summary for people: what was merged, and the warnings. It ends with a line break.
func (r *Report) Summary() string {
	first, second := &r.Master, &r.Slave
	if r.Migrating == Master {
		first, second = second, first
	}
	var b strings.Builder
	fmt.Fprintf(&b, "merged %s: firstConnector has %s from %s, secondConnector %s from %s\n",
		wording.Plural(r.Pairs, "pair"),
		entries(first.Pairs), first.File, entries(second.Pairs), second.File)
	fmt.Fprintf(&b, "comments %d (%d half), attachments %d (%d half), completed %d\n",
		r.Comments, r.HalfComments, r.Attachments, r.HalfAttachments, r.Completed)
	fmt.Fprintf(&b, "bytes %d in, %d out", r.BytesIn, r.BytesOut)
	if r.Seconds > 0 {
		fmt.Fprintf(&b, ", %.2f seconds, %.0f MB/s", r.Seconds, float64(r.BytesIn)/1e6/r.Seconds)
	}
	b.WriteByte('\n')
	if r.Sha256 != "" {
		fmt.Fprintf(&b, "sha256 %s\n", r.Sha256)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
