package machine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/lazyregexp"
)

// DataManager is the vendor's tool for a server's database. It writes directly to Cassandra, and what it removes
// cannot be restored (MCS 247046791). Neither its exit codes nor the form of its output are documented. So exit code 0
// proves nothing, every effect is read back, and a listing that cannot be read is unknown, never empty.
type DataManager struct {
	host    host.Host
	program []string
}

// batchSize is the number of IDs in one command. ASSUMED: a few hundred IDs of 36 characters fit. A POSIX shell
// accepts a command line of 128 KiB over SSH, Windows 32 KiB.
const batchSize = 200

// pastedSize is the number of IDs in one command that a person pastes. A terminal accepts lines of at most 4096
// characters, and the person has to check what the command removes.
const pastedSize = 20

// longest is the timeout for one datamanager command. ASSUMED: how long a command takes is not documented, and
// removing a batch from a large database must not be interrupted.
const longest = 12 * time.Hour

// ListResources returns the arguments that list all resources (MCS 247046791).
func ListResources() []string { return []string{"-lr"} }

// listRemoved returns the arguments that list the resources marked as deleted.
func listRemoved() []string { return []string{"-lrd"} }

// ListBranches returns the arguments that list the branches of a resource.
func ListBranches(resource string) []string { return []string{"-lb", "resourceID=" + resource} }

// ListRevisions returns the arguments that list the revisions of a branch.
func ListRevisions(resource, branch string) []string {
	return []string{"-lrv", "resourceID=" + resource, "branchID=" + branch}
}

// Remove returns the arguments that remove exactly these resources. -drd, which removes everything that is marked as
// deleted, is never used.
func Remove(ids []string) []string { return append([]string{"-dr"}, ids...) }

// Reactivate returns the arguments for given IDs: they clear the read-only flag of exactly these resources. If
// category is not "", they clear its flag too. All resources in it must then be among the IDs, because the others lose
// the flag as well.
func Reactivate(category string) func(ids []string) []string {
	return func(ids []string) []string {
		args := []string{"-rrof", "--resourceID=" + strings.Join(ids, ",")}
		if category != "" {
			args = append(args, "--categoryID="+category)
		}
		return args
	}
}

// Batches returns the command lines for all IDs.
func Batches(program, ids []string, args func([]string) []string) [][]string {
	return batches(program, ids, batchSize, args)
}

// PastedBatches returns the command lines for all IDs, each short enough for a person to paste.
func PastedBatches(program, ids []string, args func([]string) []string) [][]string {
	return batches(program, ids, pastedSize, args)
}

func batches(program, ids []string, size int, args func([]string) []string) [][]string {
	var out [][]string
	for part := range slices.Chunk(ids, size) {
		out = append(out, slices.Concat(program, args(part)))
	}
	return out
}

// plainID matches IDs that are safe on a command line: not an option, not a list, nothing special to a shell.
var plainID = lazyregexp.New(`^[0-9A-Za-z][0-9A-Za-z._-]*$`)

// longestID is the maximum length of such an ID. In the expression it would take longer to compile than all others.
const longestID = 128

// CheckIDs returns nil if there are IDs and each of them is safe on a command line.
func CheckIDs(ids []string) error {
	if len(ids) == 0 {
		return errors.New("no resource is named, and datamanager is not called without one")
	}
	for _, id := range ids {
		if len(id) > longestID || !plainID.MatchString(id) {
			return fmt.Errorf("%q is not the id of a resource, so it is not put on a command line", id)
		}
	}
	return nil
}

// run runs one command line. An exit code other than 0 is not returned as an error; it is in the output.
func (m DataManager) run(ctx context.Context, args []string) (host.Output, error) {
	all := slices.Concat(m.program, args)
	out, err := m.host.Run(ctx, host.Command{Args: all, Within: longest})
	if err != nil {
		return out, fmt.Errorf("running %s on %s: %w", shown(args), m.host.Name(), err)
	}
	return out, nil
}

