#!/bin/sh
# What action.yml runs. Everything comes from the environment, and is quoted.
set -eu

# The runner obeys whatever looks like one of its commands, in any line that is printed, and names come from files and
# servers: between these two lines it obeys nothing, and all is printed to one stream, so that it stays between them.
exec 2>&1
stop=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
[ "${#stop}" -eq 32 ] || exit 1
printf '::stop-commands::%s\n' "$stop"
trap 'printf "\n::%s::\n" "$stop"' EXIT

work=$RUNNER_TEMP/syncctl
rm -rf "$work"
mkdir -p "$work/documents"
cd "$INPUT_DIRECTORY"
export SYNCCTL_IN_AUTOMATION=1 SYNCCTL_INPUT=0 NO_COLOR=1

if [ -n "$INPUT_VERSION" ]; then
	GOBIN=$work/bin go install "github.com/syncctl/syncctl/cmd/syncctl@$INPUT_VERSION"
	PATH=$work/bin:$PATH
fi
if [ -n "$INPUT_POLICY" ]; then
	(umask 077 && printf '%s\n' "$INPUT_POLICY" >"$work/policy.hcl")
	export SYNCCTL_POLICY="$work/policy.hcl"
fi

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# run COMMAND...: runs it, shows what it prints, and keeps it, and its exit code.
run() {
	code=0
	"$@" >"$work/output" 2>&1 || code=$?
	cat "$work/output"
}

# comment ARGS...: puts a text on the pull request. A failure is kept until the end.
told=0
comment() { syncctl ci comment "$@" || told=$?; }

# end CODE: ends the job as the command has ended; if that went well, as the comments did.
end() {
	[ "$1" -ne 0 ] || exit "$told"
	exit "$1"
}

# fail TITLE: puts what was printed on the pull request, and ends as it did.
fail() {
	output exit-code "$code"
	comment -title="$1" "$work/output"
	end "$code"
}

# approved: the hash of the plan that a review has approved, in $hash, and the plan itself where it is still there; an
# empty one where nobody has approved one.
approved() {
	hash='' code=0
	syncctl ci approved -out="$work/approved.syncplan.json" >"$work/hash" || code=$?
	case $code in
	0) hash=$(cat "$work/hash") ;;
	8) ;;
	*) exit "$code" ;;
	esac
	[ -s "$work/approved.syncplan.json" ] || rm -f "$work/approved.syncplan.json"
}

# planned ARGS...: makes a plan and its documents, compared with the approved one where that is known.
planned() {
	[ ! -e "$work/approved.syncplan.json" ] || set -- "$@" -against="$work/approved.syncplan.json"
	run syncctl plan "$@" -out="$work/documents/plan.syncplan.json" \
		-markdown-into="$work/plan.md" -html-into="$work/documents/plan.html"
}

case $INPUT_COMMAND in
validate)
	run syncctl validate -untrusted
	output exit-code "$code"
	comment -title='syncctl validate' "$work/output"
	end "$code"
	;;

plan)
	approved
	planned -untrusted
	[ -s "$work/plan.md" ] || fail 'The plan failed'
	output exit-code "$code"
	plan_hash=$(sed -n 's/^  "hash": "\(sha256:[0-9a-f]*\)",$/\1/p' "$work/documents/plan.syncplan.json" 2>/dev/null || true)
	if [ -n "$plan_hash" ]; then
		output hash "$plan_hash"
		output artifact "syncctl-plan-${plan_hash#sha256:}"
	fi
	comment "$work/plan.md"
	end "$code" # a plan that is refused is no success
	;;

apply)
	# Whatever nobody has to approve, such as a change of the README, ends here.
	run syncctl plan -detailed-exitcode
	case $code in
	0) output exit-code 0 && exit 0 ;;
	2) ;;
	*) fail 'The plan failed' ;;
	esac
	hash=$INPUT_EXPECT
	if [ -z "$hash" ]; then
		approved
	fi
	if [ -z "$hash" ]; then
		code=8
		echo 'Nothing was applied: nobody has approved the plan. A review that approves it names its hash.' >"$work/output"
		cat "$work/output"
		fail 'Not applied'
	fi
	set -- -auto-approve -expect="$hash"
	[ ! -e "$work/approved.syncplan.json" ] || set -- "$@" -against="$work/approved.syncplan.json"
	run syncctl apply "$@" -json-into="$work/events"
	cp "$work/output" "$work/applied"
	applied=$code
	output exit-code "$applied"
	# The run that it has begun or resumed, however that has ended. No exit code says that there is one, and other events
	# name a run, too, that is only waiting.
	begun=$(sed -n '/"type":"apply_start"/s/.*"run":"\([^"]*\)".*/\1/p' "$work/events" 2>/dev/null || true)
	if [ -n "$begun" ]; then
		if syncctl show -markdown "$begun" >"$work/run.md"; then
			comment "$work/run.md"
		else
			told=1
			comment -title='The run cannot be shown' "$work/applied"
		fi
	elif [ "$applied" -eq 6 ]; then # the plan is another one: it is shown, with what has changed since it was approved
		planned
		if [ -s "$work/plan.md" ]; then
			comment "$work/plan.md"
		else
			comment -title='Not applied: the plan is another one' "$work/applied"
		fi
	elif [ "$applied" -ne 0 ]; then
		comment -title='The plan was not applied' "$work/applied"
	fi
	end "$applied" # a run that waits for a person is not done: run the job again then
	;;

drift)
	code=0
	syncctl drift -markdown >"$work/drift.md" || code=$?
	cat "$work/drift.md"
	cat "$work/drift.md" >>"$GITHUB_STEP_SUMMARY" # it is safe as Markdown; what is said of an error is in the log
	output exit-code "$code"
	exit "$code"
	;;

*)
	echo "there is no command '$INPUT_COMMAND': plan, apply, drift or validate" >&2
	exit 1
	;;
esac
