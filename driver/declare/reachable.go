package declare

import (
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/schema"
)

// ErrElsewhere is wrapped by the error for a server that belongs to another site than this process acts for.
var ErrElsewhere = errors.New("only a process of its own site contacts it")

// Reachable returns an error if a server or machine belongs to another site than this process acts for. It must be
// called before every connection.
func Reachable(r *schema.Resource) error {
	if r == nil || !r.Elsewhere {
		return nil
	}
	return fmt.Errorf("%s is in site %q: %w", r.Addr, r.Site, ErrElsewhere)
}
