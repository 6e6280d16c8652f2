package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/syncctl/syncctl/fault"
)

// tickInterval is the interval of calls of World.Tick.
const tickInterval = 20 * time.Millisecond

// Options says what to serve and how.
type Options struct {
	Seed     []byte          // the content of sandbox.json: an object, product -> that product's own seed
	SeedName string          // the name of the seed in errors; "" is sandbox.json
	Products map[string]Open // the products that are built in
	Faults   []Fault         // deliberate errors; the first that applies to a request is used
	Person   bool            // serve the stand-in that does a person's steps

	Hide  []Hidden // what is deliberately missing in answers and the output of commands
	Parts *Parts   // collects the parts of answers and of the output of commands, before anything is hidden; may be nil

	AccessLog io.Writer // a JSON line per request, see AccessLine; may be nil. Close does not close it
	ErrorLog  io.Writer // defects of simulated servers, and failed handshakes; may be nil

	Now   func() time.Time                                 // the time for worlds and the access log; nil is time.Now
	Ticks <-chan time.Time                                 // when to call World.Tick; nil is every 20 ms
	Sleep func(ctx context.Context, d time.Duration) error // waits for a `late` answer; nil is a timer
}

// Server is one simulated server, and its address.
type Server struct {
	Product string
	Name    string
	URL     string // https://127.0.0.1:PORT
}

// Machine is one simulated machine, and its address.
type Machine struct {
	Product string
	Name    string
	Address string // of its SSH server: admin@127.0.0.1:PORT
}

// Sandbox is a running set of simulated servers. Its methods may be called from several goroutines.
//
// Worlds are also used from several goroutines: handlers, Tick, Person and State run at the same time, so a World
// must do its own locking.
type Sandbox struct {
	products  []product
	servers   []Server
	authority *authority
	faults    *injector
	hiding    *hiding
	access    *accessLog
	errorLog  *log.Logger
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error

	listeners []*listener
	machines  []*sshServer
	ports     []*portServer
	person    *personServer // nil without a stand-in
	closing   chan struct{} // closed by Close; releases everything that hangs
	closed    sync.Once
	ticking   sync.WaitGroup

	mu     sync.Mutex
	caFile string // where WriteCA last wrote the authority
}

type product struct {
	name     string
	world    World
	machines Machines // nil if it simulates none
	network  Network  // nil if it only handles requests
}

// machineNames returns the names of the product's machines.
func (p product) machineNames() []string {
	if p.machines == nil {
		return nil
	}
	return p.machines.Machines()
}

