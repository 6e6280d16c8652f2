package cli

import (
	"slices"
	"strconv"

	"github.com/syncctl/syncctl/reference"
)

// exitCodes returns all exit codes with their meaning, for the reference.
func exitCodes() []reference.ExitCode {
	var out []reference.ExitCode
	for _, r := range exitRules() {
		code, _ := strconv.Atoi(r.ID) // it was made from a number
		out = append(out, reference.ExitCode{Code: code, Meaning: r.Meaning})
	}
	return out
}

// always holds the exit codes of every command.
var always = []int{exitDone, exitError, exitFault, exitInterrupted, exitCrashed}

// applying holds the exit codes of commands that carry out a plan.
var applying = []int{exitWaiting, exitStopped, exitStale, exitLocked, exitRefused, exitDeclined}

// exitsBy holds the additional exit codes of commands.
var exitsBy = map[string][]int{
	"plan":     {exitChanges, exitWaiting, exitRefused},
	"console":  {exitWaiting, exitRefused},
	"drift":    {exitChanges, exitWaiting},
	"record":   {exitRefused},
	"fmt":      {exitUnformatted},
	"apply":    applying,
	"rehearse": applying,
	"resolve":  {exitLocked, exitDeclined},

	"bundle inspect": {exitRefused},
	"bundle verify":  {exitRefused},
	"ci approved":    {exitRefused},
	"record verify":  {exitRefused},
	"receive":        {exitLocked, exitRefused},
	"send":           {exitStale, exitLocked},
}

// exitsOf returns the exit codes of a command; tool is set if it is a product's own.
func exitsOf(name string, tool bool) []reference.ExitCode {
	var out []reference.ExitCode
	for _, e := range exitCodes() {
		if slices.Contains(always, e.Code) || slices.Contains(exitsBy[name], e.Code) ||
			tool && e.Code == exitBrokenPipe {
			out = append(out, e)
		}
	}
	if name == "sandbox" {
		out[0].Meaning = "Done. With COMMAND the exit code is that of the command, whatever it is."
	}
	return out
}

// environment holds the environment variables that the program reads.
var environment = []reference.Variable{
	{Name: "SYNCCTL_VAR_NAME", Meaning: "The value of the variable NAME, below those from files and flags."},
	{Name: "SYNCCTL_LOG", Meaning: "Writes a log: trace, debug, info, warn, error, json (all, as JSON) or off."},
	{Name: "SYNCCTL_LOG_PATH", Meaning: "The file that the log is appended to; without it, the error stream."},
	{Name: "SYNCCTL_INPUT", Meaning: "0 or false: nobody is asked for anything."},
	{Name: "SYNCCTL_IN_AUTOMATION", Meaning: "Set: a question is put to a terminal only, not to a pipe."},
	{Name: "SYNCCTL_CLI_ARGS", Meaning: "Arguments that are put before those of every command."},
	{Name: "SYNCCTL_CLI_ARGS_COMMAND", Meaning: "The same for one command, such as SYNCCTL_CLI_ARGS_plan."},
	{Name: "SYNCCTL_DATA_DIR", Meaning: "The folder of runs, instead of .syncctl."},
	{Name: "SYNCCTL_CONFIG_DIR", Meaning: "The folder with your key and policy, instead of those below."},
	{Name: "SYNCCTL_POLICY", Meaning: "The file that says what configurations may do, as -policy."},
	{Name: "SYNCCTL_SITE", Meaning: "The site that you are in, as -site."},
	{Name: "SYNCCTL_SITE_KEY", Meaning: "The file of the SSH key that signs what your site sends, and opens what it is " +
		"sent, as -key. A public key means that of your SSH agent, which can sign."},
	{Name: "SYNCCTL_SANDBOX_ADDRESSES", Meaning: "Set by the sandbox: the addresses of its servers. With " +
		"SYNCCTL_SANDBOX_CA_FILE, no other is connected to."},
	{Name: "SYNCCTL_SANDBOX_CA_FILE", Meaning: "Set by the sandbox: the CA of its servers, for ca_file."},
	{Name: "SYNCCTL_SANDBOX_PERSON", Meaning: "Set by the sandbox: where its stand-in for the person listens."},
	{Name: "SYNCCTL_SANDBOX_REHEARSAL", Meaning: "Set by rehearse for a site's process: it is confined to its " +
		"folder, and may read these variables."},
	{Name: "SYNCCTL_SANDBOX_SITE_KEYS", Meaning: "Set by rehearse for a site's process: the file of the keys that stand " +
		"for those of the site blocks."},
	{Name: "SYNCCTL_SANDBOX_UNTRUSTED", Meaning: "Set by rehearse -untrusted for a site's process: nobody has " +
		"reviewed the files."},
	{Name: quotesVariable, Meaning: "Set by the scripts of `completion`: the shell quotes what is offered, " +
		"whatever characters it has."},
	{Name: "NO_COLOR", Meaning: "Set: no colours."},
	{Name: "FORCE_COLOR", Meaning: "Set, and not 0: colours although the output is not a terminal."},
	{Name: "TERM", Meaning: "dumb: no colours and no live display."},
	{Name: "CI", Meaning: "Set: as SYNCCTL_IN_AUTOMATION; no live display, and a warning where there is no policy."},
	{Name: "GITHUB_TOKEN", Meaning: "For ci: the token of the job, which is sent to GITHUB_API_URL alone."},
	{Name: "GITHUB_API_URL", Meaning: "For ci: the address of GitHub's interface; it must have https."},
	{Name: "GITHUB_REPOSITORY", Meaning: "For ci: the repository, as OWNER/NAME."},
	{Name: "GITHUB_EVENT_PATH", Meaning: "For ci: the file that says which pull request the job is for."},
	{Name: "GITHUB_SHA", Meaning: "For ci: the commit of the job, which a pull request has brought."},
	{Name: "GITHUB_STEP_SUMMARY", Meaning: "For ci: the file that the summary of the job is appended to."},
	{Name: "COLUMNS", Meaning: "The width of the output, instead of the terminal's."},
	{Name: "HOME", Meaning: "Your home folder: known_hosts, your SSH keys for bundles, and ~ in the names of " +
		"files."},
	{Name: "USER", Meaning: "Who decides, for the journal (resolve)."},
	{Name: "APPDATA", Meaning: "On Windows: the folder in which syncctl/ holds your key and policy."},
	{Name: "XDG_CONFIG_HOME", Meaning: "The folder in which syncctl/ holds your key and policy, instead of .config " +
		"in HOME."},
	{Name: "SSH_AUTH_SOCK", Meaning: "Your SSH agent: for machines that your known_hosts or policy names, and for " +
		"plan -sign."},
}

