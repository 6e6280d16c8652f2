package functions

// Omitted holds the functions of Terraform that are left out on purpose, with the reason and what to write instead.
var Omitted = map[string]string{
	"abspath": "a path that says where the folder lies on this machine would make every machine's plan another one. " +
		"Paths are relative to the folder.",
	"base64gzip": "what it gives depends on the version of the compression, so that a newer program would plan a change " +
		"where there is none.",
	"bcrypt": "it gives something else each time, and a plan made twice must be the same. Give the hash through a " +
		"variable.",
	"convert": "its second argument is a type, and an argument is a value. tostring, tonumber, tobool, tolist, toset " +
		"and tomap convert; a variable, also that of a module, converts what it is given to any type, with the defaults of " +
		"optional attributes.",
	"ephemeralasnull": "there are no ephemeral values: what is sensitive stands in no plan and no journal.",
	"list":            "Terraform has taken it out. Write tolist([...]).",
	"map":             "Terraform has taken it out. Write tomap({ ... }).",
	"pathexpand": "whose home folder ~ means depends on who makes the plan. Give the path through a variable, or with " +
		"env(\"HOME\").",
	"plantimestamp": "evaluation does not know the time: a plan made twice must be the same. Give the time through a " +
		"variable.",
	"rsadecrypt": "a private key does not belong into a configuration. Give the secret through a sensitive variable, " +
		"or decrypt it with -var-command.",
	"templatestring": "a template is a text in quotes or a file: write it where it is used, or use templatefile.",
	"timestamp": "evaluation does not know the time: a plan made twice must be the same. Give the time through a " +
		"variable, such as -var now=\"$(date -u +%FT%TZ)\".",
	"type": "it shows a type to a person who tries expressions, and has no place in a file.",
	"uuid": "it gives something else each time, and a plan made twice must be the same. uuidv5 makes a UUID from a name.",
}
