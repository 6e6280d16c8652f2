package encrypt

import (
	"slices"

	"github.com/syncctl/syncctl/planner"
)

// The IDs of findings, after the product. Those of a handshake are in handshake.go. Rules explains each of them.
const (
	ruleTLSBackup      = "tls-backup"
	ruleTLSClear       = "tls-clear"
	ruleTLSEntry       = "tls-entry"
	ruleTLSExpired     = "tls-expired"
	ruleTLSFile        = "tls-file"
	ruleTLSFormat      = "tls-format"
	ruleTLSIncomplete  = "tls-incomplete"
	ruleTLSMismatch    = "tls-mismatch"
	ruleTLSName        = "tls-name"
	ruleTLSNodes       = "tls-nodes"
	ruleTLSNotYetValid = "tls-not-yet-valid"
	ruleTLSOneEnd      = "tls-one-end"
	ruleTLSPlainPort   = "tls-plain-port"
	ruleTLSPort        = "tls-port"
	ruleTLSReadable    = "tls-readable"
	ruleTLSRecipe      = "tls-recipe"
	ruleTLSRestart     = "tls-restart"
	ruleTLSRights      = "tls-rights"
	ruleTLSSealed      = "tls-sealed"
	ruleTLSStore       = "tls-store"
	ruleTLSTrust       = "tls-trust"
	ruleTLSTrustStores = "tls-trust-stores"
	ruleTLSUnreadable  = "tls-unreadable"
	ruleTLSUnseen      = "tls-unseen"
	ruleTLSUntrusted   = "tls-untrusted"
)

// Rules explains the findings about encryption.
func Rules() []planner.Rule {
	return slices.Concat(portRules(), chainRules(), settingsRules(), storeRules())
}

func finding(rule, meaning, when, do string, severities ...planner.Severity) planner.Rule {
	return planner.FindingRule(product+"/"+rule, meaning, when, do, severities...)
}

// portRules are about the encrypted port.
func portRules() []planner.Rule {
	return []planner.Rule{
		finding(rulePortClosed,
			"The encrypted port of a server cannot be reached: nobody listens there, or the name is unknown.",
			"The other end connects to it, as it would when it synchronizes.",
			"Let a firewall pass it, start the services, or correct sync_address.", planner.Refuse),
		finding(ruleTLSEntry,
			"The keystore has no key, so the server has nothing to present; or it has several, and no page says which one is "+
				"taken.",
			"The keystore of sync_tls has no entry with a key, or more than one.",
			"Declare one entry with key and certificate. With several the handshake shows which one the server takes.",
			planner.Refuse, planner.Warn),
		finding(rulePortForeign,
			"The port answers, and not in TLS: it is another service's, or the one without encryption.",
			"The other end connects to the encrypted port.",
			"Correct sync_address.", planner.Refuse),
		finding(ruleTLSFormat,
			"The server is given a JKS keystore. The example in its interface is one; newer pages have PKCS#12.",
			"The keystore of sync_tls is a jks, and is uploaded.",
			"Nothing, or declare it as pkcs12.", planner.Note),
		finding(ruleTLSPlainPort,
			"The port without encryption stays open.",
			"The encrypted port is opened by the plan.",
			"Block it with a firewall if nobody is to connect unencrypted.", planner.Note),
		finding(ruleTLSPort,
			"The declared port is that for clients without encryption.",
			"port in sync_tls is the server's plain port.",
			"Declare another one; the vendor's is 10002.", planner.Refuse),
		finding(rulePortSilent,
			"The encrypted port of a server does not answer in time, or the connection breaks.",
			"The other end connects to it, as it would when it synchronizes.",
			"Let a firewall pass it, or correct sync_address.", planner.Refuse),
		finding(ruleTLSUnseen,
			"It is unknown which certificate the open port presents. It is taken to be the keystore's.",
			"The port is open as declared, and nobody could connect to it to look.",
			"Let this machine, or the server's own (host), reach the port.", planner.Warn).NotCompared(),
	}
}

