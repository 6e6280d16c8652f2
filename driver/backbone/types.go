package backbone

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/backbone/syncinfo"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Words of the language.
const (
	dataCenter = "data_center"
	cloud      = "cloud"

	direct = "direct"
	email  = "email"
	file   = "file"

	master = "master"
	slave  = "slave"
	first  = "first"
	second = "second"

	running = "running"
	stopped = "stopped"

	passthrough     = "passthrough"
	userByEmail     = "user_passthrough_by_email"
	userByName      = "user_passthrough_by_username"
	userPrefix      = "user_prefix"
	userCorrelation = "user_correlation"

	pairByRest   = "rest"
	pairByPerson = "person"
)

// userFields are Jira's own fields that hold users.
var userFields = []string{"assignee", "reporter", "creator"}

// Types are the block types of Backbone.
func (d *Driver) Types() []schema.Type {
	return []schema.Type{serverType(), syncType(), migrationType()}
}

func serverType() schema.Type {
	return schema.Type{
		Kind: schema.Server, Name: "backbone",
		Summary: "A Jira with Backbone Issue Sync (a Data Center) or a Jira Cloud site that one end of a synchronization lives on.",
		Check:   checkServer,
		Body: schema.Body{Attributes: []schema.Attribute{
			{Name: "url", Type: cty.String, Required: true, Doc: "Base URL of the Jira, with its context path: https://jira.example.com/jira."},
			{Name: "deployment", Type: cty.String, Default: cty.StringVal(dataCenter), OneOf: []string{dataCenter, cloud}, Doc: "Where this Jira runs. Backbone's REST interface is used on a Data Center only."},
			{Name: "user", Type: cty.String, Doc: "User name; in the cloud the e-mail address of the account. Without it the token is sent as a personal access token (Bearer)."},
			{Name: "password", Type: cty.String, Secret: true, Doc: "Password of the user."},
			{Name: "token", Type: cty.String, Secret: true, Doc: "API token (cloud) or personal access token (Data Center)."},
			{Name: "site", Type: cty.String, Doc: "The network this server is reached from."},
			{Name: "ca", Type: cty.String, Doc: "Certificates (PEM) of authorities trusted in addition to the system's."},
			{Name: "ca_file", Type: cty.String, Doc: "The same, from a file in the folder of the configuration, or from anywhere with an absolute path. An empty name means none."},
			{Name: "start_stop_verb", Type: cty.String, Default: cty.StringVal("auto"), OneOf: []string{"auto", "put", "post"}, Doc: "HTTP verb of start and stop. The vendor's pages disagree (POST to 4.1, PUT from 5.2), so auto asks with PUT and, where that is refused, with POST."},
			{Name: "requests_per_second", Type: cty.Number, Default: cty.NumberIntVal(50), Doc: "The most requests a second that are sent to this server."},
			{Name: "request_timeout", Type: cty.String, Default: cty.StringVal("30s"), Doc: "How long one request may stay without an answer."},
		}},
	}
}

func endBody() schema.Body {
	return schema.Body{Attributes: []schema.Attribute{
		{Name: "server", Required: true, Ref: &schema.Ref{Kind: schema.Server, Type: "backbone"}, Doc: "The Jira this end lives on."},
		{Name: "project", Type: cty.String, Required: true, Doc: "Key of the Jira project."},
		{Name: "key", Type: cty.String, Doc: "Backbone's own key of the synchronization (INT-16). Needed only where the project has several that look alike."},
		{Name: "jql", Type: cty.String, Doc: "Filter of the issues that are synchronized from this end."},
	}}
}

func syncType() schema.Type {
	return schema.Type{
		Kind: schema.Sync, Name: "backbone",
		Summary: "A Backbone synchronization of two Jira projects.",
		Check:   checkSync,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "transport", Type: cty.String, Required: true, OneOf: []string{direct, email, file}, Doc: "How the two ends talk."},
				{Name: "name", Type: cty.String, Doc: "Name in Backbone's overview."},
				{Name: "state", Type: cty.String, Default: cty.StringVal(running), OneOf: []string{running, stopped}, Doc: "Whether it shall run."},
				{Name: "issue_types", Type: cty.Map(cty.String), Doc: "Issue types of the first end (or the master) and what they are on the other."},
				{Name: "comments", Type: cty.Bool, Doc: "Whether comments are synchronized."},
				{Name: "attachments", Type: cty.Bool, Doc: "Whether attachments are synchronized."},
			},
			Blocks: []schema.Block{
				{Name: first, Body: endBody(), Doc: "Direct: the end that creates and configures the synchronization."},
				{Name: second, Body: endBody(), Doc: "Direct: the other end."},
				{Name: master, Body: endBody(), Doc: "E-mail or file: the end that defines the mappings."},
				{Name: slave, Body: endBody(), Doc: "E-mail or file: the other end."},
				{Name: "field", Label: "field", Doc: "A field mapping.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "mapping", Type: cty.String, Default: cty.StringVal(passthrough), OneOf: []string{passthrough, "correlation", "to_text", userByName, userByEmail, userPrefix, userCorrelation}, Doc: "Kind of mapping."},
					{Name: "to", Type: cty.String, Doc: "The field's name on the other end, where it differs."},
				}}},
			},
		},
	}
}

