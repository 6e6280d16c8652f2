package teamworkcloud

import (
	"github.com/syncctl/syncctl/driver/declare"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/encrypt"
	"github.com/syncctl/syncctl/driver/teamworkcloud/offload"
	"github.com/syncctl/syncctl/driver/teamworkcloud/revision"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/schema"
	"github.com/zclconf/go-cty/cty"
)

// Words of the language.
const (
	product = "teamwork_cloud"

	personalToken = "personal"
	idToken       = "id"
	oauthToken    = "oauth"
)

// compareParts returns the parts of a history that can be compared in addition to its branches and the order of
// revisions.
func compareParts() []string {
	var out []string
	for _, p := range revision.Optional() {
		out = append(out, string(p))
	}
	return out
}

// Types returns the block types of Teamwork Cloud.
func (d *Driver) Types() []schema.Type {
	return []schema.Type{serverType(), syncType(), offloadType()}
}

func serverType() schema.Type {
	return declare.Type[connect.Server](schema.Type{
		Kind: schema.Server, Name: product,
		Summary: "A Teamwork Cloud server or cluster with its web application, and the machine behind it.",
		Example: serverExample, Full: serverFull,
		Body: schema.Body{
			Attributes: append(connectionAttributes(),
				schema.Attribute{Name: "web_application", Type: cty.String,
					Doc: "Address of the Web Application Platform, where people go. Without it the host of url, as " +
						"https://HOST:8443/webapp."},
				schema.Attribute{Name: "sync_address", Type: cty.String,
					Doc: "Address by which remote resource configurations of other servers name this one: host, or host:port. " +
						"Without it the host of url. Without a port the other server takes the number of its own: write the port " +
						"where a synchronization has this server as its source, is encrypted, and the encrypted ports of the two " +
						"servers differ, or the plan is refused."},
				schema.Attribute{Name: "token_kind", Type: cty.String, Default: cty.StringVal(personalToken),
					OneOf: []string{personalToken, idToken, oauthToken},
					Doc: "Kind of the token: a personal access token, an ID token of the authentication server, or an OAuth 2.0 " +
						"access token."},
				schema.Attribute{Name: "site", Type: cty.String, Doc: "The network this server is reached from."},
			),
			Blocks: []schema.Block{
				{Name: "expect", Doc: "What the server must be, or every plan that uses it is refused.",
					Body: schema.Body{Attributes: []schema.Attribute{
						{Name: "major", Type: cty.String, Doc: "Major version, which is the year: 2024x. Refreshes and hot fixes " +
							"are minor."},
					}}},
				{Name: "host", Body: hostBody(), Doc: "The machine with the server's services and its Data Manager. Without " +
					"it, work on the machine is a person's step with the exact command lines."},
				{Name: "sync_tls", Body: encryptionBody(), Doc: "Encrypts synchronization at this end: the encrypted port for " +
					"clients with its certificate, the settings files, and whom the server's Java trusts."},
			},
		},
	}, checkServer)
}

// connectionAttributes returns the arguments of every server, with this product's rate limit.
func connectionAttributes() []schema.Attribute {
	attributes := declare.ServerAttributes("Address of the REST interface: https://twc.example.com:8111.",
		"User name. Beside a token it is the name that is used on web pages and in remote resource configurations. The "+
			"source of a synchronization needs it: its configurations log in there with a user name.",
		"A token instead of a password, of the kind that token_kind says.")
	for i := range attributes {
		if attributes[i].Name == "requests_per_second" {
			attributes[i].Default = cty.NumberIntVal(200)
		}
	}
	return attributes
}

