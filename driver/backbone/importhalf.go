package backbone

import (
	"context"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// half drafts an e-mail or file synchronization that has one half on this Jira. The master's half has the mappings
// (H/5.14/server/synchronization-over-email-or-file-exchange), and neither half is in the cloud
// (W/5.21/server/connection-modes).
func (x *importer) half(ctx context.Context, s *drafted, seen *syncSeen) error {
	s.values["transport"] = cty.StringVal(strings.ToLower(s.Channel))
	role := strings.ToLower(s.Role)
	there, partner, doubt := x.partner(s.integration)
	if partner == nil {
		server := x.draftServer(x.otherEnd(s, other(role)), "", cty.StringVal(dataCenter), fmt.Sprintf(
			"The Jira with the %s of %s: no interface shows where it is. %s", other(role), s.Key, doubt))
		project := cty.UnknownVal(cty.String)
		if s.Partner != "" {
			project = cty.StringVal(s.Partner)
		}
		s.end(other(role), server, project, "", nil)
		s.end(role, x.here.ref(), cty.StringVal(s.First.Project), x.keyOfHalf(x.here, s.integration),
			seen.Configuration.FirstJQL)
		s.jqlNote(role, seen.Configuration.FirstJQL)
		s.jqlNote(other(role), nil)
		s.state(role, seen.Status)
		if role == master {
			s.configuration(seen)
		} else {
			s.comments = append(s.comments, "The master's half has the mappings: they were not read.")
		}
		return nil
	}
	opposite, err := x.see(ctx, there, partner)
	if err != nil {
		return err
	}
	if there == x.here {
		x.known[partner.Key] = true
		s.with = []string{partner.Key}
	}
	s.comments = append(s.comments, fmt.Sprintf("No Jira shows the address of the other one. %s on %s is taken for the "+
		"other half: it alone has the other role, the same channel and the same two projects.", partner.Key,
		there.Addr()))
	s.end(role, x.here.ref(), cty.StringVal(s.First.Project), x.keyOfHalf(x.here, s.integration),
		seen.Configuration.FirstJQL)
	s.end(other(role), there.ref(), cty.StringVal(partner.First.Project), x.keyOfHalf(there, partner),
		opposite.Configuration.FirstJQL)
	s.jqlNote(role, seen.Configuration.FirstJQL)
	s.jqlNote(other(role), opposite.Configuration.FirstJQL)
	if seen.Status == opposite.Status {
		s.state("", seen.Status)
	} else {
		s.notes["state"] = fmt.Sprintf("The %s is %s, the %s is %s. Without state both are to be running.", role,
			shownStatus(seen.Status), other(role), shownStatus(opposite.Status))
		s.restless = true
	}
	if role == slave {
		seen = opposite
		s.integration = &opposite.integration // the master's name is the one that is compared, too
	}
	s.configuration(seen)
	return nil
}

// keyOfHalf returns the key of a half if its project has others that look alike, else "".
func (x *importer) keyOfHalf(j *jira, i *integration) string {
	if alike(j, i.First.Project, func(o *integration) bool { return o.isHalf(i.First.Project, i.Partner) }) > 1 {
		return i.Key
	}
	return ""
}

// partner finds the other half, here or on the other declared Jiras. It must be the only one that mirrors this half,
// and must mirror no other one. doubt says why there is none.
func (x *importer) partner(i *integration) (there *jira, half *integration, doubt string) {
	found := 0
	all := append([]*jira{x.here}, x.others...)
	for _, j := range all {
		for _, o := range j.at(i.Partner) {
			if mirrors(i, o) {
				there, half = j, o
				found++
			}
		}
	}
	if found == 1 && len(x.unread) == 0 {
		claims := 0
		for _, j := range all {
			claims += alike(j, half.Partner, func(o *integration) bool { return mirrors(half, o) })
		}
		if claims == 1 {
			return there, half, ""
		}
	}
	doubt = "The declared ones have no half that fits. "
	if found > 0 {
		doubt = "Several halves on the declared ones would fit, or the one that does may belong to another. "
	}
	return nil, nil, strings.TrimSpace(doubt + strings.Join(x.unread, " "))
}

// mirrors reports whether two halves have opposite roles, the same channel and each other's projects.
func mirrors(a, b *integration) bool {
	opposite := a.Role == "MASTER" && b.Role == "SLAVE" || a.Role == "SLAVE" && b.Role == "MASTER"
	return opposite && b.Second == nil && a.Channel == b.Channel && a.Partner != "" &&
		a.Partner == b.First.Project && b.Partner == a.First.Project
}
