package teamworkcloud

import (
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/schema"
)

// What stops a server's services and starts them again has the same steps for whatever it is done. Op, arguments and guards are
// those of who has it done.

// machineOf is what only one step at a time may use.
func machineOf(server *schema.Resource) []string {
	return []string{"the machine of " + server.Addr.String()}
}

// announcement has the users of a server log out.
func announcement(server *schema.Resource, in loggedIn) planner.Step {
	who := "who is logged in its user may not see"
	if in.Known {
		who = "now " + wording.List(in.Users)
	}
	return planner.Step{
		Mark: planner.MarkPerson, Repeat: planner.CheckFirst, Within: planner.Duration(20 * time.Second),
		Summary: fmt.Sprintf("have everybody commit what they have and log out of %s (%s)", server.Addr, who),
		Because: "its services are going to be stopped, and what is not committed then is lost",
		Manual: &planner.Manual{
			Where: "the users of " + server.Text("url"), Action: "announce",
			Do: []string{
				fmt.Sprintf("Tell the users that %s goes down, and from when to when.", server.Text("url")),
				"Wait until they have committed their work, released their locks and logged out.",
			},
			Values: []planner.Value{{Name: "server", Label: "Server", Value: server.Text("url")}},
			Attest: "nobody works on the server any more (its user may not see who is logged in)",
		},
	}
}

func stopping(u upkeep, because string) planner.Step {
	return planner.Step{
		Mark: planner.MarkChange, Repeat: planner.CheckFirst, Within: planner.Duration(u.within), Exclusive: machineOf(u.server),
		Summary: fmt.Sprintf("stop the services of %s: %s", u.server.Addr, joined(u.stop)),
		Because: because,
		Effect:  &planner.Effect{},
		Undo:    "start them by hand: " + joined(u.start),
	}
}

func starting(u upkeep, because string) planner.Step {
	return planner.Step{
		Mark: planner.MarkChange, Repeat: planner.CheckFirst, Within: planner.Duration(u.within), Exclusive: machineOf(u.server),
		Summary: fmt.Sprintf("start the services of %s, and wait until it is healthy: %s", u.server.Addr, joined(u.start)),
		Because: because,
		Effect:  &planner.Effect{},
		Undo:    "stop them again: " + joined(u.stop),
	}
}
