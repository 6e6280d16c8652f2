package build

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/network"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
	"github.com/syncctl/syncctl/sandbox/seed"
)

func buildAuthorities(w *state.World, in map[string]*seedAuthority) error {
	for _, id := range slices.Sorted(maps.Keys(in)) {
		a := in[id]
		if a == nil || id == "" {
			return fmt.Errorf("authorities.%s: is null, or has no name", id)
		}
		name := a.Name
		if name == "" {
			name = id
		}
		made, err := keystore.NewAuthority(name, a.Env, a.Intermediate)
		if err != nil {
			return fmt.Errorf("authorities.%s: %w", id, err)
		}
		w.Authorities[id] = made
	}
	return nil
}

// authority finds an authority by its name in the seed. It returns nil, without an error, for "".
func authority(w *state.World, id string) (*keystore.Authority, error) {
	a := w.Authorities[id]
	if a == nil && id != "" {
		return nil, fmt.Errorf("authority: there is no %q", id)
	}
	return a, nil
}

func buildCertificate(w *state.World, s *state.Server, in *seedCertificate) error {
	if in == nil {
		return nil
	}
	by, err := authority(w, in.Authority)
	if err != nil {
		return err
	}
	if err := seed.OneOf("key_type", &in.KeyType, keystore.KeyEC, keystore.KeyRSA); err != nil {
		return err
	}
	days, err := within("days", in.Days, 400, -3650, 3650)
	if err != nil {
		return err
	}
	if days == 0 {
		return errors.New("days: there is none")
	}
	names := in.Names
	if len(names) == 0 {
		names = []string{s.SyncAddress}
	}
	for _, name := range names {
		if net.ParseIP(name) == nil && !state.HostForm.MatchString(name) {
			return fmt.Errorf("names: %q is neither a host name nor an address", name)
		}
	}
	p, err := by.ForServer(names, days, in.KeyType)
	if err != nil {
		return err
	}
	s.Issued = &state.Issued{KeyPair: p, By: by, Names: names, KeyType: in.KeyType, Env: in.Env, KeyEnv: in.KeyEnv}
	return nil
}

// install installs a certificate on the machine, and on the encrypted port if that is open.
func install(s *state.Server, in *seedCertificate) error {
	if in == nil || in.Installed == nil {
		return nil
	}
	to := in.Installed
	if to.Password == "" {
		return errors.New("needs a password")
	}
	s.Issued.Password, s.Issued.PasswordEnv = to.Password, to.Env
	chain := s.Issued.Chain
	if s.Issued.By != nil { // keytool keeps the whole chain
		chain = append(slices.Clone(chain), s.Issued.By.Root.Chain[0])
	}
	data, err := keystore.Write(keystore.ShippedAlias, to.Password, s.Issued.Key, chain)
	if err != nil {
		return err
	}
	if to.Path != "" {
		if !path.IsAbs(to.Path) || path.Clean(to.Path) != to.Path || to.Path == "/" {
			return fmt.Errorf("path: %q is not an absolute path", to.Path)
		}
		if err := s.Desk.WriteOld(to.Path, data); err != nil {
			return err
		}
	}
	if !s.TLS {
		return nil
	}
	s.Presents, err = network.Present(data, "keystore.p12", to.Password)
	return err
}

// buildTrust adds authorities to a keystore of a machine: one of Java's trust stores, or any other with a well-known
// password.
func buildTrust(w *state.World, m *state.Machine, name string, authorities []string) error {
	data, err := m.Read(name)
	if err != nil {
		return fmt.Errorf("there is no such file: %w", err)
	}
	for _, id := range authorities {
		a, err := authority(w, id)
		if err != nil {
			return err
		}
		if a == nil {
			return errors.New("an authority has no name")
		}
		if data, err = keystore.WithTrustedKnown(data, id, a.Root.Chain[0], false, m.Clock().Get()); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return m.WriteOld(name, data)
}
