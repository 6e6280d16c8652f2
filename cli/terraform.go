package cli

import (
	"cmp"
	"strings"
)

// These messages are for people who type words of Terraform. Each says in one line what syncctl has instead.

// otherFlags are flags of Terraform that syncctl does not have.
var otherFlags = map[string]string{
	"input":        "Set SYNCCTL_INPUT=0 in the environment, so that nobody is asked.",
	"lock":         "A run always holds the lock of its folder; it cannot be left out.",
	"lock-timeout": "Another run that holds the lock ends the command with exit code 7; try again later.",
	"refresh": "It belongs to plan, with -observations=FILE: what is applied is compared with the servers as they " +
		"are.",
	"refresh-only": "`syncctl plan` shows in what servers differ, whatever its steps do about it.",
	"destroy":      "What is to be removed is declared: state = \"removed\" of a sync, or a migration.",
	"state":        "There is no state file: the servers are the truth.",
	"state-out":    "There is no state file: the servers are the truth.",
	"backup":       "There is no state file: the servers are the truth.",
	"recursive":    "It belongs to fmt. Each folder is a configuration of its own: name the folder.",
	"write":        "`syncctl fmt -check` looks without writing, and -diff shows what would change.",
	"parallelism":  "It belongs to apply; a plan reads all servers side by side.",

	"upgrade":             noInit,
	"backend":             noInit,
	"backend-config":      noInit,
	"migrate-state":       noInit,
	"reconfigure":         noInit,
	"force-copy":          noInit,
	"get":                 "Modules are folders beside the files: there is nothing to fetch.",
	"plugin-dir":          "The products are built in.",
	"lockfile":            "The products are built in: there is nothing to lock.",
	"from-module":         "`syncctl init -example=NAME DIR` writes an example.",
	"allow-missing":       "Have a step carried out again with `syncctl resolve STEP -retry`.",
	"generate-config-out": "`syncctl import SERVER -out=FILE` writes what a server has as a configuration.",

	"apply out": "It belongs to plan: `syncctl plan -out=FILE`, then `syncctl apply FILE`.",
	"apply detailed-exitcode": "It belongs to plan. The exit codes of apply are always detailed: see " +
		"`syncctl apply --help`.",
	"import id": "`syncctl import SERVER` drafts all that a server has and nobody has declared; delete what you do not " +
		"want.",
	"import config":   "Name the folder with -chdir=DIR.",
	"import provider": "Name the server: `syncctl import SERVER`.",
	"output state":    "Outputs are evaluated from the files: there is no state file.",
}

// noInit is the message for flags with which Terraform prepares a folder.
const noInit = "There is no state to keep elsewhere and nothing to install: a folder needs no init."

// otherFlag returns the message for a flag that a command of syncctl lacks, or "" if it is not one of Terraform's.
func otherFlag(command, flag string) string {
	return cmp.Or(otherFlags[command+" "+flag], otherFlags[flag])
}

// otherCommands are commands of Terraform that syncctl lacks.
var otherCommands = map[string]string{
	"destroy": "What is to be removed is declared: state = \"removed\" of a sync, or a migration.",
	"state":   "There is no state file: the servers are the truth. `syncctl status` shows the runs of this folder.",
	"refresh": "Servers are read by every plan.",
	"taint": "`syncctl plan -replace=ADDRESS` makes something again; `syncctl resolve STEP -retry` has a step of a run " +
		"carried out again.",
	"untaint":      "A step that counts as done: `syncctl resolve STEP -done`.",
	"force-unlock": "The lock is freed however its process ends; `syncctl status` names a process that holds it.",
	"workspace":    "A folder is a configuration with runs of its own; use one folder for each.",
	"providers":    "The products are built in.",
	"get":          "Modules are folders beside the files: there is nothing to fetch.",
	"login":        "Servers are logged in to with what their blocks declare.",
	"logout":       "Sessions at servers end with each command: there is nothing to log out of.",
	"env":          "A folder is a configuration with runs of its own; use one folder for each.",
	"push":         "There is nothing to push: `syncctl apply` carries a plan out from here.",
	"modules":      "Modules are folders beside the files; `syncctl metadata` describes a configuration.",
	"stacks":       "A folder is a configuration with runs of its own; use one folder for each.",
}

// tfstate refuses a state file of Terraform given as a plan.
func tfstate(name string) error {
	if !strings.HasSuffix(name, ".tfstate") {
		return nil
	}
	return failf(exitError, "%s is a state of Terraform. %s", name, otherFlags["state"])
}
