package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/ci"
	"github.com/syncctl/syncctl/cli/internal/args"
	"github.com/syncctl/syncctl/schema"
)

// initCI writes the files of a CI system.
func (c *command) initCI(system, dir string) error {
	folder, next := ci.Files(system)
	if folder == nil {
		return failf(exitError, "there is no -ci=%s.%s", schema.SanitizeLine(system),
			args.DidYouMean(system, ci.Systems(), " There are: "+strings.Join(ci.Systems(), ", ")))
	}
	texts, err := (example{name: system, files: folder}).texts()
	if err != nil {
		return err
	}
	if err := c.create(texts, c.abs(dir)); err != nil {
		return err
	}
	if done, err := c.initialized(dir, texts, nil); done {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		c.say("Wrote %s", name)
	}
	c.say("%s How a team works with it: docs/review.md, or `syncctl docs review`.", next)
	return nil
}