// fileNames holds the files that the program reads and writes.
var fileNames = []reference.Variable{
	{Name: "*.sync.hcl", Meaning: "The configuration: all such files of the folder together."},
	{Name: "*.sync.hcl.json", Meaning: "The same in JSON: a block is an object under its type and labels, an " +
		"expression a text with ${...}. `syncctl docs json` shows it."},
	{Name: "*.synctest.hcl, *.synctest.hcl.json", Meaning: "Tests of the configuration: `syncctl docs testing`."},
	{Name: "syncctl.syncvars.hcl", Meaning: "Values of variables, as NAME = VALUE. With .json behind the name: " +
		"an object in JSON, like the next two."},
	{Name: "*.auto.syncvars.hcl", Meaning: "More of them, in the order of their names; later ones win."},
	{Name: "*.syncvars.hcl", Meaning: "The same, given by -var-file."},
	{Name: "*.syncplan.json", Meaning: "A plan saved by plan -out. It holds no secret, and is authenticated by your " +
		"key."},
	{Name: "sandbox.json", Meaning: "The seed of the simulated servers, for rehearse, sandbox and test: " +
		"`syncctl docs sandbox`."},
	{Name: "*.syncbundle", Meaning: "What one site sends another, signed and encrypted: `syncctl docs bundles`, and its " +
		"parts: `syncctl docs bundle.json`, `handover.json`."},
	{Name: ".syncctl/", Meaning: "The data folder: the runs of the folder with their journals and files, and its lock. " +
		"Not to be committed."},
	{Name: ".syncctl/lock", Meaning: "Held while a run is carried out, with who holds it: `syncctl docs lock.json`."},
	{Name: ".syncctl/runs/RUN/plan.json", Meaning: "The plan of a run: `syncctl docs plan.json`."},
	{Name: ".syncctl/runs/RUN/journal.jsonl", Meaning: "What has happened, an entry a line: `syncctl docs journal`."},
	{Name: ".syncctl/runs/RUN/files/", Meaning: "The files that steps have written for others, and scripts for people."},
	{Name: ".syncctl/runs/RUN/basis.json", Meaning: "What the plan was made from, as hashes, for a mended plan: " +
		"`syncctl docs basis.json`."},
	{Name: ".syncctl/runs/RUN/observations.jsonl", Meaning: "What servers showed for the plan: " +
		"`syncctl docs observations.json`."},
	{Name: ".syncctl/runs/RUN/origin.json", Meaning: "Over sites: how the plan was made, for the others: " +
		"`syncctl docs origin.json`."},
	{Name: ".syncctl/runs/RUN/revised-N/", Meaning: "The same files of the plan after the files were mended."},
	{Name: ".syncctl/runs/RUN/sites/SITE.jsonl", Meaning: "Over sites: the journal of another site, as far as it was " +
		"received."},
	{Name: ".syncctl/sites/SITE.jsonl", Meaning: "Over sites: what another site's servers showed: " +
		"`syncctl docs observations.json`."},
	{Name: ".syncctl/received/SITE/, .syncctl/sent/", Meaning: "Over sites: the manifests of bundles that came and " +
		"went: `syncctl docs bundle.json`."},
	{Name: ".syncctl/damaged/RUN/", Meaning: "A run whose plan or journal is damaged, set aside with its files."},
	{Name: "policy.hcl", Meaning: "In your configuration folder: what configurations may do on your behalf: " +
		"`syncctl docs policy`."},
	{Name: "notify.hcl", Meaning: "In your configuration folder: how you are told that a person is asked: " +
		"`syncctl docs notice.json`."},
	{Name: "key", Meaning: "In your configuration folder: the key that makes your runs and plans yours. " +
		"Not to be copied."},
}
