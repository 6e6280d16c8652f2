package offload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
)

// Check checks the rules of an offload that do not depend on the state of its servers.
func Check(o *Declaration) hcl.Diagnostics {
	var diags hcl.Diagnostics
	keeps := o.Known("remove_configuration") && !o.RemoveConfiguration
	if o.Reactivate && keeps {
		diags = append(diags, o.Problem("Editable while it is synchronized",
			"What a configuration still synchronizes must stay read-only "+
				"(\""+share.SyncPage+"\"): with reactivate = true, remove_configuration must be true.", "reactivate"))
	}
	sync := survey.Declared(o.Sync)
	if sync == nil {
		return diags
	}
	if sync.Known("trigger") && sync.Trigger != survey.EveryCommit {
		diags = append(diags, o.Problem("The trigger must be every commit",
			fmt.Sprintf("%s has trigger = %q. Resources are offloaded with a "+
				"configuration for every new commit (%s).", sync.Address(), sync.Trigger, share.SyncPage), "sync"))
	}
	if sync.IsRemoved() {
		diags = append(diags, o.Problem("The synchronization is removed",
			fmt.Sprintf("%s has state = \"removed\". The migration itself looks "+
				"after its configurations: leave state out.", sync.Address()), "sync"))
	}
	if !sync.Known("verify", "compare") || keeps || o.RemoveFromSource == nil {
		return diags
	}
	var missing []string
	for _, part := range revision.Optional() {
		if !slices.Contains(sync.Verify.Compare, part) {
			missing = append(missing, string(part))
		}
	}
	if len(missing) > 0 {
		d := o.Problem("Not everything is verified before it is removed",
			fmt.Sprintf("verify { compare } of %s leaves out %s: a loss there "+
				"goes unnoticed until the source is removed.", sync.Address(), strings.Join(missing, ", ")), "remove_from_source")
		d.Severity = hcl.DiagWarning
		diags = append(diags, d)
	}
	return diags
}
