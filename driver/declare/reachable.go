package declare

import (
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/schema"
)

// ErrElsewhere is wrapped by the error of a connection to a server of another site than the process acts for.
var ErrElsewhere = errors.New("only a process of its own site contacts it")

// Reachable refuses a server or machine of another site than the process acts for. Whatever connects asks it first.
func Reachable(r *schema.Resource) error {
	if r == nil || !r.Elsewhere {
		return nil
	}
	return fmt.Errorf("%s is in site %q: %w", r.Addr, r.Site, ErrElsewhere)
}
