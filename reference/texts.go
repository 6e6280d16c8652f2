package reference

// secretVariable is the beginning of examples with servers.
const secretVariable = `
variable "password" {
  type      = string
  sensitive = true
}
`

// languageTexts holds the pages of the language. TYPE in an example stands for a type of server.
var languageTexts = []languageText{
	{
		word: "server", also: []string{"resource", "provider"}, summary: "A server: its address, and how syncctl logs in.",
		text: []string{"It is declared as `server \"TYPE\" \"NAME\" { ... }`. Other blocks refer to it as " +
			"`server.TYPE.NAME`; expressions " +
			"read its arguments, such as `server.TYPE.NAME.url`."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
server "TYPE" "north" {
  url      = "https://north.example"
  user     = "syncctl"
  password = var.password
}
`},
	},
	{
		word: "keystore", also: []string{"resource"}, summary: "A file with keys and certificates, here or on a machine.",
		text: []string{"It is declared as `keystore \"TYPE\" \"NAME\" { ... }`. Other blocks refer to it as " +
			"`keystore.TYPE.NAME`."},
	},
	{
		word: "sync", also: []string{"resource"}, summary: "A synchronization between servers.",
		text: []string{"It is declared as `sync \"TYPE\" \"NAME\" { ... }`. Other blocks refer to it as " +
			"`sync.TYPE.NAME`. A plan " +
			"compares it with the servers; what it does not say is left as it is."},
	},
	{
		word: "migration", also: []string{"resource"},
		summary: "Ordered work that is done once, such as replacing one synchronization by another.",
		text: []string{"It is declared as `migration \"TYPE\" \"NAME\" { ... }`. It carries out the declarations that " +
			"it owns; its page " +
			"says which. When its end is reached, its block may stay or go."},
	},
	{
		word: "syncctl", construct: "syncctl", also: []string{"terraform"}, summary: "Settings of a configuration.",
		text: []string{"It stands in the folder of the whole configuration, not in modules."},
		example: map[string]string{"main.sync.hcl": `
syncctl {
  required_version = ">= 1.0"
  parallelism      = 8

  operator {
    command     = ["./person.sh"]
    environment = ["TICKET_URL"]
  }
}
`},
	},
	{
		word: "site", construct: "site", also: []string{"signers", "recipients", "max_age"},
		summary: "A network with the people and the secrets in it.",
		text: []string{"Where no network reaches all servers, each belongs to a site: a server, or a keystore, says it " +
			"with its argument `site`, which is the name of a site or `site.NAME`. A keystore without it is in the site of " +
			"the servers that use it. A server or keystore in no site is refused: nobody would answer for what it shows. " +
			"What several sites reach is in the one that answers for it.",
			"A command acts for one site, which `-site=NAME` or SYNCCTL_SITE names. It contacts the servers of that site, " +
				"and no other. A variable, or a name in env(), that only another site's servers use need not have a " +
				"value; it does not enter the digest of the configuration, which is the same at all sites."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
site "acme" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}

server "TYPE" "north" {
  url      = "https://north.example"
  user     = "syncctl"
  password = var.password
  site     = site.acme
}
`},
	},
	{
		word: "variable", construct: "variable", also: []string{"var", "validation"},
		summary: "A value that is given from outside: to the configuration by whoever runs syncctl, to a module by its " +
			"block.",
		text: []string{"Expressions refer to it as `var.NAME`.",
			"Values come from, each overruling those before it: the environment variable `SYNCCTL_VAR_NAME`, the file " +
				"`syncctl.syncvars.hcl`, the files `*.auto.syncvars.hcl` by name, and `-var-file`, `-var` and `-var-command` " +
				"in the order given. A file of values whose name has `.json` at its end is one JSON object, whose texts stand " +
				"for themselves. Without a value or default, a person at a terminal is asked.",
			"A condition of `validation` may refer to anything, not only to the variable."},
		example: map[string]string{"main.sync.hcl": `
variable "plants" {
  type = map(object({
    host = string
    port = optional(number, 443)
  }))
  default     = {}
  description = "The plants, by their short names."

  validation {
    condition     = alltrue([for p in values(var.plants) : p.port > 0 && p.port < 65536])
    error_message = "A port is a number from 1 to 65535."
  }
}

variable "password" {
  type      = string
  sensitive = true
}
`},
	},
	{
		word: "locals", construct: "locals", also: []string{"local"}, summary: "Names for expressions.",
		text: []string{"Each argument is a name of your choice. Expressions refer to it as `local.NAME`, in the same " +
			"module. The order " +
			"does not matter."},
		example: map[string]string{"main.sync.hcl": `
locals {
  plants = ["north", "south"]
  urls   = { for p in local.plants : p => "https://${p}.example" }
}
`},
	},
	{
		word: "module", construct: "module", also: []string{"path", "path.module", "path.root", "source"},
		summary: "Uses the files of another folder, with values for its variables.",
		text: []string{"Each variable of the module is an argument of the block; one without a default is required. Its " +
			"outputs are read as `module.NAME.OUTPUT`, with `for_each` as `module.NAME[\"KEY\"].OUTPUT`. All else in the " +
			"module is out of reach from outside. A reference such as `server.TYPE.NAME` can be given to a variable of type " +
			"any and used as a reference in the module.",
			"Addresses say where a declaration is: `module.NAME[\"KEY\"].sync.TYPE.NAME`. Modules may hold modules, up to " +
				"20 levels " +
				"deep. `path.module` is the module's folder and `path.root` that of the configuration, such as in " +
				"`file(\"${path.module}/ca.pem\")`.",
			"With `enabled = false` the module is null."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
module "plant" {
  source   = "./plant"
  for_each = { north = 8111, south = 8443 }

  name     = each.key
  port     = each.value
  password = var.password
}

output "urls" {
  value = { for name, m in module.plant : name => m.url }
}
`, "plant/main.sync.hcl": `
variable "name" { type = string }
variable "port" { type = number }
variable "password" {
  type      = string
  sensitive = true
}

server "TYPE" "this" {
  url      = "https://${var.name}.example:${var.port}"
  user     = "syncctl"
  password = var.password
}

output "url" { value = server.TYPE.this.url }
`},
	},
	{
		word: "output", construct: "output", summary: "A value that a configuration or a module gives to those who use it.",
		text: []string{"`syncctl output` shows those of the configuration; whoever uses a module reads its outputs. A " +
			"sensitive value " +
			"is never shown."},
		example: map[string]string{"main.sync.hcl": `
locals {
  plants = ["north", "south"]
}

output "plants" {
  value       = local.plants
  description = "The plants that are synchronized."

  precondition {
    condition     = length(local.plants) > 0
    error_message = "Declare at least one plant."
  }
}
`},
	},
	{
		word: "check", construct: "check", also: []string{"assert"},
		summary: "Conditions on the whole configuration, which warn and stop nothing.",
		text: []string{"They are evaluated after everything else. To stop a plan, use `precondition` in a " +
			"`lifecycle` block."},
		example: map[string]string{"main.sync.hcl": `
variable "plants" {
  type    = set(string)
  default = ["north"]
}

check "plants" {
  assert {
    condition     = length(var.plants) <= 40
    error_message = "That is more plants than one person can look after."
  }
}
`},
	},
	{
		word: "defaults", construct: "defaults", summary: "What all declarations of a type share, unless they say " +
			"otherwise.",
		text: []string{"The labels are a kind and a type. It takes the arguments and blocks of that type, required ones " +
			"too, which the declarations then need not give. It holds for its module and the modules in it; of two, the one " +
			"nearer to the declaration counts. Arguments are taken one by one, nested blocks of a name as a whole."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
defaults "server" "TYPE" {
  user     = "syncctl"
  password = var.password
}

server "TYPE" "north" { url = "https://north.example" }
server "TYPE" "south" { url = "https://south.example" }
`},
	},
	{
		word: "moved", construct: "moved", summary: "Says that what was declared at one address is declared at another " +
			"now.",
		text: []string{"Runs before and after the move are then known to be about the same. In a module, the addresses " +
			"are those within it, and the block is about each of its instances."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
server "TYPE" "plant" {
  for_each = toset(["north"])
  url      = "https://${each.key}.example"
  user     = "syncctl"
  password = var.password
}

moved {
  from = server.TYPE.north
  to   = server.TYPE.plant["north"]
}
`},
	},
	{
		word: "removed", construct: "removed", summary: "Says that something is no longer declared on purpose.",
		text: []string{"Nothing is removed from a server because a block is gone: what a run has done something for and " +
			"is declared no more, a plan names until this block says that it is meant. To have something removed, declare " +
			"that, such as with `state = \"removed\"` of a sync.",
			"A block that is gone means, by its kind: of a `server`, what was set up on it stays; of a `keystore`, the file " +
				"stays; a `sync` goes on, and nobody compares it with anything; what a `migration` has done stays done, and " +
				"the rest of it is not done."},
		example: map[string]string{"main.sync.hcl": `
removed {
  from = server.TYPE.north
}
`},
	},
	{
		word: "import", construct: "import", summary: "Says that something which a server has is to be declared.",
		text: []string{"`to` is where, and `id` what: the address of a declared server, a slash, and what the product " +
			"calls it there: `syncctl docs adopting` says it for each product, and an id that does not exist is an error " +
			"that lists those that do. `syncctl plan -generate-config-out=FILE` writes the declaration into a new file of the " +
			"configuration, and plans with it. Once it is declared, the block does nothing, and may go. `syncctl import` " +
			"writes all that a server has, without such blocks.",
			"With `for_each` the block stands for one import for each key, and `to` ends in `[each.key]`. All keys of one " +
				"address are written as one block with for_each, over a table of what differs. A key that a block of yours " +
				"lacks is yours to add to its for_each."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
server "TYPE" "north" {
  url      = "https://north.example"
  user     = "syncctl"
  password = var.password
}

import {
  to = server.TYPE.south
  id = "server.TYPE.north/south"
}
`},
	},
	{
		word: "lifecycle", construct: "lifecycle", also: []string{"prevent_destroy", "precondition", "postcondition",
			"self", "ignore_drift"},
		summary: "Conditions on a declaration, and its protection.",
		text: []string{"A plan in which a condition does not hold is refused, and so is one that destroys what " +
			"`prevent_destroy` protects. In conditions, `self` is the declaration, and `each` its key and value. " +
			"`ignore_drift` keeps `syncctl drift` from reporting what was changed from outside, until a day. It changes no " +
			"plan."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
server "TYPE" "north" {
  url      = "https://north.example"
  user     = "syncctl"
  password = var.password

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = startswith(self.url, "https://")
      error_message = "Servers are reached with https."
    }

    ignore_drift {
      argument = "user"
      reason   = "renamed by the operator until the migration"
      until    = "2027-01-31"
    }
  }
}
`},
	},
	{
		word: "dynamic", construct: "dynamic", also: []string{"content", "iterator"}, summary: "Makes nested blocks, " +
			"one for each element.",
		text: []string{"The label is the name of the nested blocks, and `content` holds what stands in each. In it, the " +
			"name of the block (or that of `iterator`) has `.key` and `.value`: of a map or object its key and value, of a " +
			"list its number and element, of a set its element twice. for_each must not be sensitive."},
		example: map[string]string{"main.sync.hcl": `
variable "person" {
  type    = list(string)
  default = ["./person.sh"]
}

syncctl {
  dynamic "operator" {
    for_each = length(var.person) > 0 ? [var.person] : []
    content {
      command = operator.value
    }
  }
}
`},
	},
	{
		word: "for_each", argument: "for_each", also: []string{"each", "each.key", "each.value", "count"},
		summary: "Declares one instance for each key of a map, an object or a set of strings.",
		text: []string{"Every declaration and module takes it. In the block, `each.key` is the key and `each.value` the " +
			"value, which is the " +
			"key again where for_each is a set. Addresses carry the key: `server.TYPE.NAME[\"KEY\"]`. Keys are any text " +
			"but the empty one.",
			"A reference names one instance, `server.TYPE.NAME[\"north\"]` or `server.TYPE.NAME[each.key]`. Without a key " +
				"it is an object of all instances, for `for` expressions. A list becomes a set with `toset(...)`; a list of " +
				"objects becomes a map with `{ for x in LIST : x.name => x }`.",
			"Keys are shown, so for_each must not be sensitive; the values of a map may be. There is no `count` on " +
				"purpose: numbered " +
				"instances change their addresses when one in the middle goes."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
locals {
  plants = {
    north = { port = 8111 }
    south = { port = 8443 }
  }
}

server "TYPE" "plant" {
  for_each = local.plants
  url      = "https://${each.key}.example:${each.value.port}"
  user     = "syncctl"
  password = var.password
}

output "urls" {
  value = { for name, s in server.TYPE.plant : name => s.url }
}
`},
	},
	{
		word: "enabled", argument: "enabled", summary: "Whether a declaration or module is there at all.",
		text: []string{"What is not enabled is as if its block were not written: a reference to it is an error, a module " +
			"is null. It must be known and not sensitive."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
variable "plants" {
  type    = map(bool)
  default = { north = true, south = false }
}

server "TYPE" "plant" {
  for_each = var.plants
  enabled  = each.value
  url      = "https://${each.key}.example"
  user     = "syncctl"
  password = var.password
}
`},
	},
	{
		word: "depends_on", argument: "depends_on", summary: "An order that no reference shows.",
		text: []string{"Declarations, modules and outputs take it: a list of references to declarations and modules. All " +
			"steps of these come first. A reference in an argument already gives that order."},
		example: map[string]string{"main.sync.hcl": secretVariable + `
server "TYPE" "north" {
  url      = "https://north.example"
  user     = "syncctl"
  password = var.password
}

server "TYPE" "south" {
  url        = "https://south.example"
  user       = "syncctl"
  password   = var.password
  depends_on = [server.TYPE.north]
}
`},
	},
	{
		word: "expressions", also: []string{"functions", "reference", "references", "template", "heredoc"},
		summary: "What may stand after an equals sign.",
		text: []string{"As in Terraform: texts with `${...}` and `%{ if ... }`, heredocs, numbers, `true`, `false`, " +
			"`null`, lists, objects, " +
			"conditions (`a ? b : c`), `for` expressions, splats, and calls of functions. `syncctl console` evaluates them.",
			"They refer to `var.NAME`, `local.NAME`, `server.TYPE.NAME.ARGUMENT` and the other kinds likewise, " +
				"`module.NAME.OUTPUT`, " +
				"`path.module`, `path.root`; with for_each to `each.key` and `each.value`; in conditions of a declaration to " +
				"`self`. A " +
				"reference is written without quotes.",
			"A value that comes from a secret is a secret itself, wherever it goes, and is shown as `(sensitive value)`. " +
				"Everything is " +
				"known when planning."},
		example: map[string]string{"main.sync.hcl": `
locals {
  plants = ["north", "south"]
  large  = length(local.plants) > 10 ? "yes" : "no"
  urls   = { for p in local.plants : p => "https://${p}.example" if p != "west" }
  names  = join(", ", [for p in local.plants : upper(p)])
  text   = <<-EOT
    Plants:
    %{~for p in local.plants}
    - ${p}
    %{~endfor}
  EOT
}
`},
	},
}
