package machine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// LoggedIn is who is logged in to a server beside the user that syncctl works as.
type LoggedIn struct {
	Known bool     `json:"known"`           // the server says it
	Users []string `json:"users,omitempty"` // sorted

	Unasked bool `json:"-"` // a plan does without it: it is looked at when its turn comes
}

// ReadLoggedIn asks who is logged in beside a user. Two people with one account look like one.
func ReadLoggedIn(ctx context.Context, r Reader, server, user string) (LoggedIn, error) {
	users, err := r.LoggedIn(ctx)
	if osmc.NotAllowed(err) {
		return LoggedIn{}, nil
	}
	if err != nil {
		return LoggedIn{}, fmt.Errorf("asking who is logged in to %s: %w", server, err)
	}
	users = slices.DeleteFunc(slices.Clone(users), func(u string) bool {
		return u == "" || strings.EqualFold(schema.NameForm(u), schema.NameForm(user))
	})
	slices.Sort(users)
	return LoggedIn{Known: true, Users: slices.Compact(users)}, nil
}

// Count says how many are logged in.
func (in *LoggedIn) Count() string {
	if !in.Known {
		return "an unknown number"
	}
	return fmt.Sprint(len(in.Users))
}

// words name who is logged in; discreet: how many.
func (in *LoggedIn) words(discreet bool) string {
	if discreet {
		return wording.Plural(len(in.Users), "user")
	}
	return wording.List(in.Users)
}

// forbid says who keeps a server's services from being stopped, "" if nobody does. announced: a person has confirmed
// that nobody works on the server any more. discreet: others read it.
func (in *LoggedIn) forbid(server string, announced, discreet bool) string {
	switch {
	case !in.Known && announced:
		return ""
	case !in.Known:
		return fmt.Sprintf("who is logged in to %s cannot be read (allow_logged_in = true does without)", server)
	case len(in.Users) > 0:
		return fmt.Sprintf("logged in to %s: %s; have them commit and log out", server, in.words(discreet))
	}
	return ""
}