// names returns the names of the product's servers and machines, each once.
func (p product) names() []string {
	names := append(slices.Clone(p.world.Servers()), p.machineNames()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Start seeds the products' worlds and serves all their servers until Close. If a product of the seed is not built
// in, the error is an *UnknownProductError. ctx limits only the start.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	s, err := openWithin(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.serveAll(ctx, o.Person); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if _, err := s.environment(everyName); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.ticking.Go(func() { s.tick(o.Ticks) })
	return s, nil
}

// openWithin is open that ends with ctx. The worlds are then still being made: how long that takes depends on the seed,
// and it cannot be interrupted.
func openWithin(ctx context.Context, o Options) (*Sandbox, error) {
	type opened struct {
		box *Sandbox
		err error
	}
	done := make(chan opened, 1)
	go func() {
		var r opened
		defer func() { done <- r }()
		defer fault.Catch(&r.err)
		r.box, r.err = open(o)
	}()
	select {
	case r := <-done:
		fault.Raise(r.err)
		return r.box, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("starting the simulated servers: %w", context.Cause(ctx))
	}
}

// open makes the worlds; nothing listens yet.
func open(o Options) (*Sandbox, error) {
	parts, err := splitSeed(o)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{now: o.Now, sleep: o.Sleep, closing: make(chan struct{}), access: &accessLog{w: o.AccessLog}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.sleep == nil {
		s.sleep = wait
	}
	if o.ErrorLog == nil {
		o.ErrorLog = io.Discard
	}
	s.errorLog = log.New(o.ErrorLog, "sandbox: ", 0)
	for _, p := range parts {
		world, err := o.Products[p.product](p.seed)
		if err != nil {
			return nil, fmt.Errorf("seeding %s from %s: %w", p.product, seedName(o), err)
		}
		machines, _ := world.(Machines)
		network, _ := world.(Network)
		s.products = append(s.products, product{p.product, world, machines, network})
		for _, name := range world.Servers() {
			s.servers = append(s.servers, Server{Product: p.product, Name: name})
		}
	}
	if s.faults, err = newInjector(o.Faults, s.products); err != nil {
		return nil, err
	}
	if s.hiding, err = newHiding(o); err != nil {
		return nil, err
	}
	// Clients check certificates by the machine's clock, whatever the time of the worlds is.
	if s.authority, err = newAuthority(time.Now()); err != nil {
		return nil, err
	}
	return s, nil
}

// serveAll first gives every server its address and answers requests afterwards, because a world may send requests to
// another one.
func (s *Sandbox) serveAll(ctx context.Context, person bool) error {
	i := 0
	for _, p := range s.products {
		for _, name := range p.world.Servers() {
			l, err := s.listen(ctx, name, s.gate(p.name, name))
			if err != nil {
				return err
			}
			l.name = name
			s.servers[i].URL = l.url
			p.world.SetURL(name, l.url)
			l.http.Handler = l.answer(s.observe(p.name, name, s.hiding.handler(name, p.world.Handler(name))))
			i++
		}
	}
	if err := s.listenPorts(ctx); err != nil {
		return err
	}
	if err := s.listenMachines(ctx); err != nil {
		return err
	}
	if person {
		l, err := s.listen(ctx, "sandbox", nil)
		if err != nil {
			return err
		}
		s.person = newPersonServer(s, l.url, rand.Text())
		l.http.Handler = l.answer(s.person)
	}
	for _, p := range s.ports {
		p.start(s.gate(p.product.name, serverOf(p.port)), p.serve)
	}
	for _, m := range s.machines {
		m.start(s.gate(m.product, m.machine), m.serve)
	}
	for _, l := range s.listeners {
		l.start()
	}
	return nil
}

// tick calls World.Tick of all worlds until Close.
func (s *Sandbox) tick(ticks <-chan time.Time) {
	if ticks == nil {
		t := time.NewTicker(tickInterval)
		defer t.Stop()
		ticks = t.C
	}
	for {
		select {
		case <-s.closing:
			return
		case <-ticks:
			for _, p := range s.products {
				p.world.Tick(s.now())
			}
		}
	}
}

// Close stops every server and machine, at once even for requests, connections and commands that hang. It returns
// when the last of them has ended and its access line is written. It may be called again. The error is the first
// error of the access log.
func (s *Sandbox) Close() error {
	s.closed.Do(func() {
		close(s.closing)
		s.ticking.Wait()
		for _, l := range s.listeners {
			l.stop()
		}
		for _, m := range s.machines {
			m.stop()
		}
		for _, p := range s.ports {
			p.stop()
		}
	})
	return s.access.err()
}

// Servers lists the simulated servers by product and name.
func (s *Sandbox) Servers() []Server { return slices.Clone(s.servers) }

// Machines lists the simulated machines by product and name.
func (s *Sandbox) Machines() []Machine {
	var out []Machine
	for _, m := range s.machines {
		out = append(out, Machine{m.product, m.machine, m.address()})
	}
	return out
}

// Addresses returns the addresses of the simulated servers, machines and ports, as HOST:PORT, sorted.
func (s *Sandbox) Addresses() []string { return s.addresses(everyName) }

// addresses returns those of the wanted servers and machines, and that of the stand-in.
func (s *Sandbox) addresses(wanted func(name string) bool) []string {
	var out []string
	for address, name := range s.owners() {
		if name == standIn || wanted(name) {
			out = append(out, address)
		}
	}
	slices.Sort(out)
	return out
}

// NamesAt returns the names of the servers and machines at addresses (HOST:PORT), sorted, each once. It is never nil,
// which Isolate takes for all.
func (s *Sandbox) NamesAt(addresses []string) []string {
	out := []string{}
	owners := s.owners()
	for _, a := range addresses {
		if name := owners[a]; name != standIn {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// standIn is the name of the stand-in for a person in owners. No server has this name.
const standIn = ""

// owners returns the names of the servers and machines, by their addresses.
func (s *Sandbox) owners() map[string]string {
	out := map[string]string{}
	for _, l := range s.listeners {
		out[l.socket.Addr().String()] = l.name
	}
	for _, m := range s.machines {
		out[m.socket.Addr().String()] = m.machine
	}
	for _, p := range s.ports {
		out[p.socket.Addr().String()] = serverOf(p.port)
	}
	return out
}

// SetFaults replaces the faults. Requests are counted from 1 again.
func (s *Sandbox) SetFaults(faults []Fault) error {
	in, err := newInjector(faults, s.products)
	if err != nil {
		return err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.faults = in.faults
	return nil
}

// Isolate makes all servers and machines except those of the given names unreachable: connections to them are cut,
// and so are requests over existing connections. The access log has a line for each, with the fault "cut". With nil
// all can be reached again.
func (s *Sandbox) Isolate(names []string) {
	var only map[string]bool
	if names != nil {
		only = map[string]bool{}
		for _, n := range names {
			only[n] = true
		}
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.only = only
}

// gate lets a connection to a server or machine in. If Isolate says so, it cuts the connection and writes a line to
// the access log.
func (s *Sandbox) gate(product, name string) func(net.Conn) bool {
	return func(conn net.Conn) bool {
		if !s.faults.isolated(name) {
			return true
		}
		s.access.write(AccessLine{Time: s.now(), Server: name, Product: product, Protocol: ProtocolTCP,
			Method: MethodConnect, Path: conn.LocalAddr().String(), Reading: true, Fault: string(Cut)})
		_ = conn.Close()
		return false
	}
}

// CA returns the certificate of the throw-away authority, as PEM. Its key never leaves the process.
func (s *Sandbox) CA() []byte { return slices.Clone(s.authority.pem) }

// WriteCA writes the authority's certificate to path, which Environment names from then on. The path is made
// absolute, because commands may run elsewhere.
func (s *Sandbox) WriteCA(fs afero.Fs, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("naming the sandbox's CA file: %w", err)
	}
	if err := afero.WriteFile(fs, path, s.authority.pem, 0o644); err != nil {
		return fmt.Errorf("writing the sandbox's CA file: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caFile = path
	return nil
}

// State returns the whole state of every world as an indented JSON object, product -> state. Equal states give equal
// bytes.
func (s *Sandbox) State() ([]byte, error) {
	all := map[string]any{}
	for _, p := range s.products {
		all[p.name] = p.world.State()
	}
	b, err := indented(all)
	if err != nil {
		return nil, fmt.Errorf("describing the sandbox's state: %w", err)
	}
	return b, nil
}

// Person makes the worlds do what only a person can do, and returns a description of it. It tries every world, in the
// order of product names. A world that does not know the action returns an error that wraps errors.ErrUnsupported, so
// only the refusal of the world that knows it is shown.
func (s *Sandbox) Person(ctx context.Context, action string, values map[string]string) (string, error) {
	var refusals []error
	for _, p := range s.products {
		done, err := p.world.Person(ctx, action, values)
		if err == nil {
			return done, nil
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			refusals = append(refusals, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	if len(refusals) == 0 {
		return "", fmt.Errorf("no simulated product knows the action %q", action)
	}
	return "", errors.Join(refusals...)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
