package syncinfo

// Tally counts the entries that a Reader returns.
type Tally struct {
	Pairs                        int // entries, one per pair
	Comments, HalfComments       int
	Attachments, HalfAttachments int
	SumOutgoing                  int64 // sum of outgoingMessageSequenceId, if an entry has it; -1 if it overflows
	Unsummed                     int   // entries whose outgoingMessageSequenceId is unknown
}

// Counting makes the reader add every entry it returns to t.
func Counting(t *Tally) ReaderOption { return func(r *Reader) { r.tally = t } }

// Sent returns the number of messages that all entries have sent. It is unknown if an entry does not say it: two
// incomplete sums may be equal although messages were sent in between.
func (t *Tally) Sent() (messages int64, known bool) {
	return t.SumOutgoing, t.Unsummed == 0 && t.SumOutgoing >= 0
}

func (t *Tally) add(e *Entry) {
	t.Pairs++
	t.Comments += e.Comments
	t.HalfComments += e.HalfComments
	t.Attachments += e.Attachments
	t.HalfAttachments += e.HalfAttachments
	t.SumOutgoing = addSum(t.SumOutgoing, e.Sequence)
	if !e.Sequence.HasOutgoing || e.Sequence.Outgoing < 0 { // a number of messages is never negative
		t.Unsummed++
	}
}
