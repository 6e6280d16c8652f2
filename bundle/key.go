package bundle

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/syncctl/syncctl/signing"
)

// identity opens bundles with an SSH key, which is unlocked only if a bundle is addressed to it.
type identity struct {
	key     *signing.Private
	matched bool  // a bundle says that it is for this key
	opened  bool  // the key has opened it
	err     error // why the key could not be used
}

// Unwrap implements age.Identity.
func (i *identity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	sum := sha256.Sum256(i.key.Public().Marshal())
	tag := base64.RawStdEncoding.EncodeToString(sum[:4])
	var mine []*age.Stanza
	for _, s := range stanzas {
		if s.Type == i.key.Public().Type() && len(s.Args) > 0 && s.Args[0] == tag {
			mine = append(mine, s)
		}
	}
	if len(mine) == 0 {
		return nil, age.ErrIncorrectIdentity
	}
	i.matched = true
	raw, err := i.key.Raw()
	if err != nil {
		i.err = err
		return nil, err
	}
	id, err := identityOf(raw)
	if err != nil {
		i.err = err
		return nil, err
	}
	fileKey, err := id.Unwrap(mine)
	i.opened = err == nil
	return fileKey, err
}

func identityOf(raw any) (age.Identity, error) {
	switch k := raw.(type) {
	case *ed25519.PrivateKey:
		return agessh.NewEd25519Identity(*k)
	case ed25519.PrivateKey:
		return agessh.NewEd25519Identity(k)
	case *rsa.PrivateKey:
		return agessh.NewRSAIdentity(k)
	}
	return nil, errors.New("bundles are opened with keys of the types ssh-ed25519 and ssh-rsa alone")
}
