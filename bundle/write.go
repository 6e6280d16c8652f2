package bundle

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/syncctl/syncctl/signing"
)

// Source is a part to be sent.
type Source struct {
	Name string
	Size int64 // exactly
	Open func() (io.ReadCloser, error)
}

// Receiver is a site that a bundle is sent to.
type Receiver struct {
	Site string
	Keys []string // lines of authorized_keys; keys of types that age cannot encrypt to are skipped
}

// Write writes a bundle and returns its record for a ledger. It fills in the receivers and parts of the manifest. sign
// returns the SSH signature of the manifest, for Namespace. age encrypts with a new random key: the same content never
// gives the same file.
func Write(ctx context.Context, w io.Writer, m Manifest, to []Receiver, parts []Source,
	sign func(manifest []byte) ([]byte, error),
) (*Record, error) {
	m.Version, m.Parts, m.To = Version, []Part{}, nil
	if m.Received == nil {
		m.Received = []Receipt{}
	}
	recipients, err := m.address(to)
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("the bundle would be refused: %w", err)
	}
	buffered := bufio.NewWriterSize(w, 128<<10)
	sealed, err := age.Encrypt(buffered, recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypting the bundle: %w", err)
	}
	archive := tar.NewWriter(sealed)
	known := names{limits: unlimited, seen: map[string]string{}} // the receiver decides what is too large
	for _, p := range parts {
		if err := known.add(p.Name, p.Size); err != nil {
			return nil, fmt.Errorf("the bundle would be refused: %w", err)
		}
		part, err := p.write(ctx, archive)
		if err != nil {
			return nil, fmt.Errorf("putting %s into the bundle: %w", p.Name, err)
		}
		m.Parts = append(m.Parts, part)
	}
	text, err := m.encode()
	if err != nil {
		return nil, err
	}
	signature, err := sign(text)
	if err != nil {
		return nil, fmt.Errorf("signing the bundle: %w", err)
	}
	err = errors.Join(entry(archive, manifestName, text), entry(archive, signatureName, signature))
	if err = errors.Join(err, archive.Close()); err == nil {
		err = errors.Join(sealed.Close(), buffered.Flush())
	}
	if err != nil {
		return nil, fmt.Errorf("writing the bundle: %w", err)
	}
	return &Record{m, ID(text), text}, nil
}

// address sets the receivers in the manifest, and returns their keys.
func (m *Manifest) address(to []Receiver) ([]age.Recipient, error) {
	var out []age.Recipient
	for _, r := range to {
		a := Address{Site: r.Site, Keys: []string{}}
		var unusable error
		for _, line := range r.Keys {
			recipient, err := agessh.ParseRecipient(line)
			if err != nil {
				unusable = err
				continue
			}
			print, err := signing.Fingerprint(line)
			if err != nil {
				return nil, err
			}
			out, a.Keys = append(out, recipient), append(a.Keys, print)
		}
		if len(a.Keys) == 0 {
			return nil, errors.Join(fmt.Errorf("the site %s has no key that a bundle can be encrypted to: it needs one of the "+
				"type ssh-ed25519, or ssh-rsa with at least 2048 bits", r.Site), unusable)
		}
		m.To = append(m.To, a)
	}
	return out, nil
}

// write writes a part into the tar.
func (s *Source) write(ctx context.Context, to *tar.Writer) (Part, error) {
	from, err := s.Open()
	if err != nil {
		return Part{}, err
	}
	defer from.Close() // it is only read
	if err := to.WriteHeader(header(s.Name, s.Size)); err != nil {
		return Part{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), &source{ctx: ctx, r: from})
	if err == nil && n != s.Size {
		err = fmt.Errorf("it has %d bytes, and had %d a moment ago", n, s.Size)
	}
	return Part{Name: s.Name, Size: s.Size, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

func entry(to *tar.Writer, name string, content []byte) error {
	if err := to.WriteHeader(header(name, int64(len(content)))); err != nil {
		return err
	}
	_, err := to.Write(content)
	return err
}

// header returns the header of an entry. The GNU format allows names in any script and sizes above 8 GiB.
func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatGNU}
}
