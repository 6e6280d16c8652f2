package encrypt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/settings"
	"github.com/syncctl/syncctl/driver/wording"
	"github.com/syncctl/syncctl/executor"
	"github.com/syncctl/syncctl/planner"
)

// editSettings edits a settings file.
var editSettings = driver.Verb[*Encryption]{
	Name: "settings", Execute: (*Encryption).editSettings, Verify: (*Encryption).verifySettings,
}

// Keys of the settings files. The names are the vendor's own.
const (
	keyTLS      = "twc.client.tls"
	keyType     = "twc.client.keystore.type"
	keyPath     = "twc.client.keystore.path"
	keyPassword = "twc.client.keystore.password" //nolint:gosec // a key, not a password
	keyPort     = "twc.client.port"
	keySync     = "esi.server.sync.tls-enabled"
)

// clientKeys are the keys of the web application.
var clientKeys = []string{keyTLS, keyType, keyPath, keyPassword, keyPort}

// settingsFile is a settings file with its wanted values. It contains secrets.
type settingsFile struct {
	path  string
	hocon bool // else Java properties
	want  []setting
}

type setting struct {
	key, value string
	secret     string                 // address of the keystore whose password value is, "" if not secret
	same       func(have string) bool // whether have means the same; nil: only the same text
}

// settingsOf returns the files that a recipe edits.
func settingsOf(server *connect.Server, r Recipe, release osmc.Release, port int) []settingsFile {
	if !r.Settings {
		return nil
	}
	p := placesOf(server, release)
	return []settingsFile{
		{path: p.web, want: wantOf(server, port, false)},
		{path: p.conf, hocon: true, want: wantOf(server, port, true)},
	}
}

// wantOf returns the wanted settings of one of the two files. In the properties, these are the four values with which
// the web application connects encrypted, and the port for that (MCS 247046810). In HOCON, it is the one that encrypts
// synchronization (seed).
func wantOf(server *connect.Server, port int, hocon bool) []setting {
	if hocon {
		return []setting{{key: keySync, value: "true", same: func(have string) bool {
			truth, ok := settings.Truth(have)
			return ok && truth
		}}}
	}
	store := server.SyncTLS.Keystore
	folded := func(want string) func(string) bool {
		return func(have string) bool { return strings.EqualFold(strings.TrimSpace(have), want) }
	}
	format := keystore.Format(store.Addr.Type).Java()
	return []setting{
		{key: keyTLS, value: "true", same: folded("true")},
		{key: keyType, value: format, same: folded(format)},
		{key: keyPath, value: keystorePath(server)},
		{key: keyPassword, value: keystore.Password(store).Reveal(), secret: store.Addr.String()},
		{key: keyPort, value: strconv.Itoa(port)},
	}
}

// isSet reports whether a file has the wanted value. An encrypted password counts, because only the server can read
// it.
func (s *setting) isSet(said []Value) bool {
	v := valueIn(said, s.key)
	switch {
	case !v.Set:
		return false
	case s.secret == "":
		return v.Have == s.value || s.same != nil && s.same(v.Have)
	case v.Sealed:
		return true
	}
	return slices.Contains(v.Keystores, s.secret)
}

// shown returns the value for people, but no secret.
func (s *setting) shown() string {
	if s.secret != "" {
		return "(sensitive value)"
	}
	return s.value
}

// stands describes what a file has for the key now.
func (s *setting) stands(said []Value) string {
	v := valueIn(said, s.key)
	switch {
	case v.Line == 0:
		return s.key + " is not set"
	case s.secret != "":
		return fmt.Sprintf("%s in line %d is different", s.key, v.Line)
	}
	have := v.Have
	if !v.Set {
		have = "not set"
	}
	return fmt.Sprintf("%s in line %d is %q", s.key, v.Line, wording.OneLine(have))
}

// parse reads a file. It returns the values in it and functions to change it. passwords holds those of keystores, by
// the keystore's address.
func (f *settingsFile) parse(content []byte, passwords map[string]string) (
	said []Value, set func(key, value string) error, bytes func() []byte, err error,
) {
	if f.hocon {
		h, err := settings.ParseHOCON(content)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("reading %s: %w", f.path, err)
		}
		found := h.Find(keySync)
		v := Value{Key: keySync, Line: found.Line, Set: found.Standing == settings.Literal, Have: found.Value}
		return []Value{v}, h.Append, h.Bytes, nil
	}
	p, err := settings.ParseProperties(content)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading %s: %w", f.path, err)
	}
	for _, key := range clientKeys {
		said = append(said, valueOf(p, key, passwords))
	}
	return said, p.Set, p.Bytes, nil
}

