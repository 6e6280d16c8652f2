package teamworkcloud

import (
	"time"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
)

// encryptionFacts are how encryption stands at one server. There is no secret in them.
type encryptionFacts struct {
	Now     time.Time        `json:"now"` // when it was observed, for what expires
	Server  survey.Server    `json:"server"`
	Recipe  string           `json:"recipe"` // "": no page is about its release
	Why     string           `json:"why"`
	Machine string           `json:"machine,omitempty"` // "": none is declared
	In      machine.LoggedIn `json:"in"`

	Port     portFacts     `json:"port"`
	Keystore keystoreFacts `json:"keystore"`
	Files    []fileFacts   `json:"files,omitempty"`  // settings files of the recipe
	Stores   []storeFacts  `json:"stores,omitempty"` // what others' certificates are trusted by
	Trust    []string      `json:"trust,omitempty"`  // aliases that are declared, sorted

	Since time.Time `json:"since,omitzero"` // when the services were started that read the files; zero: not known
}

// portFacts are the encrypted port for clients.
type portFacts struct {
	Known    bool       `json:"known"` // the server says how it stands
	Enabled  bool       `json:"enabled"`
	Port     int        `json:"port"`               // as the server says it
	Want     int        `json:"want"`               // as it is to be
	Uploaded []string   `json:"uploaded,omitempty"` // fingerprints of the certificates in the keystore that it was given, where the server shows that
	Shown    *presented `json:"shown,omitempty"`    // nil while the port is not open
	Lacks    []string   `json:"lacks,omitempty"`    // names of issuers whose certificates are in the keystore and are not sent
}

// keystoreFacts are the keystore as it will be once its declaration is carried out.
type keystoreFacts struct {
	Addr    string       `json:"addr"`
	Path    string       `json:"path"`              // as the server finds it
	Type    string       `json:"type"`              // as Java calls it
	Pending []string     `json:"pending,omitempty"` // what is to change in its file
	Entries []entryFacts `json:"entries,omitempty"` // without those that are still to be made
}

type entryFacts struct {
	leafFacts

	Alias  string `json:"alias"`
	Covers bool   `json:"covers"` // it is for the name under which others connect

	Chain certificates `json:"chain"`
}

// prints are the fingerprints of the entries' own certificates.
func (k *keystoreFacts) prints() []string {
	var out []string
	for _, e := range k.Entries {
		out = append(out, e.Print)
	}
	return out
}

// fileFacts are a settings file.
type fileFacts struct {
	Path     string      `json:"path"`
	Sum      string      `json:"sum"`               // SHA-256; "": there is none
	Problem  string      `json:"problem,omitempty"` // why it cannot be edited
	Modified time.Time   `json:"modified,omitzero"`
	Values   []valueFact `json:"values,omitempty"` // what it is to say, and what it says
}

// valueFact is one setting. Of a secret no value is in it.
type valueFact struct {
	Key    string `json:"key"`
	Line   int    `json:"line,omitempty"` // where it stands; 0: it does not
	Have   string `json:"have,omitempty"`
	Want   string `json:"want"`
	Secret bool   `json:"secret,omitempty"`
	Sealed bool   `json:"sealed,omitempty"` // ENC(...): what it is nobody can tell but the server
	Same   bool   `json:"same,omitempty"`
}

// changes are the settings that are not as they are to be.
func (f *fileFacts) changes() []valueFact {
	var out []valueFact
	for _, v := range f.Values {
		if !v.Same {
			out = append(out, v)
		}
	}
	return out
}

// storeFacts are a file that certificates are trusted by.
type storeFacts struct {
	Path     string    `json:"path"`
	Sum      string    `json:"sum"`
	Problem  string    `json:"problem,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Missing  []string  `json:"missing,omitempty"` // aliases of what is declared and not trusted

	Hindrances []problemFacts `json:"hindrances,omitempty"` // what keeps it from being added
}

// problemFacts are what a rule says about something that was read.
type problemFacts = keystore.Problem

// pairFacts are how encryption stands between the two ends of a sync.
type pairFacts struct {
	Source, Target *endFacts `json:",omitempty"` // nil: the end declares nothing
	Differ         []differFact
}

// endFacts are one end, and what the other one thinks of it.
type endFacts struct {
	Addr     string
	Pending  bool           // its own plan changes what the port presents
	Changes  bool           // its own plan changes something, if only on the machine
	Shown    *presented     // as the other end sees it now; nil while nothing is to be seen
	Problems []problemFacts // of what is presented now, or while that is to change, of what will be
}

// differFact is a value that has to be the same on both ends and is not.
type differFact struct {
	Key            string
	Source, Target string // "/path/file:12 says ..."
}
