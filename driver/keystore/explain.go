package keystore

import (
	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/planner"
)

// The IDs of findings, without the product, and names of what is examined. Those of an Error are declared with it.
// Rules explains each.
const (
	ruleAliasCase             = "alias-case"
	ruleAmbiguousChain        = "ambiguous-chain"
	ruleChainIncomplete       = "chain-incomplete"
	ruleChainOrder            = "chain-order"
	ruleChainSignature        = "chain-signature"
	ruleDuplicateAlias        = "duplicate-alias"
	ruleEmpty                 = "empty"
	ruleExpired               = "expired"
	ruleExpiresSoon           = "expires-soon"
	ruleKeyMismatch           = "key-mismatch"
	ruleNameNotCovered        = "name-not-covered"
	ruleNoCertificate         = "no-certificate"
	ruleNoFolder              = "no-folder"
	ruleNotYetValid           = "not-yet-valid"
	ruleOtherFormat           = "other-format"
	ruleOtherKeyPassword      = "other-key-password"
	rulePasswordCharacters    = "password-characters"
	rulePrivateCA             = "private-ca"
	ruleSelfSigned            = "self-signed"
	ruleShortPassword         = "short-password"
	ruleUnknownAlias          = "unknown-alias"
	ruleUnprotected           = "unprotected"
	ruleUnreadableCertificate = "unreadable-certificate"
	ruleUnsupportedEntry      = "unsupported-entry"
	ruleUnsupportedKey        = "unsupported-key"
	ruleUntrustedCertificate  = "untrusted-certificate"
	ruleWeakKey               = "weak-key"
	ruleWeakProtection        = "weak-protection"
	ruleWeakSignature         = "weak-signature"

	whatEntry    = "entry"
	whatFile     = "file"
	whatPassword = "password"
)

// Rules explains the findings about a keystore, and what is examined.
func (d *Driver) Rules() []planner.Rule {
	out := append(chainRules(), strengthRules()...)
	out = append(append(out, fileRules()...), openRules()...)
	return append(out,
		driver.ExaminationRule(whatEntry+` "NAME"`,
			"Until when the certificates of an entry are valid: of its chain, the first to expire counts.",
			"The keystore opens, and has the entry. It is warned of expires_warning_days before the end.",
			"Renew the certificate, and declare the new one."),
		driver.ExaminationRule(whatFile, "Whether the keystore's file exists, and can be read.",
			"Each keystore is examined.",
			"Check path, and the machine in host. A file that does not exist is made by syncctl apply, its folder is not."),
		driver.ExaminationRule(whatPassword, "Whether the declared password opens the keystore.",
			"The keystore's file exists.",
			"Give the password that the file was written with. Where only previous_password opens it, syncctl apply changes "+
				"the password."),
	)
}

func finding(rule, meaning, when, do string, severities ...planner.Severity) planner.Rule {
	return planner.FindingRule(product+"/"+rule, meaning, when, do, severities...)
}

