package machine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/host"
)

// DataManager is the vendor's tool beside a server's database. It writes straight into Cassandra, and what it removes
// is gone for good (MCS 247046791). Neither its exit codes nor the form of what it prints are documented: nothing is
// concluded from an exit code of 0, every effect is read back, and a listing that cannot be read is unknown, never
// empty.
type DataManager struct {
	host    host.Host
	program []string
}

// batchSize is how many ids are given to one command. ASSUMED: a few hundred ids of 36 characters; a POSIX shell
// takes a command line of 128 KiB over SSH, Windows takes 32 KiB.
const batchSize = 200

// pastedSize is how many ids are given to one command that a person pastes: a terminal takes a line of 4096
// characters at most, and a person looks through what it removes.
const pastedSize = 20

// longest is how long one command of datamanager may take. ASSUMED: how long it takes is not documented; a batch that
// is removed from a large database must not be ended halfway.
const longest = 12 * time.Hour

// ListResources are the arguments that list all resources (MCS 247046791).
func ListResources() []string { return []string{"-lr"} }

// listRemoved are the arguments that list what is marked as deleted.
func listRemoved() []string { return []string{"-lrd"} }

// ListBranches are the arguments that list the branches of a resource.
func ListBranches(resource string) []string { return []string{"-lb", "resourceID=" + resource} }

// ListRevisions are the arguments that list the revisions of a branch.
func ListRevisions(resource, branch string) []string {
	return []string{"-lrv", "resourceID=" + resource, "branchID=" + branch}
}

// Remove are the arguments that remove exactly these. -drd, which removes whatever is marked as deleted, is never
// given.
func Remove(ids []string) []string { return append([]string{"-dr"}, ids...) }

// Reactivate are the arguments that take the read-only flag off exactly these, and off a category if all that is in
// it is among them: whatever else is in a category that is named loses the flag too.
func Reactivate(category string) func(ids []string) []string {
	return func(ids []string) []string {
		args := []string{"-rrof", "--resourceID=" + strings.Join(ids, ",")}
		if category != "" {
			args = append(args, "--categoryID="+category)
		}
		return args
	}
}

// Batches are the command lines for all ids.
func Batches(program, ids []string, args func([]string) []string) [][]string {
	return batches(program, ids, batchSize, args)
}

// PastedBatches are the command lines for all ids, each short enough to be pasted by a person.
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

// plainID is what may stand on a command line: no option, no list, nothing that a shell reads.
var plainID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$`)

// CheckIDs is nil where every id may stand on a command line.
func CheckIDs(ids []string) error {
	if len(ids) == 0 {
		return errors.New("no resource is named, and datamanager is not called without one")
	}
	for _, id := range ids {
		if !plainID.MatchString(id) {
			return fmt.Errorf("%q is not the id of a resource, so it is not put on a command line", id)
		}
	}
	return nil
}

// run runs one command line. An exit code other than 0 is not an error here: it is in the output.
func (m DataManager) run(ctx context.Context, args []string) (host.Output, error) {
	all := slices.Concat(m.program, args)
	out, err := m.host.Run(ctx, host.Command{Args: all, Within: longest})
	if err != nil {
		return out, fmt.Errorf("running %s on %s: %w", shown(args), m.host.Name(), err)
	}
	return out, nil
}

// shown is a command in an error: datamanager's first words are enough where the ids are many.
func shown(args []string) string {
	const most = 3
	if len(args) > most {
		return "datamanager " + strings.Join(args[:most], " ") + " …"
	}
	return "datamanager " + strings.Join(args, " ")
}

// logFile is where datamanager writes its log: the folder logs beside it (MCS 247046791).
func (m DataManager) logFile() string { return logFileOf(m.program) }

func logFileOf(program []string) string {
	for _, word := range slices.Backward(program) {
		if strings.Contains(word, "/") {
			return path.Join(path.Dir(word), "logs", "datamanager.log")
		}
	}
	return "logs/datamanager.log"
}

// FilesOf are the files on a machine that are looked at for commands: Data Manager, and its log.
func FilesOf(c Commands) []string {
	for _, word := range slices.Backward(c.DataManager) {
		if strings.HasPrefix(word, "/") {
			return []string{word, logFileOf(c.DataManager)}
		}
	}
	return []string{logFileOf(c.DataManager)}
}

// Holding is which resources the database holds, the marked ones too.
type Holding struct {
	ids map[string]bool // in lower case
}

// Has tells whether the database holds a resource.
func (h Holding) Has(id string) bool { return h.ids[strings.ToLower(id)] }

// Of are those among ids that the database holds, in their order.
func (h Holding) Of(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !h.Has(id) })
}

// Others are up to n that are not among ids, sorted.
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

// Holds lists the resources, those marked as deleted too: -lr is not documented to show them.
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

// Branches lists the ids of a resource's branches.
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

// Revisions lists the numbers of a branch's revisions. Whether those of the branch it comes from are among them is
// not documented.
func (m DataManager) Revisions(ctx context.Context, resource, branch string) ([]int, error) {
	args := ListRevisions(resource, branch)
	out, err := m.run(ctx, args)
	if err != nil {
		return nil, err
	}
	numbers, unreadable := readNumbers(out)
	return numbers, m.readable(args, unreadable)
}

// readable is nil where nothing makes a listing unreadable.
func (m DataManager) readable(args []string, why string) error {
	if why == "" {
		return nil
	}
	return &unreadableError{fmt.Sprintf("the output of %s on %s cannot be read: %s", shown(args), m.host.Name(), why)}
}

// unreadableError is a listing that says nothing: neither that something is there nor that it is missing.
type unreadableError struct{ why string }

func (e *unreadableError) Error() string { return e.why }

// IsUnreadable tells whether an error is about a listing that says nothing.
func IsUnreadable(err error) bool { return errors.As(err, new(*unreadableError)) }
