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

// Env is the environment that a driver is made with.
type Env struct {
	Fs      afero.Fs // relative names start at the folder of the configuration
	Log     hclog.Logger
	Version string // of the program, for User-Agent
	Now     func() time.Time

	// Access decides what the configuration may read on this machine.
	Access schema.Access

	// Sleep waits before a request, because of a server's rate limit or a retry, or until ctx ends. If nil, a timer
	// does.
	Sleep func(ctx context.Context, d time.Duration) error

	// Waiting is called before a driver waits for a server for a second or longer, so that users see at once why
	// nothing happens. Several goroutines call it. It may be nil.
	Waiting func(Wait)

	// Patience returns how long a driver may now wait for something that becomes free by itself, such as a licence.
	// If it is nil, the driver fails at once, and says when to try again.
	Patience func() time.Duration

	// LookupEnv reads the environment, for what belongs to the user and not to the configuration, such as an SSH
	// agent's address. If nil, there is none.
	LookupEnv func(name string) (string, bool)

	// Own returns an error if a file of the user's home folder is not the user's own, because it comes with the
	// configuration. If nil, each is.
	Own func(path string) error

	// Policy says what the user allows configurations to do. If nil, everything is allowed.
	Policy *policy.Policy

	// Dial makes connections that are not HTTP. If nil, the system's dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Wait is a wait for a server.
type Wait struct {
	Server schema.Addr
	For    time.Duration
	Why    string // what the server did, to be shown after its address: "asked for it"
}

// Driver is what a product has to implement.
type Driver interface {
	planner.Driver
	executor.Driver

	// Types returns the block types that the product adds to the language.
	Types() []schema.Type

	// Rules explains each ID of the product that syncctl prints: those of findings and examinations, and words with
	// which a declaration permits or accepts something. Each ID is listed once, and is a constant in the code.
	Rules() []planner.Rule
}

// Closer is a Driver that holds something at the servers, such as sessions, and gives it back in Close. Close is
// called after each command, however it ended. The driver may be used again afterwards.
type Closer interface {
	Close(ctx context.Context) error
}

// Tool is a further command of a product, used as `syncctl PRODUCT NAME`.
type Tool struct {
	Name    string
	Short   string
	Long    string
	Example string
	Flags   func(*pflag.FlagSet)
	Run     func(ctx context.Context, t ToolRun) error
}

// ToolRun is the environment that a tool runs in.
type ToolRun struct {
	Fs     afero.Fs
	Stdin  io.Reader
	Stdout io.Writer // data
	Stderr io.Writer // the summary, for people
	Args   []string
	Flags  *pflag.FlagSet
}
