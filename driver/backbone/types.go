package backbone

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/syncctl/syncctl/driver/declare"
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

	bidirectional = "bidirectional"
	firstToSecond = "first_to_second"
	secondToFirst = "second_to_first"

	pairByRest   = "rest"
	pairByPerson = "person"

	markProperty = "project_property"
	markNone     = "none"
)

// mappings lists the kinds of field mappings.
func mappings() []string {
	return []string{passthrough, "correlation", "to_text", userByName, userByEmail, userPrefix, userCorrelation}
}

// directions lists the ways in which a field can be synchronized. The documents say that a mapping is bidirectional
// or unidirectional (H/5.20/cloud/field-mappings). ASSUMED: how that is spelled.
func directions() []string { return []string{bidirectional, firstToSecond, secondToFirst} }

// guide names the vendor's guide that the order of a migration follows.
const guide = `vendor's guide "Behind firewall"`

// serverBlock is a declared Jira.
type serverBlock struct {
	declare.Server

	Deployment string `decl:"deployment"`
	Site       string `decl:"site"`
	Verb       string `decl:"start_stop_verb"`
}

// endBlock is a declared end of a synchronization.
type endBlock struct {
	declare.Block

	Server  *schema.Resource `decl:"server"`
	Project string           `decl:"project"`
	Key     string           `decl:"key"`
	JQL     *string          `decl:"jql"`
}

// syncBlock is a declared synchronization.
type syncBlock struct {
	declare.Block

	Transport   string                `decl:"transport"`
	Name        *string               `decl:"name"`
	State       string                `decl:"state"`
	IssueTypes  map[string]string     `decl:"issue_types"`
	Comments    *bool                 `decl:"comments"`
	Attachments *bool                 `decl:"attachments"`
	Fields      map[string]fieldBlock `decl:"field"`

	First  *endBlock `decl:"first"`
	Second *endBlock `decl:"second"`
	Master *endBlock `decl:"master"`
	Slave  *endBlock `decl:"slave"`
}

type fieldBlock struct {
	Mapping   string  `decl:"mapping"`
	To        *string `decl:"to"`
	Direction string  `decl:"direction"`
}

// migrationBlock is a declared migration.
type migrationBlock struct {
	declare.Block

	From             *schema.Resource `decl:"from"`
	To               *schema.Resource `decl:"to"`
	Migrating        string           `decl:"migrating"`
	Pair             string           `decl:"pair"`
	Mark             string           `decl:"mark"`
	TakeOver         string           `decl:"take_over"`
	CompleteComments bool             `decl:"complete_comments"`
	Allow            []string         `decl:"allow"`
	Accept           []string         `decl:"accept"`
	Verify           *verifyBlock     `decl:"verify"`
	DeleteOriginal   *deleteBlock     `decl:"delete_original"`
}

type verifyBlock struct {
	Sample   int           `decl:"sample"`
	NewPairs int           `decl:"new_pairs"`
	Within   time.Duration `decl:"within"`
}

type deleteBlock struct {
	Allow int `decl:"allow"`
}

// Types returns the block types of Backbone.
func (d *Driver) Types() []schema.Type {
	return []schema.Type{serverType(), syncType(), migrationType()}
}

// defaultRate is the default limit of requests per second to one server. A declaration can set another.
const defaultRate = 50

func serverType() schema.Type {
	attributes := declare.ServerAttributes(
		"Base URL of the Jira, with its context path: https://jira.example.com/jira.",
		"User name; in the cloud the e-mail address of the account. Without it the token is sent as a personal "+
			"access token (Bearer).",
		"API token (cloud) or personal access token (Data Center).")
	for i := range attributes {
		if attributes[i].Name == "requests_per_second" {
			attributes[i].Default = cty.NumberIntVal(defaultRate)
		}
	}
	return declare.Type(schema.Type{
		Kind: schema.Server, Name: "backbone",
		Summary: "A Jira with Backbone Issue Sync (a Data Center) or a Jira Cloud site that one end of a " +
			"synchronization lives on.",
		Example: serverExample, Full: serverFull,
		Body: schema.Body{Attributes: append(attributes,
			schema.Attribute{Name: "deployment", Type: cty.String, Default: cty.StringVal(dataCenter),
				OneOf: []string{dataCenter, cloud},
				Doc:   "Where this Jira runs. Backbone's REST interface is used on a Data Center only."},
			schema.Attribute{Name: "site", Type: cty.String, Doc: "The network this server is reached from."},
			schema.Attribute{Name: "start_stop_verb", Type: cty.String, Default: cty.StringVal("auto"),
				OneOf: []string{"auto", "put", "post"},
				Doc: "HTTP verb of start and stop. The vendor's pages disagree (POST to 4.1, PUT from 5.2), so auto asks with " +
					"PUT and, where that is refused, with POST."},
		)},
	}, checkServer)
}

// Where the blocks of the ends must be there.
const (
	whereDirect = "where transport is direct"
	whereApart  = "where transport is email or file"
)

func endBody() schema.Body {
	return schema.Body{Attributes: []schema.Attribute{
		{Name: "server", Required: true, Ref: &schema.Ref{Kind: schema.Server, Type: "backbone", Flow: schema.FlowBoth},
			Doc: "The Jira this end lives on."},
		{Name: "project", Type: cty.String, Required: true, Brief: true, Doc: "Key of the Jira project."},
		{Name: "key", Type: cty.String, Doc: "Backbone's own key of the synchronization (INT-16). Needed only where " +
			"the project has several that look alike."},
		{Name: "jql", Type: cty.String, Doc: "Filter of the issues that are synchronized from this end."},
	}}
}

