package teamworkcloud

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/settings"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/schema"
)

// settingsFile is a settings file and what it is to say. It holds secrets.
type settingsFile struct {
	path  string
	hocon bool // else Java properties
	want  []setting
}

type setting struct {
	key, value string
	secret     bool
	same       func(have string) bool // to the reading program; nil: the same text
}

// Keys of the settings files (facts: the names are the vendor's own).
const (
	keyTLS      = "twc.client.tls"
	keyType     = "twc.client.keystore.type"
	keyPath     = "twc.client.keystore.path"
	keyPassword = "twc.client.keystore.password" //nolint:gosec // a key, no password
	keyPort     = "twc.client.port"
	keySync     = "esi.server.sync.tls-enabled"
)

// settingsOf are the files that a recipe edits: the four values with which the web application connects encrypted and the port that
// goes with them (MCS 247046810), and the one that encrypts synchronization (seed).
func settingsOf(server *schema.Resource, r recipe, release osmc.Release, port int) []settingsFile {
	if !r.Settings {
		return nil
	}
	places, store := filesOf(server, release), keystoreOf(server)
	return []settingsFile{
		{path: places.web, want: []setting{
			{key: keyTLS, value: "true", same: func(have string) bool { return strings.EqualFold(strings.TrimSpace(have), "true") }},
			{key: keyType, value: keystore.Format(store.Addr.Type).Java(), same: func(have string) bool {
				return strings.EqualFold(strings.TrimSpace(have), keystore.Format(store.Addr.Type).Java())
			}},
			{key: keyPath, value: keystorePath(server)},
			{key: keyPassword, value: keystore.Password(store).Reveal(), secret: true},
			{key: keyPort, value: strconv.Itoa(port)},
		}},
		{path: places.conf, hocon: true, want: []setting{
			{key: keySync, value: "true", same: func(have string) bool {
				truth, ok := settings.Truth(have)
				return ok && truth
			}},
		}},
	}
}

func (s *setting) isSame(have string) bool {
	return have == s.value || s.same != nil && s.same(have)
}

// fact is a setting beside what the file says of it.
func (s *setting) fact(have string, line int, there bool) valueFact {
	v := valueFact{Key: s.key, Line: line, Want: s.value, Secret: s.secret}
	if !there {
		v.Have = "not set"
	} else {
		v.Sealed = settings.IsEncrypted(have)
		v.Same = s.isSame(have) || s.secret && v.Sealed // what the server alone can read is left to it
		v.Have = wording.OneLine(have)
	}
	if s.secret {
		v.Want = "(sensitive value)"
		if there {
			v.Have = "(sensitive value)"
		}
	}
	return v
}

// edit gives a file the values that it lacks and returns it, and what it says of each of them now. What is there already, however it is
// spelled, is left alone.
func (f *settingsFile) edit(content []byte) ([]byte, []valueFact, error) {
	if f.hocon {
		return f.editHOCON(content)
	}
	p, err := settings.ParseProperties(content)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", f.path, err)
	}
	var facts []valueFact
	for _, s := range f.want {
		have, line, there := p.Get(s.key)
		v := s.fact(have, line, there)
		facts = append(facts, v)
		if v.Same {
			continue
		}
		if err := p.Set(s.key, s.value); err != nil {
			return nil, facts, fmt.Errorf("editing %s: %w", f.path, err)
		}
	}
	return p.Bytes(), facts, nil
}

// editHOCON appends what is missing, as the page has it (seed: "append ... to the end"): there it wins over all that is said before.
func (f *settingsFile) editHOCON(content []byte) ([]byte, []valueFact, error) {
	h, err := settings.ParseHOCON(content)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", f.path, err)
	}
	var facts []valueFact
	for _, s := range f.want {
		found := h.Find(s.key)
		v := s.fact(found.Value, found.Line, found.Standing == settings.Literal)
		facts = append(facts, v)
		if v.Same {
			continue
		}
		if err := h.Append(s.key, s.value); err != nil {
			return nil, facts, fmt.Errorf("editing %s: %w", f.path, err)
		}
	}
	return h.Bytes(), facts, nil
}
