package backbone

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
)

// TestSentBy checks that the number of sent messages of a half is only recorded if every entry has it. A sum without
// one of the numbers might stay the same although messages were sent.
func TestSentBy(t *testing.T) {
	t.Parallel()
	const first = `{"localIssueKey":"A-1","remoteIssueKey":"B-1","outgoingMessageSequenceId":2}`
	for entries, want := range map[string]string{
		"":    "0",
		first: "2",
		first + `,{"localIssueKey":"A-2","remoteIssueKey":"B-2"}`:                                   "",
		first + `,{"localIssueKey":"A-2","remoteIssueKey":"B-2","outgoingMessageSequenceId":null}`:  "",
		first + `,{"localIssueKey":"A-2","remoteIssueKey":"B-2","outgoingMessageSequenceNumber":3}`: "",
		first + `,{"localIssueKey":"A-2","remoteIssueKey":"B-2","outgoingMessageSequenceId":3}`:     "5",
	} {
		var tally syncinfo.Tally
		r := syncinfo.NewArrayReader("answer", strings.NewReader("["+entries+"]"), syncinfo.Counting(&tally))
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if got := sentBy(&tally); !errors.Is(err, io.EOF) || got != want {
			t.Errorf("%s: %q, want %q (%v)", entries, got, want, err)
		}
	}
}
