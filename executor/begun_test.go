package executor

import (
	"testing"

	"github.com/syncctl/syncctl/journal"
)

// A step that was started may have been carried out, until its try is known to have changed nothing; what an earlier
// try may have done remains.
func TestBegun(t *testing.T) {
	const key = "x/remove"
	started := journal.Entry{Key: key, Event: EventStarted}
	unsent := journal.Entry{Key: key, Event: EventFailed, Data: map[string]string{dataSent: "no"}}
	sent := journal.Entry{Key: key, Event: EventFailed, Data: map[string]string{}}
	for name, c := range map[string]struct {
		entries []journal.Entry
		want    bool
	}{
		"never":                         {nil, false},
		"refused":                       {[]journal.Entry{unsent}, false},
		"died inside":                   {[]journal.Entry{started}, true},
		"done":                          {[]journal.Entry{started, {Key: key, Event: EventDone}}, true},
		"changed nothing":               {[]journal.Entry{started, unsent, unsent}, false},
		"perhaps sent":                  {[]journal.Entry{started, sent}, true},
		"perhaps sent, then nothing":    {[]journal.Entry{started, sent, started, unsent, unsent}, true},
		"another step":                  {[]journal.Entry{{Key: "x/stop", Event: EventStarted}}, false},
		"interrupted, and reopened":     {[]journal.Entry{started, sent, {Key: key, Event: EventReopened}}, true},
		"changed nothing, twice":        {[]journal.Entry{started, unsent, started, unsent}, false},
		"changed nothing, then started": {[]journal.Entry{started, unsent, started}, true},
	} {
		if got := historyOf(nil, c.entries, "").of(key).begun; got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