// chainRules are about keys and the chains of their certificates.
func chainRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleAmbiguousChain,
			"Two certificates of one name are in a PKCS#12 file, and Java finds issuers there by their names alone: an entry "+
				"would be read with a chain that is not its own.",
			"A certificate that is declared has the name of another one in the file, with a different key.",
			"Use a keystore of its own for one of the two, take the other out of the file (keep_others = false), or use a "+
				"jks keystore.", planner.Refuse, planner.Warn),
		finding(ruleChainIncomplete,
			"A certificate's issuer is missing from the chain, so clients cannot verify it.",
			"A certificate in an entry was signed by one that is neither in its chain nor trusted.",
			"Add the issuer's certificate to chain, after the one that it signed. The CA that signed it publishes it.",
			planner.Refuse),
		finding(ruleChainOrder,
			"The certificates of a chain are out of order, or one of them does not belong to it.",
			"A certificate is followed by one that did not sign it, although the right one is in the chain, or a root is "+
				"followed by another certificate.",
			"Put the key's own certificate first, then each one's issuer. Trusted certificates are declared with trust.",
			planner.Refuse, planner.Warn),
		finding(ruleChainSignature,
			"A certificate was not signed by the one that follows it, or the issuer is not a CA.",
			"The names fit, and the signature or the issuer's constraints do not.",
			"Add the certificate whose key signed it: a CA may have several of one name. The issuer must be a CA "+
				"(basicConstraints CA:TRUE, keyUsage keyCertSign).", planner.Refuse),
		finding(ruleKeyMismatch,
			"The key does not belong to the certificate.",
			"The first certificate of an entry has another public key.",
			"Give the key that the certificate was requested with, or the certificate that was issued for this key.",
			planner.Refuse, planner.Warn),
		finding(ruleNameNotCovered,
			"No certificate in the keystore covers a name by which clients connect, so they refuse it.",
			"names lists a host name or an IP address that is not an alternative name of any certificate.",
			"Have a certificate issued that has the name as an alternative name (subjectAltName). The common name alone "+
				"is not enough.", planner.Refuse),
		finding(ruleNoCertificate,
			"An entry has a key without a certificate.",
			"No certificate is given for the key of an entry.",
			"Give the certificate of the key.", planner.Refuse),
		finding(rulePrivateCA,
			"Every client must trust the CA that signed a certificate. Whether it does cannot be seen here.",
			"The chain of an entry leads to a CA.",
			"Add the CA's certificate to the trust stores of the clients. Nothing is to be done for a public CA that Java "+
				"knows.", planner.Note),
		finding(ruleSelfSigned,
			"A certificate is self-signed: every client must trust this very certificate.",
			"An entry has a certificate that signed itself, or one is made.",
			"Add it as a trust block to the trust store of each client. Compare its fingerprint.", planner.Note),
	}
}

// strengthRules are about how long, and how strongly, a certificate protects.
func strengthRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleExpired,
			"A certificate has expired.",
			"Its last day is over. Where nothing declared relies on it, it is a warning.",
			"Have the certificate renewed.", planner.Refuse, planner.Warn),
		finding(ruleExpiresSoon,
			"A certificate expires soon.",
			"It ends within expires_warning_days.",
			"Have the certificate renewed before that.", planner.Warn),
		finding(ruleNotYetValid,
			"A certificate is not valid yet.",
			"Its first moment is ahead, by the clock of this machine.",
			"Wait until then; if it is valid already, correct the clock of this machine.", planner.Refuse, planner.Warn),
		finding(ruleUnreadableCertificate,
			"A certificate cannot be checked, because it cannot be read or its kind of key is unknown.",
			"The keystore has such a certificate.",
			"Inspect it with keytool -list -v. It is kept as it is.", planner.Warn),
		finding(ruleUnsupportedKey,
			"A certificate needs Ed25519, which the declared release of Java does not have for TLS.",
			"java is declared and lower than 16, and a certificate has an Ed25519 key or signature.",
			"Use RSA, or EC on P-256; or declare java = 16 or higher if the server runs with that.",
			planner.Refuse, planner.Warn),
		finding(ruleWeakKey,
			"A key is too weak: RSA below 2048 bits, EC below 256 bits, or DSA.",
			"A certificate has such a key. Where nothing declared relies on it, it is a warning.",
			"Make a new key, RSA of at least 3072 bits or EC on P-256, and have a certificate issued for it.",
			planner.Refuse, planner.Warn),
		finding(ruleWeakSignature,
			"A certificate is signed with MD2, MD5, SHA-1 or DSA, which can be forged.",
			"A certificate has such a signature. A root's own signature is never verified.",
			"Have the certificate reissued, signed with SHA-256.", planner.Refuse, planner.Warn),
	}
}

