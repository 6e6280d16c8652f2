package backbone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/lazyregexp"
	"github.com/syncctl/syncctl/schema"
)

// userFields are Jira's own fields that hold users.
var userFields = []string{"assignee", "reporter", "creator"}

// projectKey matches every key that a Jira can have. Administrators may set another pattern, but never one with
// lower-case letters.
var projectKey = lazyregexp.New(`^\p{Lu}[\p{Lu}\p{Nd}_]*$`)

func checkServer(s *serverBlock) hcl.Diagnostics {
	diags := s.Server.Check()
	if s.Deployment == cloud && !s.Has("user") && s.Has("token") {
		diags = append(diags, s.Missing("A cloud token without a user",
			"Jira Cloud wants the account's e-mail address as user beside its API token.", []string{"token"}, []string{"user"}))
	}
	return diags
}

// known decodes the target of a reference as far as it is known, because validate runs without variables. Errors are
// ignored here; they are reported at the target.
func known[T any](r *schema.Resource) *T {
	v, _ := declare.Decode[T](r)
	return v
}

func checkSync(s *syncBlock) hcl.Diagnostics {
	names, others := s.endNames(), [2]string{master, slave}
	if names[0] == master {
		others = [2]string{first, second}
	}
	ends := s.ends()
	if ends[0] == nil || ends[1] == nil {
		var missing []string
		for i, end := range ends {
			if end == nil {
				missing = append(missing, names[i])
			}
		}
		return hcl.Diagnostics{s.Missing("Missing end",
			fmt.Sprintf("With transport %q a synchronization has the blocks %s and %s.", s.Transport, names[0], names[1]),
			nil, missing)}
	}
	var diags hcl.Diagnostics
	if s.Transport == direct && s.Has("issue_types") && s.Known("issue_types") && len(s.IssueTypes) == 0 {
		diags = append(diags, noIssueTypes(s))
	}
	for _, other := range others {
		if s.Has(other) {
			diags = append(diags, s.Problem("Wrong kind of end",
				fmt.Sprintf("With transport %q the ends are called %s and %s, not %s.", s.Transport, names[0], names[1],
					other), other))
		}
	}
	for _, e := range ends {
		if e.Known("project") && !projectKey.MatchString(e.Project) {
			diags = append(diags, e.Problem("Invalid project key", fmt.Sprintf("%q is not the key of a Jira project: a key "+
				"has upper-case letters, digits and underscores, such as SP2.", e.Project), "project"))
		}
	}
	a, b := known[serverBlock](ends[0].Server), known[serverBlock](ends[1].Server)
	if a == nil || b == nil {
		return diags
	}
	if a.Addr() == b.Addr() && ends[0].Project == ends[1].Project && ends[0].Project != "" {
		diags = append(diags, ends[1].Problem("One project twice", "Both ends are the same project of the same server.",
			"project"))
	}
	for i, server := range []*serverBlock{a, b} {
		switch {
		case server.Deployment != cloud:
		case s.Transport != direct:
			diags = append(diags, ends[i].Problem("No e-mail or file exchange with the cloud",
				fmt.Sprintf("%s is a cloud site. Backbone synchronizes with the cloud directly only (%s).", server.Addr(),
					guide), "server"))
		case i == 0:
			diags = append(diags, ends[i].Problem("The cloud cannot configure this synchronization",
				fmt.Sprintf("%s is a cloud site. The Data Center end has to configure the synchronization (%s): "+
					"make it the first.", server.Addr(), guide), "server"))
		}
	}
	return append(diags, checkUserMappings(s, a, b)...)
}

func noIssueTypes(s *syncBlock) *hcl.Diagnostic {
	return s.Missing("No issue type is mapped", fmt.Sprintf("%s cannot be started without issue types: name those of "+
		"the first end and what they are on the other, such as issue_types = { Bug = \"Bug\" }.", s.Addr()),
		[]string{"issue_types"}, []string{"issue_types"})
}

