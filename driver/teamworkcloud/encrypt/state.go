package encrypt

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/survey"
	"github.com/syncctl/syncctl/planner"
)

// state is the state of encryption at one server, made from observations.
type state struct {
	server  *connect.Server
	about   *survey.Server
	in      *machine.LoggedIn
	recipe  Recipe
	why     string // why this recipe was chosen
	trust   []keystore.Trusted
	machine string // name for people; "": none is declared
	now     time.Time

	port  Port
	want  int        // the port that the server should have
	shown *Handshake // nil while the port is not open
	lacks []string   // names of certificates that are in the keystore but are not sent

	keystore keystoreState
	files    []fileState  // the settings files of the recipe
	stores   []storeState // the trust stores
	since    time.Time    // when the services that read the files were started; zero: unknown

	confirmed map[string]planner.Confirmation
}

// keystoreState is the keystore as it will be when its declaration has been applied.
type keystoreState struct {
	addr    string
	path    string           // path at which the server finds it
	format  keystore.Format  //
	pending []string         // what will change in its file, in words
	entries []keystore.Entry // without those that are still to be created
	made    int              // number of declared entries that are to be created
}

type fileState struct {
	settingsFile

	seen *Settings
}

type storeState struct {
	path string
	seen *Store
}

// look returns the state of encryption at a server, or nil while observations are missing.
func (e *Encryption) look(v *survey.View, server *connect.Server) *state {
	r, decl := server.Resource(), server.SyncTLS.Keystore
	if decl == nil {
		return nil
	}
	s := &state{server: server, trust: trusted(server)}
	s.about = survey.Look[survey.Server](v, r, survey.AboutServer, "")
	s.in = survey.Look[machine.LoggedIn](v, r, survey.AboutUsers, "")
	port := survey.Look[Port](v, r, AboutPort, "")
	file := survey.Look[keystore.Observed](v, decl, keystore.Need(decl).What, "")
	if s.about == nil || s.in == nil || port == nil || file == nil {
		return nil
	}
	s.recipe, s.why = recipeFor(server, s.about.Release)
	s.now = file.Now
	if err := s.lookAtKeystore(file); err != nil {
		v.Fail(err)
		return nil
	}
	s.lookAtPort(v, port)
	if server.Host != nil {
		s.lookAtMachine(v)
	}
	if v.Lacks() {
		return nil
	}
	return s
}

func (s *state) lookAtKeystore(file *keystore.Observed) error {
	decl := s.server.SyncTLS.Keystore
	k := &s.keystore
	k.addr, k.path, k.format = decl.Addr.String(), keystorePath(s.server), keystore.Format(decl.Addr.Type)
	effective, pending, err := keystore.Effective(decl, file.Store, file.Now)
	if err != nil {
		return err
	}
	if _, k.made, err = keystore.Declared(decl); err != nil {
		return err
	}
	k.pending = pending
	if file.Problem != nil {
		k.pending = append(k.pending, "it cannot be opened: "+file.Problem.Message)
	}
	for _, entry := range effective.Entries {
		if len(entry.Chain) > 0 {
			k.entries = append(k.entries, entry)
		}
	}
	return nil
}

func (s *state) lookAtPort(v *survey.View, port *Port) {
	s.port = *port
	if !port.Known { // the server's health shows the port, if the user may see that
		s.port.Port, s.port.Enabled = s.about.TLSPort, s.about.TLSPort != 0
	}
	if !s.port.Enabled {
		s.want = s.server.EncryptedPort(0)
		return
	}
	s.want = s.server.EncryptedPort(s.port.Port)
	address, name := ownPort(s.server, s.port.Port)
	s.shown = survey.Look[Handshake](v, s.server.Resource(), AboutHandshake, address+as+name)
	if leaf := s.shown.leaf(); leaf != nil {
		for _, entry := range s.keystore.entries {
			if entry.Chain[0].Equal(*leaf) {
				s.lacks = s.shown.lacks(entry.Chain)
			}
		}
	}
}

