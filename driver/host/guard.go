package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/lazyregexp"
)

// Permission says what may be done on a machine. If a function returns an error, the action is not started. A nil
// function allows everything.
type Permission struct {
	Command func(args []string) error     // running a command
	Connect func(address string) error    // connecting from there to an address
	File    func(f Files, n string) error // reading and writing a file; f are the unguarded files

	// Folder decides whether it may be known that a folder exists. If nil, File decides.
	Folder func(f Files, n string) error
}

// Guard returns a Host that does only what is permitted. Refusals are an *Error or, for files, an *fs.PathError.
// Temporary files and backups that Replace makes for a file count as that file.
func Guard(h Host, p Permission) Host {
	if p.Folder == nil {
		p.Folder = p.File
	}
	return &guarded{Host: h, may: p}
}

type guarded struct {
	Host

	may Permission
}

// Run implements Host.
func (g *guarded) Run(ctx context.Context, c Command) (Output, error) {
	if g.may.Command == nil {
		return g.Host.Run(ctx, c)
	}
	if err := g.may.Command(c.Args); err != nil {
		return Output{}, &Error{Host: g.Name(), Doing: c.doing(), Message: err.Error(), Started: StartedNo, cause: err}
	}
	return g.Host.Run(ctx, c)
}

// Dial implements Host.
func (g *guarded) Dial(ctx context.Context, address string) (net.Conn, error) {
	if g.may.Connect == nil {
		return g.Host.Dial(ctx, address)
	}
	if err := g.may.Connect(address); err != nil {
		return nil, &Error{
			Host: g.Name(), Doing: "connecting to " + address, Message: err.Error(), Started: StartedNo, cause: err,
		}
	}
	return g.Host.Dial(ctx, address)
}

// Files implements Host.
func (g *guarded) Files(ctx context.Context) Files {
	if g.may.File == nil {
		return g.Host.Files(ctx)
	}
	return &guardedFiles{in: g.Host.Files(ctx), may: g.may}
}

// guardedFiles gives access only to permitted files.
type guardedFiles struct {
	in  Files
	may Permission
}

// made matches the names of the files that Replace makes next to a file: its temporary files and its backups.
var made = []*lazyregexp.Regexp{
	lazyregexp.New(`^\.(.+)\.syncctl-[0-9a-f]{16}$`),
	lazyregexp.New(`^(.+)\.[0-9]{8}T[0-9]{6}Z(?:-[0-9]{1,3})?\.bak$`),
}

// madeFor returns the file for which Replace made a file, or name itself if it was not made by Replace.
func madeFor(name string) string {
	for _, re := range made {
		if m := re.FindStringSubmatch(base(name)); m != nil {
			return beside(name, m[1])
		}
	}
	return name
}

// check decides about a file.
func (g *guardedFiles) check(op, name string) error {
	err := g.may.File(g.in, name)
	if own := madeFor(name); err != nil && own != name && g.may.File(g.in, own) == nil && g.madeHere(name) {
		err = nil
	}
	return about(op, name, err)
}

// madeHere reports whether a file with a name that Replace uses may be one that it made. Replace makes no links, and
// a link that somebody else made may point anywhere.
func (g *guardedFiles) madeHere(name string) bool {
	info, err := g.in.Lstat(name)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0
}

// look decides about a query on a file or a folder that is not opened.
func (g *guardedFiles) look(op, name string) error {
	err := g.check(op, name)
	if err != nil && g.may.Folder(g.in, name) == nil {
		return nil
	}
	return err
}

// Stat implements Files.
func (g *guardedFiles) Stat(name string) (fs.FileInfo, error) {
	if err := g.look("stat", name); err != nil {
		return nil, err
	}
	return g.in.Stat(name)
}

// Lstat implements Files.
func (g *guardedFiles) Lstat(name string) (fs.FileInfo, error) {
	if err := g.look("lstat", name); err != nil {
		return nil, err
	}
	return g.in.Lstat(name)
}

// Readlink implements Files.
func (g *guardedFiles) Readlink(name string) (string, error) {
	if err := g.look("readlink", name); err != nil {
		return "", err
	}
	return g.in.Readlink(name)
}

// Names implements Files. For a folder that only leads to permitted files, it returns only the names of permitted
// files.
func (g *guardedFiles) Names(folder string) ([]string, error) {
	if err := g.look("readdir", folder); err != nil {
		return nil, err
	}
	names, err := g.in.Names(folder)
	if g.check("readdir", folder) != nil {
		names = slices.DeleteFunc(names, func(n string) bool { return g.check("readdir", join(folder, n)) != nil })
	}
	return names, err
}

// Open implements Files. The target of the name may have been exchanged before it was opened, so it is checked again
// afterwards.
func (g *guardedFiles) Open(name string) (io.ReadSeekCloser, error) {
	if err := g.check("open", name); err != nil {
		return nil, err
	}
	f, err := g.in.Open(name)
	if err != nil {
		return nil, err
	}
	if err := g.check("open", name); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// Create implements Files. As in Open, the name is checked again after the file is created. A file that is not
// permitted is removed.
func (g *guardedFiles) Create(name string) (NewFile, error) {
	if err := g.check("open", name); err != nil {
		return nil, err
	}
	f, err := g.in.Create(name)
	if err != nil {
		return nil, err
	}
	if err := g.check("open", name); err != nil {
		_ = f.Close() // nothing was written
		// The name may lead to another file by now. It is removed only if it may be the one that was just created.
		if info, gone := g.in.Lstat(name); gone == nil && info.Mode().IsRegular() && info.Size() == 0 {
			err = errors.Join(err, g.in.Remove(name))
		}
		return nil, err
	}
	return f, nil
}

// Rename implements Files.
func (g *guardedFiles) Rename(from, to string) error {
	for _, name := range []string{from, to} {
		if err := g.check("rename", name); err != nil {
			return err
		}
	}
	return g.in.Rename(from, to)
}

// Remove implements Files.
func (g *guardedFiles) Remove(name string) error {
	if err := g.check("remove", name); err != nil {
		return err
	}
	return g.in.Remove(name)
}

// Real returns where an absolute name of another machine leads, with links resolved as far as the machine shows them.
// Parts that are missing, or that the user may not see, are used as written.
func Real(files Files, name string) (string, error) {
	at, rest := "/", parts(name)
	for looks, links := 0, 0; len(rest) > 0; looks++ {
		if looks > maxLooks {
			return "", fmt.Errorf("%s leads through more than %d folders", name, maxLooks)
		}
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		info, err := files.Lstat(next)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", err
		}
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", errCircle
		}
		to, err := readlink(files, next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(to) {
			at = "/"
		}
		rest = append(parts(to), rest...)
	}
	return at, nil
}

// maxLooks is the number of folders that a name may lead through, with those of links: the machine chooses them.
const maxLooks = 1000

var errCircle = errors.New("the links lead in a circle")

// parts returns the parts of a path with slashes.
func parts(name string) []string {
	all := strings.Split(name, "/")
	return slices.DeleteFunc(all, func(part string) bool { return part == "" || part == "." })
}
