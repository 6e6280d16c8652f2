package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"
)

// Inside says how to run a command inside the sandbox. It uses the operating system directly, because a command
// cannot be given another file system.
type Inside struct {
	Dir        string   // the example: the command runs in a copy of it, without its .syncctl
	Executable string   // the program that the command finds as `syncctl`, first in its PATH
	Command    []string // name and arguments; no shell
	Env        []string // base of the environment, as os.Environ returns it
	TempDir    string   // folder for the scratch folder; "" is the system's

	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Signals        <-chan os.Signal // forwarded to the command and everything that it started; may be nil

	DumpBefore string // file for State before the command starts; "" for none
	Dump       string // file for State after the command has ended in any way; "" for none

	// Write replaces a file with such a state, completely or not at all. It is required if a file is named.
	Write func(path string, state []byte) error
	Keep  func(scratch string) // called instead of removing the scratch folder; nil removes it
}

// stopGrace is the time that a command has to end after its context ended, before it is killed.
const stopGrace = 10 * time.Second

// RunInside runs a command inside the sandbox and returns its exit code (128 + number if a signal ended it). The
// sandbox runs until the command ends, whatever signals come: they go to the command, which decides. An error says
// that the command could not be run (then the code is 127 if it was not found, else 126), or that a dump could not be
// written (then the code is the command's).
//
// It calls WriteCA with a file in the scratch folder.
func (s *Sandbox) RunInside(ctx context.Context, in Inside) (code int, err error) {
	if len(in.Command) == 0 {
		return 126, errors.New("there is no command to run inside the sandbox")
	}
	scratch, err := os.MkdirTemp(in.TempDir, "syncctl-sandbox-")
	if err == nil {
		scratch, err = filepath.Abs(scratch)
	}
	if err != nil {
		return 126, fmt.Errorf("making the sandbox's scratch folder: %w", err)
	}
	defer func() {
		if in.Keep != nil {
			in.Keep(scratch)
			return
		}
		if removing := os.RemoveAll(scratch); removing != nil {
			err = errors.Join(err, fmt.Errorf("removing the sandbox's scratch folder: %w", removing))
		}
	}()
	cmd, code, err := s.furnish(ctx, in, scratch)
	if err != nil {
		return code, err
	}
	if err := s.dump(in.DumpBefore, in.Write); err != nil {
		return 126, err
	}
	code, err = run(cmd, in)
	return code, errors.Join(err, s.dump(in.Dump, in.Write))
}

// Process is a program that knows about a sandbox only what its environment says.
type Process struct {
	Executable string // the file
	Args       []string
	Dir        string
	Env        []string // the complete environment

	Stdout, Stderr io.Writer
	Signals        <-chan os.Signal // forwarded to it and everything that it started; may be nil
}

// Run runs the process like RunInside, but without standard input, and returns its exit code. The program's name is
// syncctl. Signals also reach the processes that it started. When ctx ends, it is terminated.
func (p Process) Run(ctx context.Context) (code int, err error) {
	cmd := exec.CommandContext(ctx, p.Executable, p.Args...)
	cmd.Args[0] = "syncctl"
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Dir, p.Env, p.Stdout, p.Stderr
	cmd.Cancel = func() error { return terminate(cmd) }
	cmd.WaitDelay = stopGrace
	return run(cmd, Inside{Command: cmd.Args, Signals: p.Signals})
}

// furnish creates everything that the command needs in the scratch folder, and makes the command. The code belongs to
// the error.
func (s *Sandbox) furnish(ctx context.Context, in Inside, scratch string) (*exec.Cmd, int, error) {
	work, bin := filepath.Join(scratch, "work"), filepath.Join(scratch, "bin")
	if err := copyFolder(in.Dir, work); err != nil {
		return nil, 126, fmt.Errorf("copying %s into the sandbox: %w", in.Dir, err)
	}
	if err := placeExecutable(in.Executable, bin); err != nil {
		return nil, 126, err
	}
	if err := s.WriteCA(afero.NewOsFs(), filepath.Join(scratch, "ca.pem")); err != nil {
		return nil, 126, err
	}
	env := environmentMap(in.Env)
	path := bin
	if env["PATH"] != "" {
		path += string(os.PathListSeparator) + env["PATH"]
	}
	maps.Copy(env, s.Environment())
	env["PATH"], env["PWD"] = path, work

	program, err := findProgram(in.Command[0], path, work)
	if err != nil {
		return nil, 127, err
	}
	cmd := exec.CommandContext(ctx, program, in.Command[1:]...)
	cmd.Args[0] = in.Command[0]
	cmd.Dir = work
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in.Stdin, in.Stdout, in.Stderr
	cmd.Cancel = func() error { return terminate(cmd) }
	cmd.WaitDelay = stopGrace
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	return cmd, 0, nil
}