func valueOf(p *settings.Properties, key string, passwords map[string]string) Value {
	text, line, set := p.Get(key)
	v := Value{Key: key, Line: line, Set: set, Have: text, Sealed: set && settings.IsEncrypted(text)}
	if key != keyPassword {
		return v
	}
	v.Have = ""
	for _, addr := range slices.Sorted(maps.Keys(passwords)) {
		if set && passwords[addr] == text {
			v.Keystores = append(v.Keystores, addr)
		}
	}
	return v
}

// passwords returns the wanted values that are passwords, by the keystore's address.
func (f *settingsFile) passwords() map[string]string {
	out := map[string]string{}
	for _, want := range f.want {
		if want.secret != "" {
			out[want.secret] = want.value
		}
	}
	return out
}

// edit sets the values that differ from the wanted ones. Values that mean the same are left alone, however they are
// written. In HOCON a value is appended, as the page says (seed: "append ... to the end"): it then overrides
// everything before it.
func (f *settingsFile) edit(content []byte) ([]byte, error) {
	said, set, bytes, err := f.parse(content, f.passwords())
	if err != nil {
		return nil, err
	}
	for _, want := range f.missing(said) {
		if err := set(want.key, want.value); err != nil {
			return nil, fmt.Errorf("editing %s: %w", f.path, err)
		}
	}
	return bytes(), nil
}

// left returns what in a file is not as wanted.
func (f *settingsFile) left(content []byte) ([]string, error) {
	said, _, _, err := f.parse(content, f.passwords())
	if err != nil {
		return nil, err
	}
	return f.differences(said), nil
}

// differences describes the values that are not as wanted.
func (f *settingsFile) differences(said []Value) []string {
	var out []string
	for _, want := range f.missing(said) {
		out = append(out, want.stands(said))
	}
	return out
}

// missing returns the settings that are not as wanted.
func (f *settingsFile) missing(said []Value) []*setting {
	var out []*setting
	for i := range f.want {
		if want := &f.want[i]; !want.isSet(said) {
			out = append(out, want)
		}
	}
	return out
}

// valueIn returns what a file has for a key.
func valueIn(said []Value, key string) Value {
	for _, v := range said {
		if v.Key == key {
			return v
		}
	}
	return Value{Key: key}
}

// settingsStep returns the step that edits a settings file.
func (s *state) settingsStep(f *settingsFile, seen *Settings) planner.Step {
	name := f.path[strings.LastIndexByte(f.path, '/')+1:]
	var what []string
	for _, want := range f.missing(seen.Values) {
		what = append(what, want.key+" = "+want.shown())
	}
	return s.editStep(editSettings.Name, editSettings.Name+"_"+strings.Map(verbRune, strings.ToLower(name)), f.path,
		seen.Sum,
		fmt.Sprintf("in %s on %s set %s", f.path, seen.Machine, strings.Join(what, ", ")),
		s.recipe.Page+"; now "+strings.Join(f.differences(seen.Values), ", "))
}

// verbRune keeps runes that are allowed in the name of a step, and replaces others.
func verbRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

func (e *Encryption) editSettings(ctx context.Context, t *executor.Task) (executor.Result, error) {
	x, err := settingsEdit(t)
	if err != nil {
		return executor.Result{}, executor.NotSent(err)
	}
	return e.replace(ctx, t, x)
}

func (e *Encryption) verifySettings(ctx context.Context, t *executor.Task) (executor.Verdict, error) {
	x, err := settingsEdit(t)
	if err != nil {
		return executor.Verdict{}, executor.Final(err)
	}
	return e.verifyEdit(ctx, t, x)
}

// settingsEdit returns the change that a step makes to its file.
func settingsEdit(t *executor.Task) (*edit, error) {
	server := connect.Declared(t.Resource)
	release, port := planned(t)
	r, _ := recipeFor(server, release)
	for _, f := range settingsOf(server, r, release, port) {
		if f.path == t.Step.Args[argFile] {
			return &edit{path: f.path, change: f.edit, left: f.left}, nil
		}
	}
	return nil, fmt.Errorf("editing %s: %w", t.Step.Args[argFile], errNotDeclared)
}
