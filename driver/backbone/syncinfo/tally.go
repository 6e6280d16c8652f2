package syncinfo

// Tally counts what passes a Reader.
type Tally struct {
	Pairs                        int // entries: one for each pair
	Comments, HalfComments       int
	Attachments, HalfAttachments int
	SumOutgoing                  int64 // sum of outgoingMessageSequenceId, where an entry has it; -1 if it does not fit
	Unsummed                     int   // entries whose outgoingMessageSequenceId is unknown
}

// Counting makes the reader add every entry it returns to t.
func Counting(t *Tally) ReaderOption { return func(r *Reader) { r.tally = t } }

// Sent is how many messages were sent over all entries. It is unknown where one of them does not say it: two such
// sums may be equal although messages were sent in between.
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
	if !e.Sequence.HasOutgoing || e.Sequence.Outgoing < 0 { // no number of messages is below 0
		t.Unsummed++
	}
}
