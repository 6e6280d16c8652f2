package twcsim

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path"
	"slices"

	"github.com/syncctl/syncctl/sandbox/seed"
)

func (w *World) buildAuthorities(in map[string]*seedAuthority) error {
	for _, id := range slices.Sorted(maps.Keys(in)) {
		a := in[id]
		if a == nil || id == "" {
			return fmt.Errorf("authorities.%s: is null, or has no name", id)
		}
		name := a.Name
		if name == "" {
			name = id
		}
		made, err := newAuthority(name, a.Env, a.Intermediate)
		if err != nil {
			return fmt.Errorf("authorities.%s: %w", id, err)
		}
		w.authorities[id] = made
	}
	return nil
}

// authority finds one by its name in the seed; "" is none, which is no error.
func (w *World) authority(id string) (*authority, error) {
	a := w.authorities[id]
	if a == nil && id != "" {
		return nil, fmt.Errorf("authority: there is no %q", id)
	}
	return a, nil
}

func (w *World) buildCertificate(s *server, in *seedCertificate) error {
	if in == nil {
		return nil
	}
	by, err := w.authority(in.Authority)
	if err != nil {
		return err
	}
	if err := seed.OneOf("key_type", &in.KeyType, keyEC, keyRSA); err != nil {
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
		names = []string{s.syncAddress}
	}
	for _, name := range names {
		if net.ParseIP(name) == nil && !hostForm.MatchString(name) {
			return fmt.Errorf("names: %q is neither a host name nor an address", name)
		}
	}
	p, err := by.forServer(names, days, in.KeyType)
	if err != nil {
		return err
	}
	s.issued = &issued{keyPair: p, by: by, names: names, keyType: in.KeyType, env: in.Env, keyEnv: in.KeyEnv}
	return nil
}

// install puts a certificate on the machine, and on the encrypted port where that is open.
func (s *server) install(in *seedCertificate) error {
	if in == nil || in.Installed == nil {
		return nil
	}
	to := in.Installed
	if to.Password == "" {
		return errors.New("needs a password")
	}
	s.issued.password, s.issued.passwordEnv = to.Password, to.Env
	chain := s.issued.chain
	if s.issued.by != nil { // keytool keeps the whole chain
		chain = append(slices.Clone(chain), s.issued.by.root.chain[0])
	}
	data, err := writeP12(shippedAlias, to.Password, s.issued.key, chain)
	if err != nil {
		return err
	}
	if to.Path != "" {
		if !path.IsAbs(to.Path) || path.Clean(to.Path) != to.Path || to.Path == "/" {
			return fmt.Errorf("path: %q is no absolute path", to.Path)
		}
		if err := s.desk.writeOld(to.Path, data); err != nil {
			return err
		}
	}
	if !s.tls {
		return nil
	}
	s.presents, err = present(data, "keystore.p12", to.Password)
	return err
}

// buildTrust puts authorities into a keystore of a machine: one of Java's trust stores, or any other with a password that
// everybody knows.
func (w *World) buildTrust(m *machine, name string, authorities []string) error {
	data, err := m.read(name)
	if err != nil {
		return fmt.Errorf("there is no such file: %w", err)
	}
	for _, id := range authorities {
		a, err := w.authority(id)
		if err != nil {
			return err
		}
		if a == nil {
			return errors.New("an authority has no name")
		}
		if data, err = withTrustedKnown(data, id, a.root.chain[0], false, m.clock().get()); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return m.writeOld(name, data)
}
