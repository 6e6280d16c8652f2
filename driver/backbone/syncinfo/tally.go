package syncinfo

// Tally counts what passes a Reader.
type Tally struct {
	Pairs                        int // entries: one for each pair
	Comments, HalfComments       int
	Attachments, HalfAttachments int
	SumOutgoing                  int64 // sum of outgoingMessageSequenceId; -1 if it does not fit
}

// Counting makes the reader add every entry it returns to t.
func Counting(t *Tally) ReaderOption { return func(r *Reader) { r.tally = t } }

func (t *Tally) add(e *Entry) {
	t.Pairs++
	t.Comments += e.Comments
	t.HalfComments += e.HalfComments
	t.Attachments += e.Attachments
	t.HalfAttachments += e.HalfAttachments
	t.SumOutgoing = addSum(t.SumOutgoing, e.Sequence)
}
