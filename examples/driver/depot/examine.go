package depot

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/schema"
)

var _ driver.Doctor = (*Driver)(nil)

// Examine looks at a depot for `syncctl doctor`: it logs in, and looks for the boxes that are declared there.
func (d *Driver) Examine(ctx context.Context, r *schema.Resource, users []*schema.Resource) []driver.Examination {
	c, err := d.reader(r)
	if err != nil {
		return []driver.Examination{{
			What: driver.WhatReached, State: driver.Fail, Seen: err.Error(), Advice: "Correct its declaration.",
		}}
	}
	err = c.logIn(ctx)
	found := driver.ExamineEndpoint(ctx, c.endpoint(), r.Text("url"), err, d.env.Now())
	switch {
	case c.endpoint() == nil, errors.Is(err, rest.ErrAddress): // no answer, or somebody else's
		return found
	case err != nil:
		return append(found, driver.Examination{
			What: driver.WhatCredentials, State: driver.Fail, Seen: err.Error(), Advice: "Check user and password.",
		})
	}
	found = append(found, driver.Examination{
		What: driver.WhatCredentials, State: driver.OK, Seen: fmt.Sprintf("accepted, as %s", r.Text("user")),
	})
	for _, user := range users {
		found = append(found, examineBox(ctx, c, user)...)
	}
	return found
}

// examineBox examines the box that a declaration is about. One that is missing is added later, so all is well.
func examineBox(ctx context.Context, c reader, user *schema.Resource) []driver.Examination {
	declared, diags := decodeBox(user)
	if diags.HasErrors() {
		return nil // planning says so, at its line
	}
	x := driver.Examination{What: whatBox + " " + declared.Box, State: driver.OK}
	b, err := c.box(ctx, declared.Box)
	switch {
	case err != nil:
		x.State, x.Seen, x.Advice = driver.Unknown, err.Error(), "Ask the keeper."
	case b == nil:
		x.Seen = "there is none yet"
	default:
		x.Seen = b.String()
	}
	return []driver.Examination{x}
}
