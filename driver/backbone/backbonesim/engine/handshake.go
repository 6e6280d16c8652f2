package engine

import (
	"fmt"
	"slices"

	"github.com/syncctl/syncctl/driver/backbone/backbonesim/state"
)

// control handles a message between master and slave that is not about an issue. The status does not matter.
func control(w *state.World, in *state.Integration, m *state.Message) {
	switch m.Kind {
	case handshakeMessage:
		put(w, in.Connectors[0], &state.Message{Kind: pingMessage})
	case pingMessage:
		if in.Status != state.Handshake {
			return
		}
		in.Status = state.Stopped
		if in.Role == state.Slave {
			put(w, in.Connectors[0], &state.Message{Kind: pingMessage})
		}
	case configurationMessage:
		in.Offered = m.Config
		in.Status = state.UpdateRequired
	case updatedMessage:
		if in.Status == state.WaitingForSlave {
			in.Status = state.Stopped // ASSUMED: both halves are started again by hand
		}
	}
}

// CreateMaster creates the master's half. The slave's half is created from its handshake file. Until the two have
// communicated, the status is HANDSHAKE (H/5.14/server/synchronization-message-flow).
func CreateMaster(w *state.World, s *state.Server, transport, projectKey, partnerProject,
	syncUser string) *state.Integration {
	in := w.NewIntegration(s, transport, projectKey+" <> "+partnerProject)
	in.Role, in.PartnerKey, in.Status = state.Master, partnerProject, state.Handshake
	in.NewConnector(s, projectKey, syncUser)
	return in
}

// CreateSlave creates the slave's half from the master's handshake file, and takes the configuration from it.
func CreateSlave(w *state.World, s *state.Server, m *state.Integration, projectKey,
	syncUser string) *state.Integration {
	in := w.NewIntegration(s, m.Transport, m.Summary)
	in.Role, in.PartnerKey, in.Status = state.Slave, m.Connectors[0].Project, state.Handshake
	in.NewConnector(s, projectKey, syncUser)
	in.Partner, m.Partner = m, in
	in.Config = m.Config.Mirrored()
	in.Manual, in.DeliverAfter = m.Manual, m.DeliverAfter
	put(w, in.Connectors[0], &state.Message{Kind: handshakeMessage})
	return in
}

// WaitingMaster finds the master from which a slave on s can be created for these projects.
func WaitingMaster(w *state.World, s *state.Server, transport, projectKey,
	partnerProject string) (*state.Integration, error) {
	for _, in := range w.Integrations() {
		if in.Role == state.Master && in.Transport == transport && in.Server != s && in.Partner == nil &&
			in.Connectors[0].Project == partnerProject && in.PartnerKey == projectKey {
			return in, nil
		}
	}
	return nil, fmt.Errorf("no master for %s with partner project %s waits for a slave: the slave is created from "+
		"the master's handshake file",
		partnerProject, projectKey)
}

// Reconfigure publishes a configuration. A running direct synchronization then needs a restart. Of two halves only
// the master defines mappings, and the slave must adapt before either continues
// (H/5.14/server/synchronization-over-email-or-file-exchange).
func Reconfigure(w *state.World, in *state.Integration, cfg state.Config) error {
	switch {
	case in.Role == state.Slave:
		allowed := in.Config
		if in.Offered != nil {
			allowed = in.Offered.Mirrored()
		}
		if !sameMappings(cfg, allowed) {
			return fmt.Errorf("%s is a slave: only its master creates, changes and deletes mappings", in.Key)
		}
		in.Config = cfg
		if in.Status == state.UpdateRequired {
			in.Offered, in.Status = nil, state.Stopped
			put(w, in.Connectors[0], &state.Message{Kind: updatedMessage})
		}
	case in.Role == state.Master:
		in.Config = cfg
		if in.Partner != nil && in.Status != state.Handshake {
			in.Status = state.WaitingForSlave
			put(w, in.Connectors[0], &state.Message{Kind: configurationMessage, Config: &cfg})
		}
	default:
		in.Config = cfg
		if in.Status == state.Running {
			in.Status = state.RestartRequired
		}
	}
	in.Planted = nil
	in.Modified = w.Stamp()
	return nil
}

func sameMappings(a, b state.Config) bool {
	if len(a.Fields) != len(b.Fields) || len(a.IssueTypes) != len(b.IssueTypes) {
		return false
	}
	for _, t := range a.IssueTypes {
		if !slices.ContainsFunc(b.IssueTypes, func(x state.TypeMapping) bool {
			return x.First == t.First &&
				x.Second == t.Second
		}) {
			return false
		}
	}
	for _, f := range a.Fields {
		if !slices.ContainsFunc(b.Fields, func(x state.FieldMapping) bool {
			return x.First == f.First && x.Second == f.Second && x.Typ == f.Typ
		}) {
			return false
		}
	}
	return true
}