func migrationType() schema.Type {
	return schema.Type{
		Kind: schema.Migration, Name: "backbone_to_cloud",
		Summary: "Replaces an e-mail or file synchronization by a direct one when the project of one end moves to the cloud.",
		Check:   checkMigration,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "from", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: "backbone", Owns: true, MayBeGone: true}, Doc: "The synchronization that runs today."},
				{Name: "to", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: "backbone", Owns: true}, Doc: "The synchronization that shall run."},
				{Name: "migrating", Type: cty.String, Required: true, OneOf: []string{master, slave}, Doc: "The end whose project moves to the cloud."},
				{Name: "pair", Type: cty.String, Default: cty.StringVal(pairByRest), OneOf: []string{pairByRest, pairByPerson}, Doc: "Whether the pairs are uploaded over REST (documented in one line, its body is not) or by a person on the web page."},
				{Name: "complete_comments", Type: cty.Bool, Default: cty.False, Doc: "Fill the missing half of a comment or attachment pair from the other side's export."},
				{Name: "allow", Type: cty.List(cty.String), Doc: "Checks of the merge that may fail: unmatched, sequence, and so on."},
			},
			Blocks: []schema.Block{
				{Name: "verify", Doc: "How the result is verified.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "sample", Type: cty.Number, Whole: true, Least: 1, Default: cty.NumberIntVal(50), Doc: "How many pairs have their summaries compared on both Jiras."},
					{Name: "new_pairs", Type: cty.Number, Whole: true, Default: cty.Zero, Doc: "How many pairs more than exported the new synchronization may have: issues that were created since it was started."},
					{Name: "within", Type: cty.String, Default: cty.StringVal("30m"), Doc: "How long the new synchronization may take to be in sync."},
				}}},
				{Name: "delete_original", Doc: "Delete the original on both ends once all is verified. Without it the original stays, stopped.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "allow", Type: cty.Number, Whole: true, Required: true, Doc: "How many halves may be deleted: the number the plan shows."},
				}}},
			},
		},
	}
}

func problem(r *schema.Resource, summary, detail string, path ...string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: r.RangeOf(path...)}
}

func checkServer(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	has := func(name string) bool { return !r.Get(name).IsNull() }
	switch {
	case has("password") && has("token"):
		diags = append(diags, problem(r, "Two secrets for one server", "Give either password or token, not both.", "token"))
	case !has("password") && !has("token"):
		diags = append(diags, problem(r, "No secret for the server", "Give a password or a token: Backbone's interface knows no anonymous user."))
	case has("password") && !has("user"):
		diags = append(diags, problem(r, "A password without a user", "Add user, or give a personal access token as token.", "password"))
	case r.Text("deployment") == cloud && !has("user"):
		diags = append(diags, problem(r, "A cloud token without a user", "Jira Cloud wants the account's e-mail address as user beside its API token.", "token"))
	}
	if n := r.Get("requests_per_second"); known(n) && n.LessThanOrEqualTo(cty.Zero).True() {
		diags = append(diags, problem(r, "No requests allowed", "requests_per_second must be above zero.", "requests_per_second"))
	}
	diags = append(diags, checkURL(r)...)
	return append(diags, checkDuration(r, "request_timeout")...)
}

func checkURL(r *schema.Resource) hcl.Diagnostics {
	v := r.Get("url")
	if !known(v) {
		return nil
	}
	u, err := url.Parse(v.AsString())
	why := ""
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		why = "write https://HOST, with the port and the context path where there are any"
	case u.User != nil:
		why = "credentials do not belong into it: give user, and password or token"
	case u.RawQuery != "" || u.Fragment != "":
		why = "nothing may follow the path"
	}
	if why == "" {
		return nil
	}
	return hcl.Diagnostics{problem(r, "Not a base URL", fmt.Sprintf("%q is no base URL of a server: %s.", v.AsString(), why), "url")}
}

func known(v cty.Value) bool { return !schema.IsSensitive(v) && v.IsKnown() && !v.IsNull() }

