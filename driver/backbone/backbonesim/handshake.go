package backbonesim

import (
	"fmt"
	"slices"
)

// control handles a message between master and slave that carries no issue. These are worked on whatever the status.
func (w *World) control(in *integration, m *message) {
	switch m.kind {
	case handshakeMessage:
		w.put(in.connectors[0], &message{kind: pingMessage})
	case pingMessage:
		if in.status != handshake {
			return
		}
		in.status = stopped
		if in.role == slave {
			w.put(in.connectors[0], &message{kind: pingMessage})
		}
	case configurationMessage:
		in.offered = m.config
		in.status = updateRequired
	case updatedMessage:
		if in.status == waitingForSlave {
			in.status = stopped // ASSUMED: both halves are started again by hand
		}
	}
}

// createMaster sets up the first half; the other one is created from its handshake file, and until the two have
// talked its status is HANDSHAKE (H/5.14/server/synchronization-message-flow).
func (w *World) createMaster(s *server, transport, projectKey, partnerProject, syncUser string) *integration {
	in := w.newIntegration(s, transport, projectKey+" <> "+partnerProject)
	in.role, in.partnerKey, in.status = master, partnerProject, handshake
	in.newConnector(s, projectKey, syncUser)
	return in
}

// createSlave sets up the second half from the master's handshake file, of which it takes the configuration.
func (w *World) createSlave(s *server, m *integration, projectKey, syncUser string) *integration {
	in := w.newIntegration(s, m.transport, m.summary)
	in.role, in.partnerKey, in.status = slave, m.connectors[0].project, handshake
	in.newConnector(s, projectKey, syncUser)
	in.partner, m.partner = m, in
	in.config = m.config.mirrored()
	in.manual, in.deliverAfter = m.manual, m.deliverAfter
	w.put(in.connectors[0], &message{kind: handshakeMessage})
	return in
}

// waitingMaster finds the master that a slave of s for these projects can be created from.
func (w *World) waitingMaster(s *server, transport, projectKey, partnerProject string) (*integration, error) {
	for _, in := range w.integrations() {
		if in.role == master && in.transport == transport && in.server != s && in.partner == nil &&
			in.connectors[0].project == partnerProject && in.partnerKey == projectKey {
			return in, nil
		}
	}
	return nil, fmt.Errorf("no master for %s with partner project %s waits for a slave: the slave is created from the master's handshake file",
		partnerProject, projectKey)
}

// reconfigure publishes a configuration. A running direct synchronization needs a restart afterwards. Of two halves
// only the master defines mappings; the slave must adapt before either goes on (H/5.14/server/synchronization-over-email-or-file-exchange).
func (w *World) reconfigure(in *integration, cfg config) error {
	switch {
	case in.role == slave:
		allowed := in.config
		if in.offered != nil {
			allowed = in.offered.mirrored()
		}
		if !sameMappings(cfg, allowed) {
			return fmt.Errorf("%s is a slave: only its master creates, changes and deletes mappings", in.key)
		}
		in.config = cfg
		if in.status == updateRequired {
			in.offered, in.status = nil, stopped
			w.put(in.connectors[0], &message{kind: updatedMessage})
		}
	case in.role == master:
		in.config = cfg
		if in.partner != nil && in.status != handshake {
			in.status = waitingForSlave
			w.put(in.connectors[0], &message{kind: configurationMessage, config: &cfg})
		}
	default:
		in.config = cfg
		if in.status == running {
			in.status = restartRequired
		}
	}
	in.planted = nil
	in.modified = w.stamp()
	return nil
}

func sameMappings(a, b config) bool {
	if len(a.fields) != len(b.fields) || len(a.issueTypes) != len(b.issueTypes) {
		return false
	}
	for _, t := range a.issueTypes {
		if !slices.ContainsFunc(b.issueTypes, func(x typeMapping) bool { return x.first == t.first && x.second == t.second }) {
			return false
		}
	}
	for _, f := range a.fields {
		if !slices.ContainsFunc(b.fields, func(x fieldMapping) bool {
			return x.first == f.first && x.second == f.second && x.typ == f.typ
		}) {
			return false
		}
	}
	return true
}
