package backbone

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/executor"
)

// TestNewComments checks that a comment on both Jiras is not a duplicate, that one on a single Jira is named, and
// that an unknown number is not compared.
func TestNewComments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before      string
		here, there *int
		want        string
	}{
		"as before":      {`{"A-1":[2,2]}`, ptr(2), ptr(2), "1 of 1 pair counted before and after, none"},
		"written since":  {`{"A-1":[2,2]}`, ptr(3), ptr(3), "none duplicated"},
		"duplicated":     {`{"A-1":[2,2]}`, ptr(2), ptr(4), "A-1 and B-1 have 2 and 4 comments, before the start 2 and 2"},
		"unknown now":    {`{"A-1":[2,2]}`, nil, ptr(4), "0 of 1 pair counted before and after, whether"},
		"unknown before": {``, ptr(2), ptr(4), "whether any is duplicated is unknown"},
	} {
		task := wordTask()
		task.Remember(opStill, executor.Past{Outputs: map[string]string{commentsOutput: c.before}})
		got := newComments(task, []sampled{{pairKeys: pairKeys{"A-1", "B-1"}, here: &issueSeen{comments: c.here},
			there: &issueSeen{comments: c.there}}})
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