// checkUserMappings refuses mappings of users by name, and passthrough of fields that hold users, if exactly one end is
// in the cloud, which has no user names: there users are mapped by e-mail.
func checkUserMappings(s *syncBlock, a, b *serverBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if a.Deployment == b.Deployment || !a.Known("deployment") || !b.Known("deployment") {
		return nil
	}
	for _, f := range s.fields() {
		if f.Mapping == userByName || f.Mapping == passthrough && slices.Contains(userFields, strings.ToLower(f.First)) {
			diags = append(diags, s.Problem("Users must be mapped by e-mail",
				fmt.Sprintf("Field %q holds users, and one end is in the cloud, which has no user names: set mapping = "+
					"%q (%s, step 3.3).", f.First, userByEmail, guide),
				"field", f.First, "mapping"))
		}
	}
	return diags
}

func checkMigration(m *migrationBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, word := range m.Allow {
		if !slices.Contains(syncinfo.Rules(), syncinfo.Rule(word)) {
			diags = append(diags, m.Problem("No such check",
				fmt.Sprintf("allow names %q; the checks that may be allowed to fail are %s.", word, ruleNames()), "allow"))
		}
	}
	for _, word := range m.Accept {
		if !isPart(word) {
			diags = append(diags, m.Problem("No such part",
				fmt.Sprintf("accept names %q; the parts that may be lost or changed are comments, attachments, first.jql, "+
					"second.jql, field.NAME and issue_types.NAME, or field and issue_types where they are unknown.", word),
				"accept"))
		}
	}
	from, to := known[syncBlock](m.From), known[syncBlock](m.To)
	if to != nil && to.Transport == direct && !to.Has("issue_types") {
		diags = append(diags, noIssueTypes(to))
	}
	if to != nil && to.Transport != "" && to.Transport != direct {
		diags = append(diags, m.Problem("The new synchronization must be direct",
			fmt.Sprintf("%s has transport %q. With the cloud Backbone synchronizes directly only.", to.Addr(),
				to.Transport), "to"))
	}
	if from != nil && from.Transport == direct {
		diags = append(diags, m.Problem("The original must use e-mail or files",
			fmt.Sprintf("%s is direct already; this migration is for synchronizations behind a firewall.", from.Addr()),
			"from"))
	}
	if from == nil || to == nil || diags.HasErrors() || m.Migrating != master && m.Migrating != slave {
		return diags
	}
	return append(diags, checkEnds(m, from, to)...)
}

// checkEnds checks that the end that stays configures the new synchronization, that the other end is in the cloud,
// and that the keys of the projects stay.
func checkEnds(m *migrationBlock, from, to *syncBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	staying, moving := from.end(other(m.Migrating)), from.end(m.Migrating)
	if staying == nil || moving == nil || to.First == nil || to.Second == nil {
		return diags // reported where they are declared
	}
	if a, b := to.First.Server, staying.Server; a != nil && b != nil && a.Addr != b.Addr {
		diags = append(diags, m.Problem("The end that stays must configure the new synchronization",
			fmt.Sprintf("The %s migrates, so %s stays and must be the server of first in %s; it says %s.", m.Migrating,
				b.Addr, to.Addr(), a.Addr), "to"))
	}
	if s := known[serverBlock](to.Second.Server); s != nil && s.Known("deployment") && s.Deployment != cloud {
		diags = append(diags, m.Problem("The second end must be the cloud",
			fmt.Sprintf("%s is not a cloud site: set deployment = \"cloud\" there, or name the cloud site "+
				"in second of %s.", s.Addr(), to.Addr()), "to"))
	}
	for _, pair := range []struct {
		name string
		a, b *endBlock
		role string
	}{{first, to.First, staying, other(m.Migrating)}, {second, to.Second, moving, m.Migrating}} {
		if a, b := pair.a.Project, pair.b.Project; a != "" && b != "" && a != b {
			diags = append(diags, m.Problem("The project's key changes",
				fmt.Sprintf("%s of %s is %s, but the %s of %s is %s. The issue pairs name issues by key, so "+
					"the keys must stay.",
					pair.name, to.Addr(), a, pair.role, from.Addr(), b), "to"))
		}
	}
	return diags
}

func ruleNames() string {
	var names []string
	for _, r := range syncinfo.Rules() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}
