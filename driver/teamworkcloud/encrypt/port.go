package encrypt

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// openPort uploads the server's keystore, and opens the encrypted port for clients.
var openPort = driver.Verb[*Encryption]{
	Name: "encrypted_port", Execute: (*Encryption).openPort, Verify: (*Encryption).verifyPort,
}

// factPort is the fact that the port is unchanged.
const factPort = "client_tls"

// fact returns the state of the port as one word.
func (p *Port) fact() string {
	switch {
	case !p.Known:
		return "not shown"
	case !p.Enabled:
		return "off"
	}
	return "on:" + strconv.Itoa(p.Port)
}

func (s *state) portStep() planner.Step {
	step := planner.Act(openPort.Name, planner.MarkAdd, planner.CheckFirst,
		fmt.Sprintf("open the encrypted port %d of %s, with the certificate of %s", s.want, s.addr(), s.keystore.addr))
	step.Because = "it is closed, and encrypted clients, other servers among them, connect to it"
	step.Effect, step.Undo = &planner.Effect{Add: 1}, "close it again in Settings, Server settings"
	if s.port.Enabled {
		step.Mark, step.Effect = planner.MarkChange, &planner.Effect{Change: 1}
		step.Undo = "give it its former keystore and port again in Settings, Server settings"
		step.Summary, step.Because = s.portChange()
	}
	step.Within, step.Args = planner.Duration(time.Minute), s.args()
	step.Servers = []string{s.addr(), s.keystore.addr}
	step.Exclusive = []string{"the encrypted port of " + s.addr()}
	step.Facts = []planner.Fact{{Name: factPort, Value: s.port.fact()}}
	return step
}

// portChange returns what changes at a port that is already open, and why.
func (s *state) portChange() (summary, because string) {
	if s.port.Port != s.want {
		return fmt.Sprintf("move the encrypted port of %s from %d to %d, with the certificate of %s", s.addr(),
			s.port.Port, s.want,
			s.keystore.addr), "it is declared so"
	}
	because = "it presents another one"
	if leaf := s.shown.leaf(); leaf != nil {
		because = "it presents " + wording.OneLine(leaf.String())
		if len(s.lacks) > 0 {
			because += ", without the certificate of " + wording.QuotedList(s.lacks)
		}
	}
	return fmt.Sprintf("give the encrypted port %d of %s the certificate of %s", s.want, s.addr(),
		s.keystore.addr), because
}

// openPort uploads the keystore file as it is (PUT /osmc/admin/tls).
func (e *Encryption) openPort(ctx context.Context, t *executor.Task) (executor.Result, error) {
	server := connect.Declared(t.Resource)
	decl := server.SyncTLS.Keystore
	store, content, err := keystore.ReadFile(ctx, e.Env, decl)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	if why := unfitKeystore(store); why != "" {
		return executor.Result{}, executor.NotSent(fmt.Errorf("%s: %s", decl.Addr, why))
	}
	w, err := e.Servers.Writer(t.Resource)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	name, _ := keystore.Location(decl)
	state := osmc.ClientTLS{
		Enabled: true, Port: number(t.Step.Args[argPort]), Keystore: content,
		KeystoreName: path.Base(strings.ReplaceAll(name, `\`, "/")),
	}
	if err := w.SetClientTLS(ctx, state, keystore.Password(decl).Reveal()); err != nil {
		return executor.Result{}, connect.Sent(fmt.Errorf("opening the encrypted port of %s: %w", server.Address(), err))
	}
	return executor.Result{}, nil
}

// unfitKeystore returns why a keystore cannot identify a server, "" if it can.
func unfitKeystore(s *keystore.Store) string {
	switch {
	case len(s.Entries) == 0:
		return "it has no key, so there is nothing to present"
	case s.Entries[0].Sealed:
		return fmt.Sprintf("the password of the keystore does not open the key of %s", &s.Entries[0])
	}
	return ""
}

// verifyPort verifies that the server reports the port as open, and by a handshake whose certificate it presents.
func (e *Encryption) verifyPort(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	server, port := connect.Declared(t.Resource), number(t.Step.Args[argPort])
	p, err := e.readPort(ctx, server)
	switch {
	case err != nil:
		return executor.Verdict{}, fmt.Errorf("reading the encrypted port of %s: %w", server.Address(), err)
	case !p.Known:
		return executor.Unknown.Because("%s does not say how its encrypted port stands", server.Address()), nil
	case !p.Enabled:
		return executor.NotDone.Because("the encrypted port of %s is closed", server.Address()), nil
	case p.Port != port:
		return executor.NotDone.Because("the encrypted port of %s is %d", server.Address(), p.Port), nil
	}
	store, _, err := keystore.ReadFile(ctx, e.Env, server.SyncTLS.Keystore)
	if errors.Is(err, keystore.ErrNoFile) || errors.As(err, new(*keystore.Error)) {
		return executor.NotDone.Because("%s: %s", server.SyncTLS.Keystore.Addr, wording.OneLine(err.Error())), nil
	}
	if err != nil {
		return executor.Verdict{}, err
	}
	seen, err := e.shakeOwnHands(ctx, server, port)
	if err != nil {
		return executor.Verdict{}, err
	}
	leaf := seen.leaf()
	switch {
	case leaf == nil && t.Executed: // whether it can be seen from here is verified by the last step
		return executor.Done.Because("the server says that port %d is open", port), nil
	case leaf == nil:
		return executor.NotDone.Because("port %d shows no certificate: %s", port, seen.Why), nil
	}
	if why := seen.otherThan(store); why != "" {
		return executor.NotDone.Because("port %d presents %s, %s (%s)", port, wording.OneLine(leaf.String()), why,
			server.SyncTLS.Keystore.Addr), nil
	}
	return executor.Done.Because("%s", seen.seen()), nil
}

// shakeOwnHands makes a handshake with a server's own port.
func (e *Encryption) shakeOwnHands(ctx context.Context, server *connect.Server, port int) (*Handshake, error) {
	address, name := ownPort(server, port)
	return e.shakeHands(ctx, server.Resource(), address, name)
}
