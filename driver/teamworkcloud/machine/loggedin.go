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

// LoggedIn holds the users who are logged in to a server, except the user of syncctl.
type LoggedIn struct {
	Known bool     `json:"known"`           // the server reports who is logged in
	Users []string `json:"users,omitempty"` // sorted

	Unasked bool `json:"-"` // not asked for the plan; checked when the step runs
}

// ReadLoggedIn returns who is logged in except user. Two people who share an account count as one.
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

// Count returns how many users are logged in, as a text.
func (in *LoggedIn) Count() string {
	if !in.Known {
		return "an unknown number"
	}
	return fmt.Sprint(len(in.Users))
}

// words names who is logged in. If discreet is true, it only says how many.
func (in *LoggedIn) words(discreet bool) string {
	if discreet {
		return wording.Plural(len(in.Users), "user")
	}
	return wording.List(in.Users)
}

// forbid returns why a server's services may not be stopped, "" if they may. announced: a person has confirmed that
// nobody works on the server any more. discreet: other companies read the text, so nobody is named.
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
