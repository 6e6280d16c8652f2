package main

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/drivertest"
	"github.com/syncctl/syncctl/planner"
	"github.com/syncctl/syncctl/signing"
)

var siteBlock = regexp.MustCompile(`(?m)^site "([^"]+)"`)

// sitesOf returns the sites of an example, in the order of their blocks, or none if one process reaches all servers.
func sitesOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.sync.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range siteBlock.FindAllStringSubmatch(string(src), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// oneProcessDirs returns the folders of the examples in which one process reaches all servers.
func oneProcessDirs(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(exampleDirs(t), func(dir string) bool { return len(sitesOf(t, dir)) > 0 })
}

// siteKeys makes an SSH key for each site, as files in dir. The file "all" lists the public keys, in the form of a
// rehearsal.
func siteKeys(t *testing.T, sites []string) (dir string, public map[string]string) {
	t.Helper()
	dir, public = t.TempDir(), map[string]string{}
	all := ""
	for _, site := range sites {
		private, line, err := signing.Generate(rand.Reader, site)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, site), private, 0o600); err != nil {
			t.Fatal(err)
		}
		public[site] = line
		all += site + " " + line + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "all"), []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, public
}

// exchange is a shell script for the sandbox: a whole run over sites, with a folder for each site, and a courier who
// loses nothing. The first site plans. If $VICTIM's process was killed, it is started again.
const exchange = `
at() { # SITE COMMAND...: as the people of a site
	site=$1; shift
	(cd ../$site && SYNCCTL_SITE=$site SYNCCTL_SITE_KEY=$KEYS/$site SYNCCTL_SANDBOX_SITE_KEYS=$KEYS/all \
		SYNCCTL_CONFIG_DIR=$PWD/../$site.user SYNCCTL_INPUT=0 "$@")
}
try() { # SITE COMMAND...: at, and again where it was killed
	code=0
	if [ "$1" = "$VICTIM" ] && ! [ -e ../killed ]; then
		SYNCCTL_TEST_KILL=$KILL at "$@" || code=$?
	else
		at "$@" || code=$?
	fi
	if [ $code = 137 ] && ! [ -e ../killed ]; then
		echo "killed 137"
		cat ../$1/.syncctl/runs/*/journal.jsonl >../killed
		cat ../killed
		echo
		echo "and then"
		code=0
		at "$@" || code=$?
	fi
	return $code
}
carry() { # SITE: brings its newest bundle to all others
	from=$1
	bundle=$from-$(ls ../$from/$from-*.syncbundle | wc -l | tr -d ' ').syncbundle
	for to in $SITES; do
		if [ $to != $from ]; then
			cp ../$from/$bundle ../$to/
			try $to syncctl receive $bundle || exit 1
		fi
	done
}
first=${SITES%% *}
for site in $SITES; do
	mkdir ../$site ../$site.user
	cp -R . ../$site/
done
for site in $SITES; do
	if [ $site != $first ]; then
		at $site syncctl send || exit 1
		carry $site
	fi
done
at $first syncctl plan -json >../plan.json || exit 1
finished=
for turn in 1 2 3 4 5 6; do
	for site in $SITES; do
		if [ -z "$finished" ]; then
			code=0
			try $site syncctl apply -auto-approve -parallelism=1 || code=$?
			case $code in
			0) finished=yes ;;
			4) ;;
			*) echo "$site: exit code $code"; exit 1 ;;
			esac
			carry $site
		fi
	done
done
[ -n "$finished" ] || exit 1
for site in $SITES; do at $site syncctl send >../said || { cat ../said; exit 1; }; carry $site || exit 1; done
for site in $SITES; do at $site syncctl plan -detailed-exitcode || exit 1; done
for site in $SITES; do echo "writes $site $(cat ../$site/.syncctl/runs/*/journal.jsonl | wc -l)"; done
`

