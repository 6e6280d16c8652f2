package schema

import (
	"slices"
	"strings"
	"testing"
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