func (s *state) lookAtMachine(v *survey.View) {
	r := s.server.Resource()
	if services := survey.Look[Services](v, r, AboutServices, s.release()); services != nil {
		s.machine, s.since = services.Machine, services.Since
	}
	for _, f := range settingsOf(s.server, s.recipe, s.about.Release, s.want) {
		what := AboutProperties
		if f.hocon {
			what = AboutHOCON
		}
		if seen := survey.Look[Settings](v, r, what, f.path); seen != nil {
			s.files = append(s.files, fileState{f, seen})
		}
	}
	for _, path := range storesOf(s.server, s.recipe, placesOf(s.server, s.about.Release)) {
		if seen := survey.Look[Store](v, r, AboutStore, path); seen != nil {
			s.stores = append(s.stores, storeState{path, seen})
		}
	}
}

func (s *state) addr() string { return s.server.Address() }

// release returns the server's release as steps and observations name it, "" if unknown.
func (s *state) release() string {
	if s.about.Release.IsZero() {
		return ""
	}
	return s.about.Release.String()
}

// args returns the arguments of steps.
func (s *state) args() map[string]string {
	return map[string]string{argRelease: s.release(), argPort: strconv.Itoa(s.want)}
}

// window returns the maintenance window in which the server's services are restarted.
func (s *state) window() *machine.Window {
	w := machine.WindowOf(s.server, End, s.about.Release)
	w.AllowLoggedIn = s.server.SyncTLS.AllowLoggedIn
	return w
}

// likeness compares what the port presents with the keystore's certificates.
type likeness string

const (
	equal   likeness = "equal"
	differs likeness = "differs"
	unknown likeness = "unknown"
)

// certificate reports whether the port presents one of the keystore's certificates.
func (s *state) certificate() likeness {
	var prints []string
	for _, entry := range s.keystore.entries {
		prints = append(prints, entry.Chain[0].Fingerprint())
	}
	leaf := s.shown.leaf()
	switch {
	case len(prints) == 0:
		return differs // it is still to be created
	case leaf != nil && slices.Contains(prints, leaf.Fingerprint()) && len(s.lacks) == 0:
		return equal
	case leaf != nil:
		return differs
	case len(s.port.Uploaded) == 0:
		return unknown
	case slices.ContainsFunc(s.port.Uploaded, func(u string) bool { return slices.Contains(prints, u) }):
		return equal
	}
	return differs
}

// uploads reports whether the keystore has to be uploaded: the port is closed, has another number, or presents
// something else.
func (s *state) uploads() bool {
	return !s.port.Enabled || s.port.Port != s.want || s.certificate() == differs
}

// rereads reports whether the web application has to read its keystore again, which it does when it starts.
func (s *state) rereads() bool { return s.recipe.Settings && len(s.keystore.pending) > 0 }

// changes reports whether something has to change, at the server or on its machine.
func (s *state) changes() bool { return s.uploads() || s.rereads() || len(s.edits()) > 0 }

// edits returns the steps that change files on the machine.
func (s *state) edits() []planner.Step {
	var edits []planner.Step
	for i := range s.files {
		if f := &s.files[i]; f.seen.Problem == "" && len(f.missing(f.seen.Values)) > 0 {
			edits = append(edits, s.settingsStep(&f.settingsFile, f.seen))
		}
	}
	for _, store := range s.stores {
		if store.seen.Problem == "" && len(store.seen.missing(s.trust)) > 0 {
			edits = append(edits, s.trustStep(store.path, store.seen))
		}
	}
	return edits
}

// leftToPerson reports whether there is work on a machine that is not declared, and no earlier run has had it done.
func (s *state) leftToPerson() bool {
	if !s.recipe.Settings && len(s.trust) == 0 {
		return false
	}
	var last string
	var at planner.Confirmation
	for op, c := range s.confirmed {
		if strings.HasPrefix(op, byHand.Name+"_") && (last == "" || c.After(at)) {
			last, at = op, c
		}
	}
	return last != s.byHandOp() || s.rereads()
}
