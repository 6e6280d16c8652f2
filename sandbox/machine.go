package sandbox

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// loginUser is the user who logs in to every simulated machine.
const loginUser = "admin"

// handshakeWithin is the time limit for logging in.
const handshakeWithin = time.Minute

// sshServer is the SSH server of one simulated machine. Its sessions and commands are part of it.
type sshServer struct {
	door

	sandbox *Sandbox
	product string
	machine string
	world   Machines
	network Network // nil if it forwards no connections
	config  *ssh.ServerConfig
	hostKey ssh.PublicKey
	files   sync.Mutex // makes looking at files and then changing them one operation
}

// listenMachines gives every machine its address and tells it how it is reached. One key opens all machines, and all
// are in one known_hosts text, so that an example needs each only once.
func (s *Sandbox) listenMachines(ctx context.Context) error {
	public, private, err := newLogin()
	if err != nil {
		return err
	}
	var hosts []byte
	for _, p := range s.products {
		for _, name := range p.machineNames() {
			m, err := s.listenMachine(ctx, p, name, public)
			if err != nil {
				return err
			}
			hosts = append(hosts, knownhosts.Line([]string{m.socket.Addr().String()}, m.hostKey)...)
			hosts = append(hosts, '\n')
		}
	}
	for _, m := range s.machines {
		m.world.SetSSH(m.machine, m.address(), private, hosts)
	}
	return nil
}

// newLogin makes the key that opens every machine of a sandbox.
func newLogin() (ssh.PublicKey, []byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the sandbox's SSH key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("making the sandbox's SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "syncctl sandbox (throw-away)")
	if err != nil {
		return nil, nil, fmt.Errorf("writing down the sandbox's SSH key: %w", err)
	}
	return signer.PublicKey(), pem.EncodeToMemory(block), nil
}

var errStranger = errors.New("the sandbox knows neither this user nor this key")

// listenMachine opens a free port on loopback. Nothing is answered before start.
func (s *Sandbox) listenMachine(ctx context.Context, p product, name string, login ssh.PublicKey) (*sshServer,
	error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the host key of machine %s: %w", name, err)
	}
	host, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("making the host key of machine %s: %w", name, err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata,
		offered ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != loginUser || string(offered.Marshal()) != string(login.Marshal()) {
			return nil, errStranger
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for machine %s: %w", name, err)
	}
	m := &sshServer{
		door: door{socket: socket, conns: map[net.Conn]bool{}}, sandbox: s, product: p.name, machine: name,
		world:   p.machines,
		network: p.network, config: config, hostKey: host.PublicKey(),
	}
	s.machines = append(s.machines, m)
	return m, nil
}

func (m *sshServer) address() string { return loginUser + "@" + m.socket.Addr().String() }

// serve answers one connection until it ends. Sessions and commands may outlive it.
func (m *sshServer) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(handshakeWithin)) // if the connection is gone, the handshake shows it
	secured, channels, requests, err := ssh.NewServerConn(conn, m.config)
	if err != nil {
		m.sandbox.errorLog.Printf("machine %s: a login from %s failed: %v", m.machine, conn.RemoteAddr(), err)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	m.running.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		switch offered.ChannelType() {
		case "session":
			channel, asked, err := offered.Accept()
			if err != nil {
				continue // the connection is gone
			}
			m.running.Go(func() { newSession(m, conn, channel).serve(asked) })
		case "direct-tcpip":
			m.running.Go(func() { m.leadOn(offered) })
		default:
			_ = offered.Reject(ssh.UnknownChannelType, "there are only sessions and connections from here")
		}
	}
	_ = secured.Wait() // its error says how the connection ended, which the client knows
}
