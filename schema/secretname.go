package schema

import (
	"slices"
	"strings"
	"unicode"
)

// The words that mark a name as that of a secret, in upper case. docs/secrets.md lists them.
var (
	// secretEndings also match at the end of a longer word, and in the plural: PGPASSWORD, AUTHTOKEN, SECRETS.
	secretEndings = []string{"PASSWORD", "PASSWD", "PASSPHRASE", "PASSCODE", "SECRET", "TOKEN", "CREDENTIAL"}

	// secretWords match whole words only: DB_PASS is a secret, PASSENGER and COMPASS are not.
	secretWords = []string{
		"PASS", "PWD", "KEYPASS", "STOREPASS", "SSHPASS", "DBPASS",
		"AUTH", "AUTHORIZATION", "BEARER", "JWT", "PAT", "CRED", "CREDS",
	}

	// secretCompounds match as two words or as one, and in the plural: API_KEY, apiKey, APIKEYS. Other keys, such as
	// PROJECT_KEY and PUBLIC_KEY, are not secret.
	secretCompounds = []string{
		"ACCESSKEY", "AESKEY", "APIKEY", "AUTHKEY", "DECRYPTIONKEY", "DEPLOYKEY", "ENCRYPTIONKEY", "GPGKEY", "HMACKEY",
		"PGPKEY", "PRIVATEKEY", "RSAKEY", "SECRETKEY", "SHAREDKEY", "SIGNINGKEY", "SSHKEY",
	}

	// secretAddresses usually hold a password, so plainEndings does not apply to them.
	secretAddresses = []string{"DSN", "DATABASEURL", "DATABASEURI", "DBURL", "DBURI", "CONNECTIONSTRING"}

	// plainEndings end names of things that belong to a secret but are not secret: TOKEN_FILE, AUTH_URL, SECRET_NAME.
	plainEndings = []string{
		"DIR", "FILE", "FOLDER", "HOST", "KIND", "METHOD", "MODE", "NAME", "PATH", "PORT", "REALM", "SERVER", "TYPE",
		"URI", "URL", "USER", "USERNAME",
	}
)

// secretName reports whether a variable or environment variable of that name probably holds a secret.
func secretName(name string) bool {
	words := nameWords(name)
	if len(words) == 0 || name == "PWD" { // the current directory of the shell
		return false
	}
	plain := slices.Contains(plainEndings, words[len(words)-1])
	for i, word := range words {
		compound := word
		if i > 0 {
			compound = words[i-1] + word
		}
		singular := strings.TrimSuffix(word, "S")
		switch {
		case slices.Contains(secretAddresses, word) || slices.Contains(secretAddresses, compound):
			return true
		case plain:
		case slices.Contains(secretWords, word),
			slices.ContainsFunc(secretEndings, func(end string) bool { return strings.HasSuffix(singular, end) }),
			slices.Contains(secretCompounds, singular),
			slices.Contains(secretCompounds, strings.TrimSuffix(compound, "S")):
			return true
		}
	}
	return false
}

// maskedName reports whether the value of an argument or variable of that name is left out of the excerpts in
// diagnostics. Leaving out too much does no harm there, so every key counts.
func maskedName(name string) bool {
	return secretName(name) || slices.ContainsFunc(nameWords(name), func(w string) bool {
		return strings.HasSuffix(strings.TrimSuffix(w, "S"), "KEY")
	})
}

// nameWords splits a name at everything that is not a letter, and at capitals as in apiKey and APIKey.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToUpper(string(word)))
		}
		word = nil
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) {
			end()
			continue
		}
		after := i > 0 && unicode.IsLower(runes[i-1])
		before := i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && (after || before) {
			end()
		}
		word = append(word, r)
	}
	end()
	return words
}
