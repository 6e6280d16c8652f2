package cli

// People who know Terraform type its words. What syncctl has instead is said in one line.

// otherFlags are flags of Terraform that syncctl does not have.
var otherFlags = map[string]string{
	"input":        "Set SYNCCTL_INPUT=0 in the environment, so that nobody is asked.",
	"lock":         "A run always holds the lock of its folder; it cannot be left out.",
	"lock-timeout": "Another run that holds the lock ends the command with exit code 7; try again later.",
	"refresh": "It belongs to plan, with -observations=FILE: what is applied is compared with the servers as they " +
		"are.",
	"refresh-only": "`syncctl plan` shows in what servers differ, whatever its steps do about it.",
	"destroy":      "What is to be removed is declared: state = \"removed\" of a sync, or a migration.",
	"replace":      "Have a step carried out again with `syncctl resolve STEP -retry`.",
	"state":        "There is no state file: the servers are the truth.",
	"state-out":    "There is no state file: the servers are the truth.",
	"backup":       "There is no state file: the servers are the truth.",
	"recursive":    "It belongs to fmt. Each folder is a configuration of its own: name the folder.",
	"write":        "`syncctl fmt -check` looks without writing, and -diff shows what would change.",
	"parallelism":  "It belongs to apply; a plan reads all servers side by side.",
}

// otherCommands are commands of Terraform that syncctl does not have.
var otherCommands = map[string]string{
	"destroy":      "What is to be removed is declared: state = \"removed\" of a sync, or a migration.",
	"state":        "There is no state file: the servers are the truth. `syncctl status` shows the runs of this folder.",
	"refresh":      "Servers are read by every plan.",
	"taint":        "Have a step carried out again with `syncctl resolve STEP -retry`.",
	"untaint":      "A step that counts as done: `syncctl resolve STEP -done`.",
	"force-unlock": "The lock is freed however its process ends; `syncctl status` names a process that holds it.",
	"graph":        "There is no graph. `syncctl plan -detail` says what each step waits for.",
	"workspace":    "A folder is a configuration with runs of its own; use one folder for each.",
	"providers":    "The products are built in.",
	"get":          "Modules are folders beside the files: there is nothing to fetch.",
	"login":        "Servers are logged in to with what their blocks declare.",
}