func hostBody() schema.Body {
	command, commands := cty.List(cty.String), cty.List(cty.List(cty.String))
	return schema.Body{Attributes: append(declare.HostAttributes(false),
		schema.Attribute{Name: "local", Type: cty.Bool, Doc: "true: it is the machine that syncctl runs on."},
		schema.Attribute{Name: "home", Type: cty.String,
			Doc: "Folder that Teamwork Cloud is installed in. Without it the vendor's for the version, such as " +
				"/opt/CATIANoMagicServices."},
		schema.Attribute{Name: "datamanager", Type: command,
			Doc: "Program of the Data Manager with what always stands before its arguments. Without it, the one under home."},
		schema.Attribute{Name: "stop", Type: commands, Doc: "Commands that stop Teamwork Cloud's services, in order; " +
			"each is a program with its arguments. Without it, systemctl with the vendor's units for the version."},
		schema.Attribute{Name: "start", Type: commands, Doc: "Commands that start them again, in order."},
		schema.Attribute{Name: "status", Type: command, Doc: "Command that tells whether Teamwork Cloud's services run: " +
			"its exit code is 0 only then. Without it, systemctl is-active with the vendor's units, all of which must " +
			"run, or none."},
		schema.Attribute{Name: "database", Type: command,
			Doc: "Command that shows the nodes of the database as nodetool status does, which it is without this."},
		schema.Attribute{Name: "application_conf", Type: cty.String,
			Doc: "Teamwork Cloud's settings file. Without it the one under home, configuration/application.conf."},
		schema.Attribute{Name: "webappplatform_properties", Type: cty.String,
			Doc: "The web application's settings file. Without it the one under home, " +
				"WebAppPlatform/shared/conf/webappplatform.properties."},
		schema.Attribute{Name: "within", Type: cty.String, Unit: schema.Duration, Default: cty.StringVal("15m"),
			Doc: "How long started services may take to be healthy."},
	)}
}

func encryptionBody() schema.Body {
	return schema.Body{
		Attributes: []schema.Attribute{
			{Name: "keystore", Required: true, Ref: &schema.Ref{Kind: schema.Keystore},
				Doc: "The keystore with the server's key and certificate. It lies on the server's machine."},
			{Name: "keystore_path", Type: cty.String, Doc: "The keystore's file as the server finds it, where that is not " +
				"the path of the keystore."},
			{Name: "port", Type: cty.Number, Whole: true, Least: 1, Unit: "port number",
				Doc: "The encrypted port for clients. Without it the one that is open already, else 10002."},
			{Name: "recipe", Type: cty.String, OneOf: encrypt.RecipeNames(),
				Doc: "Which of the vendor's pages is followed: seed, " +
					"2024x or 2024xR1. Without it the one for the server's version; the plan says which, and why."},
			{Name: "trust_stores", Type: cty.List(cty.String), Doc: "Java's trust stores (cacerts) on the server's machine " +
				"that get the trusted certificates: of Teamwork Cloud's Java and of the web application's."},
			{Name: "trust_stores_password", Type: cty.String, Secret: true,
				Doc: "Their password. Without it Java's own, changeit; a store without a password stays without one."},
			{Name: "server_keystore_password", Type: cty.String, Secret: true,
				Doc: "Password of configuration/keystore.p12, which the page of 2024x has the other server's certificate put " +
					"into. Without it the vendor's, nomagic."},
			{Name: "allow_logged_in", Type: cty.Bool, Default: cty.False, Doc: "Services may be restarted while other " +
				"people are logged in."},
		},
		Blocks: []schema.Block{
			{Name: "trust", Label: "alias", Doc: "A certificate that the server is to trust, by its alias: that of the CA " +
				"which signed the other servers' certificates, or a self-signed one.",
				Body: schema.Body{Attributes: []schema.Attribute{
					{Name: "certificate", Type: cty.String, Required: true, Doc: "The certificate (PEM), one."},
				}}},
		},
	}
}