// TestSitesKilledAtEveryWrite kills apply and receive, over sites, at a write of the journal of either side, and runs
// them again. It checks that the servers end in the same state, and that every change is made as often as undisturbed,
// except what the interrupted step may repeat.
func TestSitesKilledAtEveryWrite(t *testing.T) {
	for _, dir := range exampleDirs(t) {
		sites := sitesOf(t, dir)
		if len(sites) == 0 {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			keys, _ := siteKeys(t, sites)
			script := func(victim, write string) string {
				return fmt.Sprintf("VICTIM=%s KILL=%s KEYS=%s SITES='%s'\n%s", victim, write, keys,
					strings.Join(sites, " "), exchange)
			}
			out, changes, state := inside(t, dir, script("", "")+"echo plan; cat ../plan.json\n")
			u := undisturbed{changes: changes, state: state}
			said, plan, _ := strings.Cut(out, "\nplan\n")
			var err error
			if u.plan, err = planner.Decode(strings.NewReader(plan)); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var all []string
			for _, site := range sites {
				writes := 0
				_, count, _ := strings.Cut(said, "writes "+site+" ")
				if _, err := fmt.Sscan(count, &writes); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				for seq := range writes {
					all = append(all, fmt.Sprintf("%s half:%d", site, seq+1), fmt.Sprintf("%s synced:%d", site, seq+1))
				}
			}
			for _, one := range drivertest.Sample(drivertest.Random(t), all, 3) {
				victim, write, _ := strings.Cut(one, " ")
				out, changes, end := inside(t, dir, script(victim, write))
				_, after, killed := strings.Cut(out, "killed 137\n")
				record, _, _ := strings.Cut(after, "and then\n")
				if !killed {
					t.Errorf("%s: it was not killed:\n%s", one, out)
				}
				if unlike := u.unlike(changes, u.again(record)); len(unlike) > 0 {
					t.Errorf("%s: carried out:\n%s", one, strings.Join(unlike, "\n"))
				}
				if end != u.state {
					t.Errorf("%s: the servers end in another state: %s", one, firstDifference(end, u.state))
				}
			}
		})
	}
}

var (
	typedAt     = regexp.MustCompile(`(?m)^([AG])\$ (.*?)(?: +# exit code (\d+))?$`)
	runbookSite = map[string]string{"A": "acme", "G": "globex"}
)

// TestRunbook types the commands of docs/two-companies.md as they are written, each on its side. A side has only its
// own folder, home, SSH key and passwords. The courier brings what appears in one folder to the other.
func TestRunbook(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "behind-firewall-two-companies-master")
	if !builtIn(t, filepath.ToSlash(dir)) {
		return
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "two-companies.md"))
	if err != nil {
		t.Fatal(err)
	}
	keys, public := siteKeys(t, []string{"acme", "globex"})
	var script strings.Builder
	fmt.Fprintf(&script, "KEYS=%s\nACME='%s'\nGLOBEX='%s'\n%s", keys, public["acme"], public["globex"], twoSides)
	commands := typedAt.FindAllStringSubmatch(string(page), -1)
	if len(commands) < 20 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, m := range commands {
		if strings.HasPrefix(m[2], "syncctl apply") {
			m[2] += " <../yes"
		}
		fmt.Fprintf(&script, "side %s %s <<'TYPED'\n%s\nTYPED\n", runbookSite[m[1]], cmp.Or(m[3], "0"), m[2])
	}
	out, _, state := inside(t, dir, script.String())
	if strings.Count(out, "No changes.") != 2 || strings.Contains(state, `"transport": "file"`) {
		t.Errorf("it does not end with two empty plans:\n%s", out)
	}
	if regexp.MustCompile(`(a|b)-password|cloud-api-token`).MatchString(out) {
		t.Error("a password is shown")
	}
}

// twoSides is a shell script for the sandbox, with a folder for each of two companies. Variables that a side exports
// stay set for that side.
const twoSides = `
set -e
echo yes >../yes
mkdir ../shim
if ! command -v ssh-keygen >../found; then
	printf '#!/bin/sh\necho 256 SHA256:x\n' >../shim/ssh-keygen
	chmod +x ../shim/ssh-keygen
fi
for site in acme globex; do
	mkdir -p ../$site ../$site.home/.ssh
	cp $KEYS/$site ../$site.home/.ssh/id_ed25519
	chmod 600 ../$site.home/.ssh/id_ed25519
	sed -e "/admin@acme/s#ssh-ed25519 .*admin@acme#$ACME#" -e "/admin@globex/s#ssh-ed25519 .*admin@globex#$GLOBEX#" \
		main.sync.hcl >../$site/main.sync.hcl
done
echo "$ACME" >../acme.home/.ssh/id_ed25519.pub
echo "$GLOBEX" >../globex.home/.ssh/id_ed25519.pub
echo 'unset SYNCCTL_VAR_jira_b_password JIRA_B_USER' >../acme.profile
echo 'unset SYNCCTL_VAR_jira_a_password SYNCCTL_VAR_jira_a_cloud_token JIRA_A_USER' >../globex.profile
side() { # SITE CODE, and a command on standard input
	command=$(cat)
	case $command in export*) echo "$command" >>../$1.profile ;; esac
	code=0
	echo "$1\$ $command"
	(cd ../$1; HOME=$PWD/../$1.home; PATH=$PATH:$PWD/../shim; export HOME PATH; unset SYNCCTL_CONFIG_DIR XDG_CONFIG_HOME CI
		. ../$1.profile; eval "$command") || code=$?
	if [ $code != $2 ]; then
		echo "exit code $code, and not $2"
		exit 1
	fi
	cp -n ../acme/*.syncbundle ../globex/ 2>/dev/null || true
	cp -n ../globex/*.syncbundle ../acme/ 2>/dev/null || true
}
`