func syncType() schema.Type {
	field := schema.Body{Attributes: []schema.Attribute{
		{Name: "mapping", Type: cty.String, Default: cty.StringVal(passthrough), Doc: "Kind of mapping.",
			OneOf: mappings()},
		{Name: "to", Type: cty.String, Doc: "The field's name on the other end, where it differs."},
		{Name: "direction", Type: cty.String, Default: cty.StringVal(bidirectional), OneOf: directions(),
			Doc: "Which way the field is synchronized; the first end is the one that configures (first, or master)."},
	}}
	return declare.Type(schema.Type{
		Kind: schema.Sync, Name: "backbone",
		Summary: "A Backbone synchronization of two Jira projects.",
		Example: syncExample, Full: syncFull,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "transport", Type: cty.String, Required: true, Brief: true, OneOf: []string{direct, email, file},
					Doc: "How the two ends talk."},
				{Name: "name", Type: cty.String, Doc: "Name in Backbone's overview."},
				{Name: "state", Type: cty.String, Brief: true, Default: cty.StringVal(running), OneOf: []string{running, stopped},
					Doc: "Whether it shall run."},
				{Name: "issue_types", Type: cty.Map(cty.String), Doc: "Issue types of the first end (or the master) and " +
					"what they are on the other. A direct synchronization that is not there yet needs one: without, the " +
					"plan is refused."},
				{Name: "comments", Type: cty.Bool, Doc: "Whether comments are synchronized."},
				{Name: "attachments", Type: cty.Bool, Doc: "Whether attachments are synchronized."},
			},
			Blocks: []schema.Block{
				{Name: first, Body: endBody(), When: whereDirect, Doc: "The end that creates and configures the synchronization."},
				{Name: second, Body: endBody(), When: whereDirect, Doc: "The other end."},
				{Name: master, Body: endBody(), When: whereApart, Doc: "The end that defines the mappings."},
				{Name: slave, Body: endBody(), When: whereApart, Doc: "The other end."},
				{Name: "field", Label: "field", Doc: "A field mapping.", Body: field},
			},
		},
	}, checkSync)
}

func migrationType() schema.Type {
	return declare.Type(schema.Type{
		Kind: schema.Migration, Name: "backbone_to_cloud",
		Summary: "Replaces an e-mail or file synchronization by a direct one when the project of one end " +
			"moves to the cloud.",
		Example: migrationExample, Full: migrationFull,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "from", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: "backbone", Owns: true,
					MayBeGone: true}, Doc: "The synchronization that runs today."},
				{Name: "to", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: "backbone", Owns: true},
					Doc: "The synchronization that shall run."},
				{Name: "migrating", Type: cty.String, Required: true, OneOf: []string{master, slave},
					Doc: "The end whose project moves to the cloud."},
				{Name: "pair", Type: cty.String, Default: cty.StringVal(pairByRest), OneOf: []string{pairByRest, pairByPerson},
					Doc: "Whether the pairs are uploaded over REST (documented in one line, its body is not) or by a person " +
						"on the web page."},
				{Name: "mark", Type: cty.String, Default: cty.StringVal(markProperty), OneOf: []string{markProperty, markNone},
					Doc: "Where others see that a run is at this migration: a property of the original's two projects, which " +
						"the users must administer, or none: then runs in other folders are not kept out."},
				{Name: "take_over", Type: cty.String,
					Doc: "Id of an abandoned run whose mark may be overwritten."},
				{Name: "complete_comments", Type: cty.Bool, Default: cty.False,
					Doc: "Fill the missing half of a comment or attachment pair from the other side's export."},
				{Name: "allow", Type: cty.List(cty.String),
					Doc: "Checks that may fail: " + ruleNames() + ". sequence also takes pairs without message numbers for " +
						"applied."},
				{Name: "accept", Type: cty.List(cty.String),
					Doc: "What the new synchronization may lose or change against the original, by name: comments, " +
						"attachments, field.NAME, issue_types.NAME, direction, first.jql. Without it the original is not deleted."},
			},
			Blocks: []schema.Block{
				{Name: "verify", Doc: "How the result is verified.", Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "sample", Type: cty.Number, Whole: true, Least: 1, Unit: "pairs",
						Default: cty.NumberIntVal(50),
						Doc:     "How many pairs have their summaries compared on both Jiras."},
					{Name: "new_pairs", Type: cty.Number, Whole: true, Unit: "pairs", Default: cty.Zero,
						Doc: "How many pairs more than exported the new synchronization may have: issues that were created " +
							"since it was started."},
					{Name: "within", Type: cty.String, Unit: schema.Duration, Default: cty.StringVal("30m"),
						Doc: "How long the new synchronization may take to be in sync."},
				}}},
				{Name: "delete_original", Doc: "Delete the original on both ends once all is verified. Without it the " +
					"original stays, stopped.",
					Body: schema.Body{Attributes: []schema.Attribute{
						{Name: "allow", Type: cty.Number, Whole: true, Unit: "halves", Required: true,
							Doc: "How many halves may be deleted: the number the plan shows."},
					}}},
			},
		},
	}, checkMigration)
}

// problem returns an error at a declaration, or at one of its arguments.
func problem(r *schema.Resource, summary, detail string, path ...string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: r.RangeOf(path...)}
}
