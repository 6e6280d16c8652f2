// Package offload moves dormant resources to another server once. A synchronization brings them, every revision is
// verified, and they are removed from the source. On demand they are made editable on the target.
package offload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/schema"
)

// product is the prefix of the IDs of findings.
const product = "teamwork_cloud"

// Declaration is the declaration of an offload.
type Declaration struct {
	declare.Block

	Sync                *schema.Resource  `decl:"sync"`
	RemoveConfiguration bool              `decl:"remove_configuration"`
	Reactivate          bool              `decl:"reactivate"`
	Order               string            `decl:"order"`
	AllowLoggedIn       bool              `decl:"allow_logged_in"`
	RemoveFromSource    *RemoveFromSource `decl:"remove_from_source"` // nil: the source keeps them
}

// RemoveFromSource allows the removal of resources from the source.
type RemoveFromSource struct {
	Allow int `decl:"allow"`
}

// The orders of the steps.
const (
	OrderVerified   = "verified"
	OrderDocumented = "as_documented"
)

// Declared decodes the declaration of an offload.
func Declared(r *schema.Resource) *Declaration {
	o, _ := declare.Decode[Declaration](r)
	return o
}

// Offloading carries out one offload.
type Offloading struct {
	Declaration *Declaration
	Servers     Servers
	Observe     survey.Observer
	Encryption  share.Encryption
}

// Servers connects to the declared servers and their machines.
type Servers interface {
	Reader(server *schema.Resource) (osmc.Reader, error)

	// Window returns the maintenance window of a server at an end of the offload. The release comes from the plan,
	// because a server cannot be asked while its services are stopped.
	Window(server *schema.Resource, end, release string) (*machine.Window, error)
}

// Verbs are the verbs of an offload, in addition to those of its synchronization and of its maintenance windows.
var Verbs = driver.Verbs[*Offloading]{preflight, allArrived, unconfigure, unused, sourceIdle, targetIdle, unchanged,
	remove, maintainSource, maintainTarget, reactivate, editable, finished}

// The names of an offload's steps. It also has those of the synchronization that it owns. Names that end in "_" exist
// once for each server, or for each set of resources.
const (
	opPreflight  = "preflight"
	opAnnounce   = machine.Announce + "_" // + source, target
	opIdle       = machine.Idle + "_"     // + source, target
	opStop       = machine.Stop + "_"     // + source, target
	opUnused     = "unused"
	opUnchanged  = "unchanged"
	opRemove     = "remove"
	opMaintain   = "maintain_" // + source, target: a person does all of it, if no host is declared
	opReactivate = "reactivate"
	opEditable   = verbEditable + "_" // + the resources' fingerprint
	opFinished   = "finished"         // over sites with suffix "_source" or "_target", like opPreflight

	verbEditable     = "editable"
	verbAllArrived   = "all_arrived"        // verb of the offload's step share.VerbArrived
	verbUnconfigured = "all_configurations" // verb of the offload's step share.VerbUnconfigure
)

// The two ends.
const (
	atSource = survey.AtSource
	atTarget = survey.AtTarget
)

// sync returns the synchronization that the offload owns, or nil if it is no longer declared.
func (w *Offloading) sync() *survey.Sync { return survey.Declared(w.Declaration.Sync) }

func (w *Offloading) server(end string) *connect.Server {
	return w.sync().Server(end)
}

// Window returns the maintenance window at an end.
func (w *Offloading) Window(end, release string) (*machine.Window, error) {
	window, err := w.Servers.Window(w.server(end).Resource(), end, release)
	if err == nil {
		window.AllowLoggedIn, window.Discreet = w.Declaration.AllowLoggedIn, w.sync().OverSites()
	}
	return window, err
}

// reach returns the machine at an end.
func (w *Offloading) reach(end, release string) (*machine.Machine, error) {
	window, err := w.Window(end, release)
	if err != nil {
		return nil, err
	}
	return window.Reach()
}

// healthy asks the server at an end itself whether it is healthy.
func (w *Offloading) healthy(ctx context.Context, end string) (executor.Verdict, error) {
	window, err := w.Window(end, "")
	if err != nil {
		return executor.Verdict{}, err
	}
	return window.VerifyHealthy(ctx)
}

// Verify verifies a step against the live servers and their machines.
func (w *Offloading) Verify(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	if err := w.checkDeclared(); err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	return Verbs.Verify(ctx, w, t)
}

// Execute executes what is done on the machines. What is done on web pages, or where no machine is declared, is a step
// for a person and never comes here.
func (w *Offloading) Execute(ctx context.Context, t *executor.Task) (executor.Result, error) {
	if err := w.checkDeclared(); err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return Verbs.Execute(ctx, w, t)
}

// checkDeclared returns nil if the synchronization that the offload owns is declared.
func (w *Offloading) checkDeclared() error {
	if w.sync() == nil {
		return fmt.Errorf("%s is no longer declared", w.Declaration.Reference("sync"))
	}
	return nil
}

// Facts reads the named facts again. Facts about only the target are read only from the target, because the source's
// services may be stopped by then.
func (w *Offloading) Facts(ctx context.Context, names []string) (map[string]string, error) {
	out := map[string]string{}
	if w.sync() == nil {
		return out, nil
	}
	known := map[string]string{} // the versions of servers that a look has shown
	if slices.Contains(names, sourceResources) {
		l, err := w.look(ctx, true)
		if err != nil {
			return nil, err
		}
		out[sourceResources] = resourcesText(l.facts.Resources())
		known[atSource], known[atTarget] = l.facts.Source.Major, l.facts.Target.Major
	}
	for _, name := range names {
		switch end, what, _ := strings.Cut(name, "."); {
		case name == sourceResources:
		case what != "major" || end != atSource && end != atTarget:
			return nil, fmt.Errorf("reading fact %q: an offload has no such fact", name)
		case known[end] != "":
			out[name] = known[end]
		default:
			major, err := w.major(ctx, end)
			if err != nil {
				return nil, err
			}
			out[name] = major
		}
	}
	return out, nil
}

// major returns the major version of the server at an end.
func (w *Offloading) major(ctx context.Context, end string) (string, error) {
	server := w.server(end)
	c, err := w.Servers.Reader(server.Resource())
	if err != nil {
		return "", err
	}
	return survey.ReadMajor(ctx, c, server)
}