// shown returns a command for an error message. Long lists of IDs are cut off.
func shown(args []string) string {
	const most = 3
	if len(args) > most {
		return "datamanager " + strings.Join(args[:most], " ") + " …"
	}
	return "datamanager " + strings.Join(args, " ")
}

// logFile returns the path of datamanager's log, in the folder logs next to the program (MCS 247046791).
func (m DataManager) logFile() string { return logFileOf(m.program) }

func logFileOf(program []string) string {
	for _, word := range slices.Backward(program) {
		if strings.Contains(word, "/") {
			return path.Join(path.Dir(word), "logs", "datamanager.log")
		}
	}
	return "logs/datamanager.log"
}

// FilesOf returns the files on a machine that commands depend on: Data Manager and its log.
func FilesOf(c Commands) []string {
	for _, word := range slices.Backward(c.DataManager) {
		if strings.HasPrefix(word, "/") {
			return []string{word, logFileOf(c.DataManager)}
		}
	}
	return []string{logFileOf(c.DataManager)}
}

// Holding is the set of resources in the database, including those marked as deleted.
type Holding struct {
	ids map[string]bool // in lower case
}

// Has reports whether the database contains a resource.
func (h Holding) Has(id string) bool { return h.ids[strings.ToLower(id)] }

// Of returns those of ids that the database contains, in their order.
func (h Holding) Of(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !h.Has(id) })
}

// Others returns up to n resources in the database that are not among ids, sorted.
func (h Holding) Others(ids []string, n int) []string {
	var out []string
	for id := range h.ids {
		if !slices.ContainsFunc(ids, func(mine string) bool { return strings.EqualFold(mine, id) }) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out[:min(n, len(out))]
}

// Holds lists the resources, including those marked as deleted. Both listings are needed, since -lr is not documented
// to show the latter.
func (m DataManager) Holds(ctx context.Context) (Holding, error) {
	h := Holding{ids: map[string]bool{}}
	for _, args := range [][]string{ListResources(), listRemoved()} {
		ids, err := m.listIDs(ctx, args)
		if err != nil {
			return h, err
		}
		for _, id := range ids {
			h.ids[id] = true
		}
	}
	return h, nil
}

// Branches lists the IDs of a resource's branches.
func (m DataManager) Branches(ctx context.Context, resource string) ([]string, error) {
	ids, err := m.listIDs(ctx, ListBranches(resource))
	return slices.DeleteFunc(ids, func(id string) bool { return strings.EqualFold(id, resource) }), err
}

func (m DataManager) listIDs(ctx context.Context, args []string) ([]string, error) {
	out, err := m.run(ctx, args)
	if err != nil {
		return nil, err
	}
	l := readList(out)
	return l.ids, m.readable(args, l.unreadable)
}

// Revisions lists the revision numbers of a branch. Whether these include revisions of its parent branch is not
// documented.
func (m DataManager) Revisions(ctx context.Context, resource, branch string) ([]int, error) {
	args := ListRevisions(resource, branch)
	out, err := m.run(ctx, args)
	if err != nil {
		return nil, err
	}
	numbers, unreadable := readNumbers(out)
	return numbers, m.readable(args, unreadable)
}

// readable returns nil if why is "", else an error saying that the listing is unreadable.
func (m DataManager) readable(args []string, why string) error {
	if why == "" {
		return nil
	}
	return &unreadableError{fmt.Sprintf("the output of %s on %s cannot be read: %s", shown(args), m.host.Name(), why)}
}

// unreadableError means that a listing proves nothing: neither that something exists nor that it is missing.
type unreadableError struct{ why string }

func (e *unreadableError) Error() string { return e.why }

// IsUnreadable reports whether err is about a listing that proves nothing.
func IsUnreadable(err error) bool { return errors.As(err, new(*unreadableError)) }