// chainRules are about the certificates that a server presents.
func chainRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleTLSExpired,
			"The certificate that a server presents, or is going to present, has expired.",
			"The other end looks at the chain of certificates.",
			"Have the certificate renewed, and declare the new one in the keystore.", planner.Refuse),
		finding(ruleTLSIncomplete,
			"The chain of certificates is incomplete: one comes without the certificate of its issuer.",
			"The chain leads to a trusted CA only with a certificate that is not presented.",
			"Put the certificates of the issuers into chain of the keystore's entry, each after the one that it signed.",
			planner.Refuse),
		finding(ruleTLSName,
			"No certificate covers the name under which other servers connect.",
			"The name in sync_address is not an alternative name of the certificate.",
			"Have a certificate issued that has it as an alternative name (subjectAltName), or correct sync_address.",
			planner.Refuse),
		finding(ruleTLSNotYetValid,
			"The certificate that a server presents, or is going to present, is not valid yet.",
			"Its first moment is ahead, by the clock of this machine.",
			"Wait until then; if it is valid already, correct the clock of this machine.", planner.Refuse),
		finding(ruleTLSUnreadable,
			"The certificate that a server presents cannot be read.",
			"It has a form that is not known.",
			"Inspect it with keytool -printcert.", planner.Refuse),
		finding(ruleTLSUntrusted,
			"The certificate is self-signed or signed by a CA that the other server does not trust.",
			"No trusted certificate of the server that connects leads to it.",
			"Declare the CA's certificate with trust in sync_tls of the servers that connect.", planner.Refuse),
	}
}

// settingsRules are about settings files.
func settingsRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleTLSBackup,
			"The backup of a settings file keeps the former password of the keystore in clear text.",
			"The file has the password in clear text, and is edited.",
			"Remove the backup once the services run as they should.", planner.Note),
		finding(ruleTLSClear,
			"A settings file gets the password of the keystore in clear text, as the vendor's page has it.",
			"The password in the file is missing or another one.",
			"Encrypt it afterwards with the vendor's encryptor; ENC(...) is left as it is.", planner.Note),
		finding(ruleTLSFile,
			"A settings file cannot be edited.",
			"It is missing, cannot be read, or has a form that is not known.",
			"Repair the file, or say where it is: application_conf and webappplatform_properties in host.", planner.Refuse),
		finding(ruleTLSMismatch,
			"Source and target must have the same value in a setting, and differ.",
			"The recipe asks for equal settings on both ends.",
			"Make them the same.", planner.Refuse),
		finding(ruleTLSOneEnd,
			"One end encrypts and the other declares no sync_tls, so its settings are not looked after.",
			"The source has sync_tls and the target has not.",
			"Declare sync_tls there too.", planner.Warn),
		finding(ruleTLSReadable,
			"Every user of the machine may read the password of the keystore in clear text.",
			"The settings file has, or gets, the password, and everybody may read the file.",
			"Let only the user of the web application read it, and its backups (*.bak). syncctl keeps the mode of the file.",
			planner.Warn),
		finding(ruleTLSRecipe,
			"Which of the vendor's pages the plan follows. They disagree, by version.",
			"Encryption is declared. It is a warning where the page names no version and the server has one.",
			"Compare it with the page for your release. recipe in sync_tls chooses another one.", planner.Note, planner.Warn),
		finding(ruleTLSRights,
			"The user may not manage the encrypted port of the server.",
			"The server refuses the question for its port, and the plan would open it.",
			"Give the user a role with the permission Configure Server, or use the token of a user who has it.",
			planner.Refuse),
		finding(ruleTLSSealed,
			"The password in a settings file is encrypted (ENC), so only the server can tell whether it is right.",
			"The file has ENC(...) where the password stands.",
			"It is left as it is. When the password of the keystore changes, encrypt the new one by hand.", planner.Note),
	}
}

// storeRules are about trust stores, and the services that read files.
func storeRules() []planner.Rule {
	return []planner.Rule{
		finding(ruleTLSNodes,
			"The server has several nodes, and settings and trust stores are on each of them.",
			"The server reports more than one node, and the plan changes files.",
			"Make the same changes there by hand, and have host.stop and host.start reach all of them.", planner.Warn),
		finding(ruleTLSRestart,
			"A settings file or trust store was changed after the services were started, so the change may not be in effect.",
			"A file is newer than the start of the services, and the plan does not start them.",
			"If that was about encryption, start the services again, with the commands of the finding.", planner.Warn),
		finding(ruleTLSStore,
			"A trust store cannot be used, or a certificate cannot be added to it.",
			"Its password is wrong, an alias is taken, or it has content that would be lost.",
			"Correct trust_stores or its password in sync_tls, choose another alias, or repair the file.", planner.Refuse),
		finding(ruleTLSTrust,
			"The server is to trust certificates by the very file that its keystore is declared for, and that does not "+
				"declare them.",
			"The server's own keystore and the trust store are one file.",
			"Declare them with trust in the keystore: two declarations cannot write one file.", planner.Refuse),
		finding(ruleTLSTrustStores,
			"The trust stores of the server's Javas are not declared, or only one of the two.",
			"The recipe has certificates added to the trust stores of both Javas.",
			"Write trust_stores = [...]: cacerts of Teamwork Cloud's Java, and of the web application's. If both use one "+
				"Java, one is enough.", planner.Refuse, planner.Warn),
	}
}
