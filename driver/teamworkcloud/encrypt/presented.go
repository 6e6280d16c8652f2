package encrypt

import (
	"context"
	"fmt"
	"time"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// presented proves by a TLS handshake what the server's own port presents.
var presented = driver.Verb[*Encryption]{Name: "presented", Verify: (*Encryption).verifyPresented}

func (s *state) presentedStep() planner.Step {
	step := planner.Check(presented.Name, fmt.Sprintf("port %d of %s presents a certificate of %s in a TLS handshake",
		s.want, s.addr(), s.keystore.addr), 2*time.Minute)
	step.Because = "what the server says of itself may differ from what others see"
	step.Args, step.Servers = s.args(), []string{s.addr(), s.keystore.addr}
	return step
}

func (e *Encryption) verifyPresented(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	server, port := connect.Declared(t.Resource), number(t.Step.Args[argPort])
	decl := server.SyncTLS.Keystore
	store, _, err := keystore.ReadFile(ctx, e.Env, decl)
	if err != nil {
		return executor.Verdict{}, err
	}
	seen, err := e.shakeOwnHands(ctx, server, port)
	if err != nil {
		return executor.Verdict{}, err
	}
	if seen.leaf() == nil {
		return executor.NotDone.Because("port %d of %s (%s, seen from %s) shows no certificate: %s", port, server.Address(),
			seen.Address, seen.From, seen.Why), nil
	}
	if why := seen.otherThan(store); why != "" {
		return executor.NotDone.Because("%s, %s (%s)", seen.seen(), why, decl.Addr), nil
	}
	v := executor.Done.Because("%s", seen.seen())
	v.Outputs = map[string]string{"fingerprint": seen.leaf().Fingerprint()}
	return v, nil
}
