package machine

import (
	"context"
	"fmt"

	"github.com/syncctl/syncctl/driver/host"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/lazyregexp"
)

// The lines of nodetool status: for each datacenter a title and a table of nodes. A node's line begins with U or D
// (up, down), then N, L, J or M (normal, leaving, joining, moving), then its address.
var (
	nodeLine  = lazyregexp.New(`^([UD?])([NLJM])\s+(\S+)`)
	titleLine = lazyregexp.New(`^(?:Datacenter: |=+$|Status=Up/Down|\|/ State=|--\s+Address|Note: )`)
)

// DatabaseProblem checks whether all nodes of Cassandra are up and normal (UN), which Data Manager needs (MCS
// 247046791). It returns "" if they are.
func (m *Machine) DatabaseProblem(ctx context.Context) (string, error) {
	out, err := m.Host.Run(ctx, host.Command{Args: m.Database})
	if err != nil {
		return "", fmt.Errorf("asking for the nodes of the database of %s: %w", m.Server, err)
	}
	if why := readNodes(out); why != "" {
		return fmt.Sprintf("%s on %s: %s", host.Quote(m.Database), m.Host.Name(), why), nil
	}
	return "", nil
}

func readNodes(out host.Output) string {
	if out.Code != 0 || out.Truncated {
		return fmt.Sprintf("it ended with code %d%s", out.Code, lastLine(out))
	}
	nodes := 0
	for _, line := range wording.Lines(out.Stdout) {
		m := nodeLine.FindStringSubmatch(line)
		switch {
		case m == nil && titleLine.MatchString(line):
		case m == nil:
			return fmt.Sprintf("it is not what nodetool status prints: %s", wording.Quote(line))
		case m[1]+m[2] != "UN":
			return fmt.Sprintf("Cassandra's node %s is %s%s, and must be UN (up and normal)", m[3], m[1], m[2])
		default:
			nodes++
		}
	}
	if nodes == 0 {
		return "it shows no node of Cassandra" + lastLine(out)
	}
	return ""
}