func syncType() schema.Type {
	from := &schema.Ref{Kind: schema.Server, Type: product, Flow: schema.FlowFrom}
	to := &schema.Ref{Kind: schema.Server, Type: product, Flow: schema.FlowTo}
	return declare.Type[survey.Sync](schema.Type{
		Kind: schema.Sync, Name: product,
		Summary: "Resources that a target server has as read-only copies of a source server's, history included: remote " +
			"resource configurations on the target, one for each resource or category.",
		Example: syncExample, Full: syncFull,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "source", Required: true, Ref: from, Doc: "The server the resources are on."},
				{Name: "target", Required: true, Ref: to, Doc: "The server that gets the copies."},
				{Name: "resources", Type: cty.List(cty.String),
					Doc: "Resources of the source: name, category path and name (Released/Powertrain/Engine), or id. " +
						"Either these or categories must be there, or both."},
				{Name: "categories", Type: cty.List(cty.String), Doc: "Categories of the source whose resources are all " +
					"synchronized, those that are added later too: path (Released/Powertrain), name, or id."},
				{Name: "target_category", Type: cty.String, Required: true,
					Doc: "Category of the target that the copies are put into, by path or id. A missing path is created."},
				{Name: "trigger", Type: cty.String, Brief: true, Default: cty.StringVal(survey.EveryCommit),
					OneOf: []string{survey.EveryCommit, survey.CommitTag, survey.Manual},
					Doc: "When the target gets what is new: on every commit, on a commit with the tag, or when a person asks for " +
						"it."},
				{Name: "tag", Type: cty.String, Doc: "The commit tag that triggers. It must be there with trigger = " +
					"\"commit_tag\", and only then."},
				{Name: "tls", Type: cty.Bool, Doc: "Whether the target connects to the source encrypted. Without it: whether " +
					"sync_address of the source has the source's encrypted port, or no port and the source has sync_tls."},
				{Name: "upstream", Ref: &schema.Ref{Kind: schema.Sync, Type: product},
					Doc: "The synchronization that brings the resources to the source of this one (several hops). Write it where " +
						"one does, so that this one is planned and verified after it; without it the plan warns."},
				{Name: "state", Type: cty.String, Brief: true, Default: cty.StringVal(survey.Active), OneOf: []string{survey.Active,
					survey.Removed},
					Doc: "Whether remote resource configurations are to exist. Removed ones leave the copies on the target."},
			},
			Blocks: []schema.Block{
				{Name: "verify", Doc: "How the copies are compared with their originals.",
					Body: schema.Body{Attributes: []schema.Attribute{
						{Name: "compare", Type: cty.List(cty.String), OneOf: compareParts(), Doc: "What of each revision is " +
							"compared beside its branch and its place in the order: everything by default. Without a part, copies " +
							"count as equal whatever it is. contents are root objects and element packages, compared where both " +
							"servers give them. Numbers are compared where both servers keep them (2026x and later)."},
						{Name: "within", Type: cty.String, Unit: schema.Duration, Default: cty.StringVal("30m"),
							Doc: "How long the resources may take to arrive."},
					}}},
			},
		},
	}, checkSync)
}

func offloadType() schema.Type {
	return declare.Type[offload.Declaration](schema.Type{
		Kind: schema.Migration, Name: product + "_offload",
		Summary: "Moves dormant resources to another server once: synchronizes, verifies every revision, and removes " +
			"them from the source; on demand it makes them editable on the target.",
		Example: offloadExample, Full: offloadFull,
		Body: schema.Body{
			Attributes: []schema.Attribute{
				{Name: "sync", Required: true, Ref: &schema.Ref{Kind: schema.Sync, Type: product, Owns: true, MayBeGone: true},
					Doc: "The synchronization that moves them."},
				{Name: "remove_configuration", Type: cty.Bool, Default: cty.True,
					Doc: "Whether the remote resource configurations are removed from the target, which keeps the data."},
				{Name: "reactivate", Type: cty.Bool, Default: cty.False,
					Doc: "Take the read-only flag off the resources on the target, so that they can be edited there."},
				{Name: "order", Type: cty.String, Default: cty.StringVal(offload.OrderVerified),
					OneOf: []string{offload.OrderVerified, offload.OrderDocumented},
					Doc: "verified: the configurations are removed before the resources are removed from the source, because " +
						"what a configuration does when its source disappears is not documented. as_documented: after it, in the " +
						"vendor's order."},
				{Name: "allow_logged_in", Type: cty.Bool, Default: cty.False, Doc: "Services may be stopped while other " +
					"people are logged in."},
			},
			Blocks: []schema.Block{
				{Name: "remove_from_source", Doc: "Remove the resources from the source for good once all is verified. " +
					"Without it the source keeps them.",
					Body: schema.Body{Attributes: []schema.Attribute{
						{Name: "allow", Type: cty.Number, Whole: true, Unit: "resources", Required: true,
							Doc: "How many resources may be removed: the number the plan shows."},
					}}},
			},
		},
	}, offload.Check)
}