// fileRules are about the file as a whole.
func fileRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleAliasCase,
			"Aliases are written in lower case: Java ignores their case, and a JKS has lower case.",
			"An alias with capitals is declared in a jks keystore.",
			"Nothing.", planner.Note),
		finding(ruleDuplicateAlias,
			"The file has an alias more than once. Java sees only one of them.",
			"The file was written so by another program. It refuses where writing the file would lose an entry.",
			"Repair the file with keytool or openssl, or move it away so that a new one is made.",
			planner.Warn, planner.Refuse),
		finding(ruleEmpty,
			"The file does not exist, and nothing is declared that it could hold.",
			"A keystore without entry and trust is declared at a path without a file.",
			"Declare its content, or correct path if the file exists already.", planner.Refuse),
		finding(ruleNoFolder,
			"The folder of the file does not exist.",
			"path leads into a folder that is missing.",
			"Make the folder first, or correct path.", planner.Refuse),
		finding(ruleOtherFormat,
			"The file has another format than declared, and will be rewritten.",
			"It is a JKS and PKCS#12 is declared, or the other way round.",
			"Nothing: Java reads both by either name. To keep the format, declare the other type of keystore.", planner.Warn),
		finding(ruleOtherKeyPassword,
			"The password of the keystore does not open the key of an entry that is not declared.",
			"The key has a password of its own.",
			"Nothing: it is kept as it is, and its password too.", planner.Warn),
		finding(rulePasswordCharacters,
			"The password has characters that Java does not accept for a keystore.",
			"The file is to be written, and its password has other characters than printable ASCII.",
			"Choose ASCII letters, digits and punctuation.", planner.Refuse),
		finding(ruleShortPassword,
			"The password has fewer than six characters: keytool refuses to write such a keystore, and it is quickly guessed.",
			"A short password is declared.",
			"Choose a longer one; previous_password opens the file until it is changed.", planner.Warn),
		finding(ruleUnknownAlias,
			"The file has entries that are not declared. They stay, or are removed where keep_others is false.",
			"The file has more than the declaration.",
			"Declare them, or have them removed with keep_others = false. A backup of the file stays beside it.",
			planner.Note, planner.Warn),
		finding(ruleUnprotected,
			"The file has no MAC, so a manipulation would go unnoticed.",
			"A PKCS#12 file without one is as declared otherwise.",
			"Nothing: the next write adds one.", planner.Note),
		finding(ruleUnsupportedEntry,
			"The file has something that would be lost by writing it, such as a secret key or an entry of another kind.",
			"The file is to be written, keep_others is true, and it has such content.",
			"Repair the file with keytool or openssl first, or move it away so that a new one is made.", planner.Refuse),
		finding(ruleUntrustedCertificate,
			"The file has a certificate that Java neither shows nor trusts, because it lacks Java's mark of trust.",
			"openssl wrote the certificate.",
			"Declare it with trust to add the mark.", planner.Note),
		finding(ruleWeakProtection,
			"The file is encrypted with RC2 or RC4: anybody who gets it can break it.",
			"Such a file is as declared otherwise.",
			"Nothing: the next write protects it better.", planner.Note),
	}
}

// openRules are about a file that cannot be opened.
func openRules() []planner.Rule {
	return []planner.Rule{
		finding(RuleCostly,
			"Opening the file would take more work than any known program asks for, or it has more entries than are read.",
			"The file has very many entries, or asks for very many rounds of encryption.",
			"Find out where the file comes from before you trust it, and remove what is not needed.", planner.Refuse),
		finding(RuleNotAKeystore,
			"The file is not a keystore that Java reads, or it is damaged.",
			"path names a file of another kind, a folder, or a damaged keystore.",
			"Correct path, or get the file again from its source.", planner.Refuse),
		finding(RuleTruncated,
			"The file is cut off: it ends in the middle of an entry.",
			"It was copied in part, or the disk was full.",
			"Get the file again from its source: the missing part cannot be restored.", planner.Refuse),
		finding(RuleUnsupported,
			"The file is in a form that is not supported, or its password cannot be used with the format.",
			"The file uses an algorithm or a structure that is unknown here.",
			"Convert it to a common form: keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype pkcs12. "+
				"Choose a password of ASCII characters.", planner.Refuse),
		finding(RuleWrongPassword,
			"The password does not open the file, or the file was damaged.",
			"The file was written with another password.",
			"Give the password that the file was written with as password or, to change it, as previous_password.",
			planner.Refuse),
	}
}