// run starts the command in its own process group and waits until it has ended.
func run(cmd *exec.Cmd, in Inside) (int, error) {
	release := ownGroup(cmd, in.Stdin)
	if err := cmd.Start(); err != nil {
		release()
		return 126, fmt.Errorf("starting %s: %w", in.Command[0], err)
	}
	ended, forwarding := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(forwarding)
		for {
			select {
			case <-ended:
				return
			case signal, open := <-in.Signals:
				if !open {
					return
				}
				_ = signalGroup(cmd, signal) // it may just have ended
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-forwarding
	release()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && cmd.ProcessState == nil {
		return 126, fmt.Errorf("waiting for %s: %w", in.Command[0], err)
	}
	return exitCode(cmd.ProcessState), nil
}

// dump writes the state to a file.
func (s *Sandbox) dump(path string, write func(string, []byte) error) error {
	if path == "" {
		return nil
	}
	b, err := s.State()
	if err != nil {
		return err
	}
	if err := write(path, b); err != nil {
		return fmt.Errorf("writing the sandbox's state: %w", err)
	}
	return nil
}

// copyFolder copies a folder with its content, except .syncctl at its top, because a rehearsal begins without earlier
// runs.
func copyFolder(from, to string) error {
	from, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	if info, err := os.Stat(from); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", from)
	}
	// os.Root would refuse a folder that is itself reached by a link; WalkDir on "from/." does not.
	return filepath.WalkDir(from+string(filepath.Separator)+".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case rel == ".syncctl" && !d.IsDir():
			return nil
		case rel == ".syncctl", path == filepath.Dir(to): // the copy may be inside of the original
			return filepath.SkipDir
		}
		return copyEntry(d, path, filepath.Join(to, rel), from)
	})
}

func copyEntry(d fs.DirEntry, path, target, root string) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		// Examples may be read-only, as in a module cache; the copy must be writable.
		return os.MkdirAll(target, mode.Perm()|0o700)
	case mode&fs.ModeSymlink != 0:
		link, err := os.Readlink(path)
		if err != nil {
			return err
		}
		// A relative link out of the folder would lead elsewhere from the copy.
		absolute := filepath.Join(filepath.Dir(path), link)
		if rel, err := filepath.Rel(root, absolute); !filepath.IsAbs(link) && (err != nil || !filepath.IsLocal(rel)) {
			link = absolute
		}
		return os.Symlink(link, target)
	case mode.IsRegular():
		return copyFile(path, target, mode.Perm()|0o600)
	}
	return fmt.Errorf("%s is neither file, folder nor link", path)
}

func copyFile(from, to string, perm fs.FileMode) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

// placeExecutable makes a folder in which the program has the name syncctl.
func placeExecutable(executable, bin string) error {
	if err := os.Mkdir(bin, 0o755); err != nil {
		return fmt.Errorf("making the sandbox's program folder: %w", err)
	}
	absolute, err := filepath.Abs(executable)
	if err != nil {
		return fmt.Errorf("naming the program %s: %w", executable, err)
	}
	if _, err := os.Stat(absolute); err != nil {
		return fmt.Errorf("finding the program that is to be syncctl in the sandbox: %w", err)
	}
	name := filepath.Join(bin, "syncctl")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if os.Symlink(absolute, name) == nil {
		return nil
	}
	// Links need a privilege on some systems.
	if err := copyFile(absolute, name, 0o755); err != nil {
		return fmt.Errorf("putting syncctl into the sandbox: %w", err)
	}
	return nil
}

// findProgram looks up a command like a shell inside the sandbox. exec.LookPath would use this process's PATH, which
// may have another syncctl.
func findProgram(name, path, work string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) || strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(work, name)
		}
		program, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("finding the command to run inside the sandbox: %w", err)
		}
		return program, nil
	}
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) { // also "": folders relative to the current folder are not searched
			continue
		}
		if program, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("finding the command to run inside the sandbox: there is no %s in PATH", name)
}

func environmentMap(env []string) map[string]string {
	m := map[string]string{}
	for _, item := range env {
		if name, value, ok := strings.Cut(item, "="); ok && name != "" {
			m[name] = value
		}
	}
	return m
}
