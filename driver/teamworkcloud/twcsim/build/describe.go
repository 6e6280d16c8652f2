package build

import (
	_ "embed"

	"github.com/syncctl/syncctl/sandbox/seed"
)

// meanings has a line for each member of the seed.
//
//go:embed seed.txt
var meanings string

// Describe returns the members of the seed.
func Describe() ([]seed.Member, error) { return seed.Describe[seedWorld](meanings) }