func checkSync(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	want, others := endNames(r), []string{master, slave}
	if want[0] == master {
		others = []string{first, second}
	}
	for _, end := range want {
		if r.Get(end).IsNull() {
			diags = append(diags, problem(r, "Missing end", fmt.Sprintf("With transport %q a synchronization has the blocks %s and %s.", r.Text("transport"), want[0], want[1])))
			return diags
		}
	}
	for _, end := range others {
		if !r.Get(end).IsNull() {
			diags = append(diags, problem(r, "Wrong kind of end", fmt.Sprintf("With transport %q the ends are called %s and %s, not %s.", r.Text("transport"), want[0], want[1], end), end))
		}
	}
	a, b := r.Ref(want[0], "server"), r.Ref(want[1], "server")
	if a == nil || b == nil {
		return diags
	}
	if a.Addr == b.Addr && r.Text(want[0], "project") == r.Text(want[1], "project") {
		diags = append(diags, problem(r, "One project twice", "Both ends are the same project of the same server.", want[1], "project"))
	}
	for i, s := range []*schema.Resource{a, b} {
		if s.Text("deployment") != cloud {
			continue
		}
		switch {
		case r.Text("transport") != direct:
			diags = append(diags, problem(r, "No e-mail or file exchange with the cloud", fmt.Sprintf("%s is a cloud site. Backbone synchronizes with the cloud directly only (vendor's guide \"Behind firewall\").", s.Addr), want[i], "server"))
		case i == 0:
			diags = append(diags, problem(r, "The cloud cannot configure this synchronization", fmt.Sprintf("%s is a cloud site. The Data Center end has to configure the synchronization (vendor's guide \"Behind firewall\"): make it the first.", s.Addr), first, "server"))
		}
	}
	return append(diags, checkUserMappings(r, a, b)...)
}

// checkUserMappings: the cloud has no user names, so users pass through by e-mail.
func checkUserMappings(r, a, b *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if a.Text("deployment") == b.Text("deployment") {
		return nil
	}
	for _, f := range declaredFields(r) {
		byName := f.Mapping == userByName || f.Mapping == passthrough && slices.Contains(userFields, strings.ToLower(f.First))
		if byName {
			diags = append(diags, problem(r, "Users must be mapped by e-mail",
				fmt.Sprintf("Field %q holds users, and one end is in the cloud, which has no user names: set mapping = %q (vendor's guide \"Behind firewall\", step 3.3).", f.First, userByEmail),
				"field", f.First, "mapping"))
		}
	}
	return diags
}

func checkMigration(r *schema.Resource) hcl.Diagnostics {
	var diags hcl.Diagnostics
	diags = append(diags, checkDuration(r, "verify", "within")...)
	for _, word := range listOf(r, "allow") {
		if !slices.Contains(syncinfo.Rules(), syncinfo.Rule(word)) {
			diags = append(diags, problem(r, "No such check", fmt.Sprintf("allow names %q; the checks of the merge that may be allowed to fail are %s.", word, ruleNames()), "allow"))
		}
	}
	from, to := r.Ref("from"), r.Ref("to")
	if to != nil && to.Text("transport") != direct {
		diags = append(diags, problem(r, "The new synchronization must be direct", fmt.Sprintf("%s has transport %q. With the cloud Backbone synchronizes directly only.", to.Addr, to.Text("transport")), "to"))
	}
	if from != nil && from.Text("transport") == direct {
		diags = append(diags, problem(r, "The original must go by e-mail or file", fmt.Sprintf("%s is direct already; this migration is for synchronizations behind a firewall.", from.Addr), "from"))
	}
	if from == nil || to == nil || diags.HasErrors() {
		return diags
	}
	moving := r.Text("migrating")
	if moving != master && moving != slave {
		return diags
	}
	staying := other(moving)
	if a, b := to.Ref(first, "server"), from.Ref(staying, "server"); a != nil && b != nil && a.Addr != b.Addr {
		diags = append(diags, problem(r, "The end that stays must configure the new synchronization",
			fmt.Sprintf("The %s migrates, so %s stays and must be the server of first in %s; it says %s.", moving, b.Addr, to.Addr, a.Addr), "to"))
	}
	if s := to.Ref(second, "server"); s != nil && known(s.Get("deployment")) && s.Text("deployment") != cloud {
		diags = append(diags, problem(r, "The second end must be the cloud", fmt.Sprintf("%s is no cloud site: set deployment = \"cloud\" there, or name the cloud site in second of %s.", s.Addr, to.Addr), "to"))
	}
	for _, pair := range [][2]string{{first, staying}, {second, moving}} {
		if a, b := to.Get(pair[0], "project"), from.Get(pair[1], "project"); known(a) && known(b) && a.AsString() != b.AsString() {
			diags = append(diags, problem(r, "The project's key changes",
				fmt.Sprintf("%s of %s is %s, but the %s of %s is %s. The issue pairs name issues by key, so the keys must stay.", pair[0], to.Addr, a.AsString(), pair[1], from.Addr, b.AsString()), "to"))
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

func checkDuration(r *schema.Resource, path ...string) hcl.Diagnostics {
	v := r.Get(path...)
	if !known(v) {
		return nil
	}
	if _, err := parseDuration(v.AsString()); err != nil {
		return hcl.Diagnostics{problem(r, "Not a duration", err.Error(), path...)}
	}
	return nil
}

func other(role string) string {
	switch role {
	case master:
		return slave
	case slave:
		return master
	case first:
		return second
	}
	return first
}
