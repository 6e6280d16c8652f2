package host

import (
	"context"
	"net"
)

// Guard is a machine on which only that is done which the two functions allow: running a command, and connecting to an
// address. What is refused is an *Error, of which nothing was started.
func Guard(h Host, command func(args []string) error, connect func(address string) error) Host {
	return &guarded{Host: h, command: command, connect: connect}
}

type guarded struct {
	Host

	command func(args []string) error
	connect func(address string) error
}

// Run: see Host.
func (g *guarded) Run(ctx context.Context, c Command) (Output, error) {
	if err := g.command(c.Args); err != nil {
		return Output{}, &Error{Host: g.Name(), Doing: c.doing(), Message: err.Error(), Started: StartedNo, cause: err}
	}
	return g.Host.Run(ctx, c)
}

// Dial: see Host.
func (g *guarded) Dial(ctx context.Context, address string) (net.Conn, error) {
	if err := g.connect(address); err != nil {
		return nil, &Error{
			Host: g.Name(), Doing: "connecting to " + address, Message: err.Error(), Started: StartedNo, cause: err,
		}
	}
	return g.Host.Dial(ctx, address)
}
