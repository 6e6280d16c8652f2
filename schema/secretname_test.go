package schema

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestSecretNames: a name tells of a secret by its words, not by letters that happen to be in it.
func TestSecretNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`PASSWORD JIRA_A_PASSWORD PGPASSWORD DbPassword dbPassword db.password passwords PASSWORD2 NO_PASSWD DB_PASSWD`:    true,
		`PASS DB_PASS SMTP_PASS dbPass KEYPASS KEY_PASS STOREPASS SSHPASS PASS_1 MYSQL_PWD DB_PWD pwd`:                     true,
		`SSH_PASSPHRASE passphrase KEY_PASSPHRASE PASSCODE SECRET CLIENT_SECRET SECRETS VAULT_SECRET_ID clientSecret`:      true,
		`TOKEN JIRA_TOKEN ACCESS_TOKENS AUTHTOKEN apiToken MY_Api_Key TOKEN_A CREDENTIAL AWS_CREDENTIALS CRED DB_CREDS`:    true,
		`AUTH DOCKER_AUTH BASIC_AUTH AUTH_HEADER NPM_AUTH_STRING AUTHORIZATION BEARER GITHUB_PAT PAT JWT SESSION_JWT`:      true,
		`API_KEY APIKEY apiKey APIKey API_KEYS PRIVATE_KEY SSH_KEY PROD_SSH_KEY ACCESS_KEY AWS_SECRET_ACCESS_KEY`:          true,
		`SIGNING_KEY ENCRYPTION_KEY PRIVATE-KEY DEPLOY_KEY SECRET_KEY SECRET_KEY_BASE`:                                     true,
		`DATABASE_URL DB_URL DATABASE_URI DSN SENTRY_DSN PG_DSN CONNECTION_STRING DATABASEURL`:                             true,
		`PROJECT_KEY RELEASE_KEY PRIMARY_KEY ISSUE_KEY KEY KEYS MASTER_KEY PUBLIC_KEY SSH_PUBLIC_KEY HOST_KEY KNOWN_HOSTS`: false,
		`KEYSTORE KEYSTORE_PATH PASSENGER PASSENGERS COMPASS BYPASS AUTHOR AUTHORS AUTHORITY PATH PATTERN PATCH SPAT`:      false,
		`MONKEY KEYBOARD TOKENIZER SECRETARY CREDIT PWD_DIR OLDPWD PWD HOME USER JIRA_A_URL JIRA_A_USER A_CA`:              false,
		`SSH_KEY_FILE TOKEN_FILE PASSWORD_FILE SECRET_NAME TOKEN_KIND AUTH_URL AUTH_HOST AUTH_USER tokenFile TLS_KEY_PATH`: false,
		`_ 1 - É`: false,
	} {
		for _, name := range strings.Fields(text) {
			if got := secretName(name); got != want {
				t.Errorf("%s, of which the words are %q: %v, want %v", name, nameWords(name), got, want)
			}
		}
	}
	if secretName("") {
		t.Error("a name without a letter tells of a secret")
	}
}

// TestSecretWordsAreMatched: every word of the lists counts, alone and behind another one.
func TestSecretWordsAreMatched(t *testing.T) {
	t.Parallel()
	for _, word := range slices.Concat(secretEndings, secretWords, secretCompounds, secretAddresses) {
		for _, name := range []string{"MY_" + word, "my_" + strings.ToLower(word), word + "_1"} {
			if !secretName(name) {
				t.Errorf("%s does not tell of a secret", name)
			}
			if line := name + ` = "x"`; len(secretLines("f", []byte(line))) != 1 {
				t.Errorf("%s is not masked in a file that does not parse", line)
			}
		}
	}
}

// TestMaskedNames: excerpts leave out the value of every key.
func TestMaskedNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"key": true, "prod_key": true, "keys": true, "sshkey": true,
		"password": true, "url": false, "keystore": false} {
		if got := maskedName(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestSecretWordsAreDocumented: docs/secrets.md lists the words that count, and no others.
func TestSecretWordsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/secrets.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, want := range map[string][]string{
		"At the end of a word, also in the plural": secretEndings,
		"As a whole word":                          secretWords,
		"As one word or two, also in the plural":   secretCompounds,
		"Addresses, which usually hold a password": secretAddresses,
		"Not secret when the name ends in":         plainEndings,
	} {
		_, section, _ := strings.Cut(string(page), "### "+heading+"\n\n")
		list, _, _ := strings.Cut(section, "\n\n")
		var got []string
		for _, m := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(list, -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: the page has %q, the code %q", heading, got, want)
		}
	}
}

// TestVariablesByName: a variable whose name tells of a secret is one unless its block says something else, with one
// warning at its block.
func TestVariablesByName(t *testing.T) {
	t.Parallel()
	for block, want := range map[string]struct{ secret, warned, hidden bool }{
		`variable "db_pass" { default = "canary-1" }`:                              {true, true, true},
		`variable "apiKey" { default = "canary-1" }`:                               {true, true, true},
		`variable "db_pass" {}`:                                                    {true, true, true},
		"variable \"db_pass\" {\n  default = \"canary-1\"\n  sensitive = true\n}":  {true, false, true},
		"variable \"db_pass\" {\n  default = \"canary-1\"\n  sensitive = false\n}": {false, false, false},
		"variable \"use_token\" {\n  default = true\n  type = bool\n}":             {false, false, true},
		`variable "project_key" { default = "canary-1" }`:                          {false, false, true},
		`{"variable": {"db_pass": {"default": "canary-1"}}}`:                       {true, true, true},
		`{"variable": {"db_pass": {"default": "canary-1", "sensitive": false}}}`:   {false, false, false},
		`{"variable": {"db_pass": {"default": "canary-1", "sensitive": true}}}`:    {true, false, true},
	} {
		name := regexp.MustCompile(`db_pass|apiKey|use_token|project_key`).FindString(block)
		w := world{files: map[string]string{"use.sync.hcl": `server "barn" "b" { url = "x-${var.` + name + `}" }`},
			env: map[string]string{EnvPrefix + name: "canary-2"}}
		if name == "use_token" {
			w.env = nil
		}
		file := "main.sync.hcl"
		if strings.HasPrefix(block, "{") {
			file += ".json"
		}
		w.files[file] = block
		cfg, diags := w.load(t)
		warned := 0
		for _, d := range diags {
			if d.Severity == hcl.DiagWarning && d.Subject != nil && d.Subject.Filename == "conf/"+file {
				warned++
			}
		}
		if diags.HasErrors() || len(diags) != warned || (warned == 1) != want.warned || warned > 1 {
			t.Errorf("%s: %s", block, textOf(t, cfg, diags))
			continue
		}
		if got := IsSensitive(cfg.Lookup(Addr{Kind: Server, Type: "barn", Name: "b"}).Get("url")); got != want.secret {
			t.Errorf("%s: secret %t", block, got)
		}
		if got := cfg.Redactor().String("canary-2") != "canary-2"; got != want.secret {
			t.Errorf("%s: redacted %t", block, got)
		}
		if got := cfg.SecretVariable(name); got != (want.hidden) {
			t.Errorf("%s: hidden by name %t", block, got)
		}
		if shown := strings.Contains(string(cfg.Files()["conf/"+file].Bytes), "canary-1"); shown && want.secret {
			t.Errorf("%s: its default is shown", block)
		}
	}
}
