package twcsim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/spf13/afero"
)

// loginFolder is where a login over SSH starts.
const loginFolder = "/home/admin"

// homeOf is where a release is installed unless the administrator says otherwise (MCS/pages/247048049: CATIANoMagicServices
// since 2022xR2, TeamworkCloud before). ASSUMED: the root is /opt.
func homeOf(r release) string {
	if r.since(2022, 2, 0) {
		return "/opt/CATIANoMagicServices"
	}
	return "/opt/TeamworkCloud"
}

// newMachine is a machine with the usual files, and those of the seed over them. They are older than what runs.
func newMachine(r release, home string, plainPort int, files map[string]string, c *clock) (*machine, error) {
	if home == "" {
		home = homeOf(r)
	}
	m := &machine{home: home, sudo: true, fs: &timedFiles{afero.NewMemMapFs(), c}, at: placesOf(r, home), aliases: map[string][]string{}}
	all, err := usualFiles(r, home, plainPort)
	if err != nil {
		return nil, err
	}
	all[bootFile] = string(bootLines(bootBefore(c.get())))
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		if err := m.writeOld(name, []byte(content)); err != nil {
			return nil, err
		}
	}
	if err := m.fs.MkdirAll(loginFolder, 0o755); err != nil {
		return nil, fmt.Errorf("making %s: %w", loginFolder, err)
	}
	return m, nil
}

// Run carries out a command line as a machine's login shell gets it, as the user admin, and gives its exit code: 127 for a
// command that does not exist, 2 for a line that the shell cannot read, 255 for no such machine. What programs read from
// their input is nothing: none of those here asks.
func (w *World) Run(ctx context.Context, name, command string, _ io.Reader, stdout, stderr io.Writer) int {
	code, out, errs := w.run(ctx, name, command)
	// Whoever reads may be slow: that must not stop the world.
	_, _ = stdout.Write(out) // who is gone does not read
	_, _ = stderr.Write(errs)
	return code
}

func (w *World) run(ctx context.Context, name, command string) (code int, out, errs []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.servers[name]
	if s == nil || s.machine == nil {
		return 255, nil, []byte("there is no machine " + name + "\n")
	}
	if ctx.Err() != nil {
		return 130, nil, nil // as if interrupted before it began
	}
	sh := &shell{w: w, s: s, m: s.machine, dir: loginFolder}
	code = sh.line(command)
	return code, sh.out.Bytes(), sh.errs.Bytes()
}

// Reads tells whether a command line only looks. In doubt it does not.
func (w *World) Reads(name, command string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.servers[name]; s == nil || s.machine == nil {
		return false
	}
	list, err := parseLine(command)
	if err != nil || len(list) == 0 {
		return false
	}
	for _, args := range list {
		args, _ = withoutExec(args)
		args, _ = withoutSudo(args)
		if len(args) == 0 {
			return false
		}
		p := programs[path.Base(args[0])]
		if p.reads == nil || !p.reads(args[1:]) {
			return false
		}
	}
	return true
}

// shell reads command lines for one person or one call.
type shell struct {
	w         *World
	s         *server
	m         *machine
	dir       string
	root      bool // needs no sudo
	out, errs bytes.Buffer
}

// line carries out one command line and gives the exit code of what ran last.
func (sh *shell) line(text string) int {
	list, err := parseLine(text)
	if err != nil {
		fmt.Fprintf(&sh.errs, "sh: %v\n", err)
		return 2
	}
	for _, args := range list {
		args, last := withoutExec(args)
		if code := sh.command(args); code != 0 || last {
			return code
		}
	}
	return 0
}

// withoutExec takes exec from the front of a command: the program takes the shell's place, and what follows never runs.
func withoutExec(args []string) (rest []string, last bool) {
	if len(args) > 1 && args[0] == "exec" {
		return args[1:], true
	}
	return args, false
}

// command runs one program with its arguments.
func (sh *shell) command(args []string) int {
	args, sudo := withoutSudo(args)
	if sudo && !sh.root && !sh.m.sudo {
		fmt.Fprintln(&sh.errs, "sudo: a password is required")
		return 1
	}
	if len(args) == 0 {
		fmt.Fprintln(&sh.errs, "usage: sudo command")
		return 1
	}
	p := programs[path.Base(args[0])]
	if p.run == nil || !sh.finds(args[0], p.installed) {
		fmt.Fprintf(&sh.errs, "sh: 1: %s: not found\n", args[0])
		return 127
	}
	return p.run(sh, sudo || sh.root, args)
}

// finds tells whether a program is where it was called. What belongs to the machine is on its path and in /bin, /usr/bin
// and the like; what is installed is a file. ASSUMED: nobody has put datamanager on the path.
func (sh *shell) finds(name string, installed bool) bool {
	if !installed {
		return true
	}
	if path.Base(name) == name {
		return false
	}
	info, err := sh.m.fs.Stat(sh.abs(name))
	return err == nil && !info.IsDir()
}

func (sh *shell) abs(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(sh.dir, name)
}

// withoutSudo takes sudo from the front of a command, with -n, which it never needs here, and --.
func withoutSudo(args []string) (rest []string, sudo bool) {
	if len(args) == 0 || path.Base(args[0]) != "sudo" {
		return args, false
	}
	args = args[1:]
	for len(args) > 0 && (args[0] == "-n" || args[0] == "--") {
		args = args[1:]
	}
	return args, true
}
