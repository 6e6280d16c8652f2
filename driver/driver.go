// Package driver is the contract between syncctl and a product.
package driver

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/afero"
	"github.com/spf13/pflag"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/policy"
	"github.com/syncctl/syncctl/schema"
)

// Env is what a driver gets of the world when it is made.
type Env struct {
	Fs      afero.Fs // relative names mean the folder of the configuration
	Log     hclog.Logger
	Version string // of the program, for User-Agent
	Now     func() time.Time

	// Access is what a policy permits the configuration to read on this machine.
	Access schema.Access

	// Sleep waits before a request where a server's rate limit or a repetition asks for it, or until ctx ends. nil: a
	// timer.
	Sleep func(ctx context.Context, d time.Duration) error

	// Waiting is told when a driver waits for a server for a second or longer, before it does: whoever looks wants to know
	// at once why nothing happens. Several goroutines call it. nil: nobody looks.
	Waiting func(Wait)

	// Patience tells for how long a driver may wait, at this moment, for what becomes free by itself, such as a licence.
	// nil: it fails at once, and says when to try again.
	Patience func() time.Duration

	// LookupEnv reads the environment, for what belongs to the person rather than to the configuration, such as an SSH
	// agent's address. nil: there is none.
	LookupEnv func(name string) (string, bool)

	// Policy is what the user allows configurations to do. nil: everything.
	Policy *policy.Policy

	// Dial makes connections that are no HTTP. nil: the system's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Wait is a wait for a server.
type Wait struct {
	Server schema.Addr
	For    time.Duration
	Why    string // what the server did, to be read behind its address: "asked for it"
}

// Driver is all that the program asks of a product.
type Driver interface {
	planner.Driver
	executor.Driver

	// Types are the block types the product brings to the language.
	Types() []schema.Type

	// Rules explain each id that the product brings to what syncctl prints: findings, examinations, and words by which
	// a declaration permits or accepts something. Each stands there once, as a constant in the code.
	Rules() []planner.Rule
}

// Closer is a Driver that holds something at the servers, such as sessions, and gives it back in Close. Close is
// called once a command has ended, however it ended; the driver may be used again afterwards.
type Closer interface {
	Close(ctx context.Context) error
}

// Tool is a command that a product brings beside the reconciler, shown as `syncctl PRODUCT NAME`.
type Tool struct {
	Name    string
	Short   string
	Long    string
	Example string
	Flags   func(*pflag.FlagSet)
	Run     func(ctx context.Context, t ToolRun) error
}

// ToolRun is what a tool gets of the world.
type ToolRun struct {
	Fs     afero.Fs
	Stdin  io.Reader
	Stdout io.Writer // data
	Stderr io.Writer // the summary, for people
	Args   []string
	Flags  *pflag.FlagSet
}
