package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/syncctl/syncctl/cli/internal/view"
	"github.com/syncctl/syncctl/fault"
	"github.com/syncctl/syncctl/schema"
)

// execute carries out the command that the arguments name. A panic becomes an error.
func (c *command) execute(ctx context.Context, args []string) (err error) {
	defer fault.Catch(&err)
	root := c.root()
	if isCompletion(args) {
		return c.offer(ctx, root, args)
	}
	given := args
	defer func() {
		if err != nil && !c.wantsJSON() {
			c.flags.json, _ = typedJSON(root, given)
		}
	}()
	args, err = c.arguments(root, args)
	if err != nil {
		return err
	}
	if found, _, err := root.Find(args); err == nil {
		c.name = nameOf(found)
	}
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		return err
	}
	return c.noHelp
}

// faulty reports a fault of the program itself: what it means for a run, and what to send to whom. The writers redact
// secrets.
func (c *command) faulty(f *fault.Error) {
	text := "this is a fault of syncctl, not of your files or servers: " + schema.Sanitize(f.Text)
	kept := "No run was under way."
	if c.carrying != "" {
		kept = fmt.Sprintf("Run %s is kept. `syncctl apply` resumes it, and repeats nothing that is done.",
			schema.SanitizeLine(c.carrying))
	}
	where := fmt.Sprintf("syncctl %s, %s, %s\n%s", version(), platform(), runtime.Version(), strings.TrimSpace(f.Stack))
	if c.events != nil {
		c.events.Write("error", text, view.FaultEvent{Run: c.carrying, Kept: kept, Where: where})
	}
	if c.events != nil && c.flags.json {
		return
	}
	c.failed(errors.New(text + ".\n" + kept + "\nPlease report it: what you ran, and what follows. Secrets that were " +
		"known are taken out; read it before you send it.\n\n" + where))
}
