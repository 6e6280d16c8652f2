package teamworkcloud

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/host"
)

// dataManager is the vendor's tool beside a server's database. It writes straight into Cassandra, and what it removes is gone
// for good (MCS 247046791). Neither its exit codes nor the form of what it prints are documented: nothing is concluded from an
// exit code of 0, every effect is read back, and a listing that cannot be made out is unknown, never empty.
type dataManager struct {
	host    host.Host
	program []string
}

// batch is how many ids are given to one command. ASSUMED: a few hundred ids of 36 characters; a POSIX shell takes a command
// line of 128 KiB over SSH, Windows takes 32 KiB.
const batch = 200

// The arguments of datamanager (MCS 247046791).
func listResourcesArgs() []string               { return []string{"-lr"} }
func listRemovedArgs() []string                 { return []string{"-lrd"} }
func listBranchesArgs(resource string) []string { return []string{"-lb", "resourceID=" + resource} }

func listRevisionsArgs(resource, branch string) []string {
	return []string{"-lrv", "resourceID=" + resource, "branchID=" + branch}
}

// removeArgs removes exactly these. -drd, which removes whatever else is marked as deleted, is never given.
func removeArgs(ids []string) []string { return append([]string{"-dr"}, ids...) }

// reactivateArgs takes the read-only flag off exactly these, and off the category that they are all of, if there is one: in any
// other, whatever else is in it would lose the flag with them.
func reactivateArgs(category string) func(ids []string) []string {
	return func(ids []string) []string {
		args := []string{"-rrof", "--resourceID=" + strings.Join(ids, ",")}
		if category != "" {
			args = append(args, "--categoryID="+category)
		}
		return args
	}
}

// eachBatch gives the command lines for all ids.
func eachBatch(program, ids []string, args func([]string) []string) [][]string {
	var out [][]string
	for part := range slices.Chunk(ids, batch) {
		out = append(out, slices.Concat(program, args(part)))
	}
	return out
}

// plainID is what may stand on a command line: no option, no list, nothing that a shell reads.
var plainID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$`)

func checkIDs(ids []string) error {
	if len(ids) == 0 {
		return errors.New("no resource is named: datamanager is not called without one")
	}
	for _, id := range ids {
		if !plainID.MatchString(id) {
			return fmt.Errorf("%q is no id of a resource: it is not put on a command line", id)
		}
	}
	return nil
}

// run carries one command line out. What it needs is an answer: an exit code other than 0 is in the output.
func (m dataManager) run(ctx context.Context, args []string) (host.Output, error) {
	all := slices.Concat(m.program, args)
	out, err := m.host.Run(ctx, host.Command{Args: all})
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
func (m dataManager) logFile() string {
	for _, word := range slices.Backward(m.program) {
		if strings.Contains(word, "/") {
			return path.Join(path.Dir(word), "logs", "datamanager.log")
		}
	}
	return "logs/datamanager.log"
}

// holding is which resources the database holds, the marked ones too.
type holding struct {
	ids map[string]bool // in lower case
}

func (h holding) has(id string) bool { return h.ids[strings.ToLower(id)] }

// of are those among ids that the database holds, in their order.
func (h holding) of(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !h.has(id) })
}

// others are up to n that are not among ids, sorted.
func (h holding) others(ids []string, n int) []string {
	var out []string
	for id := range h.ids {
		if !slices.ContainsFunc(ids, func(mine string) bool { return strings.EqualFold(mine, id) }) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out[:min(n, len(out))]
}

// holds lists the resources, those marked as deleted too: -lr is not documented to show them.
func (m dataManager) holds(ctx context.Context) (holding, error) {
	h := holding{ids: map[string]bool{}}
	for _, args := range [][]string{listResourcesArgs(), listRemovedArgs()} {
		out, err := m.run(ctx, args)
		if err != nil {
			return h, err
		}
		l := readList(out)
		if l.unreadable != "" {
			return h, &unreadableError{fmt.Sprintf("what %s on %s lists cannot be made out: %s", shown(args), m.host.Name(), l.unreadable)}
		}
		for _, id := range l.ids {
			h.ids[id] = true
		}
	}
	return h, nil
}

// branches lists the ids of a resource's branches.
func (m dataManager) branches(ctx context.Context, resource string) ([]string, error) {
	args := listBranchesArgs(resource)
	out, err := m.run(ctx, args)
	if err != nil {
		return nil, err
	}
	l := readList(out)
	if l.unreadable != "" {
		return nil, &unreadableError{fmt.Sprintf("what %s on %s lists cannot be made out: %s", shown(args), m.host.Name(), l.unreadable)}
	}
	return slices.DeleteFunc(l.ids, func(id string) bool { return strings.EqualFold(id, resource) }), nil
}

// revisions lists the numbers of a branch's revisions. Whether those of the branch it comes from are among them is not
// documented.
func (m dataManager) revisions(ctx context.Context, resource, branch string) ([]int, error) {
	args := listRevisionsArgs(resource, branch)
	out, err := m.run(ctx, args)
	if err != nil {
		return nil, err
	}
	numbers, unreadable := readNumbers(out)
	if unreadable != "" {
		return nil, &unreadableError{fmt.Sprintf("what %s on %s lists cannot be made out: %s", shown(args), m.host.Name(), unreadable)}
	}
	return numbers, nil
}

// unreadableError is a listing that says nothing: neither that something is there nor that it is gone.
type unreadableError struct{ why string }

func (e *unreadableError) Error() string { return e.why }

func isUnreadable(err error) bool { return errors.As(err, new(*unreadableError)) }
