package offload

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
)

// TestUsedWords checks that of many, only the first are named, with the number of the others.
func TestUsedWords(t *testing.T) {
	used := &survey.Used{}
	for i := range 500 {
		used.Unknown = append(used.Unknown, fmt.Sprintf("Bikes/Frame%03d", i))
		used.By = append(used.By, survey.Use{By: fmt.Sprintf("Bikes/Robot%03d", i), Uses: []string{"Engine"}})
	}
	words := usedWords(used)
	if n := strings.Count(words, "Bikes/"); n != 20 || strings.Count(words, "490") != 2 {
		t.Errorf("%d names: %s", n, words)
	}
}
