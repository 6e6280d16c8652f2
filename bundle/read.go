package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/syncctl/syncctl/signing"
)

// Options configures how a bundle is read.
type Options struct {
	Keys   []*signing.Private // one of them opens it
	Limits Limits
	// Site is the receiving site: a bundle for others is refused. If it is "", it is enough that one of the keys opens
	// it.
	Site string
	// Signers returns the keys whose signatures are accepted for a site, as lines of authorized_keys.
	Signers func(site string) []string
	// Part returns a writer for the content of a part, which is not verified until Read has returned. If Part is nil, the
	// content is dropped.
	Part func(name string, size int64) (io.WriteCloser, error)
}

// Bundle is a bundle that was read, without the content of its parts.
type Bundle struct {
	Manifest
	ID        string
	Signer    string // the fingerprint of the key that signed it
	By        string // the name of that key in the signers of the site; "" if no signers were given
	Text      []byte // the manifest as it was signed
	Signature []byte
}

// Read reads a bundle and verifies all of it: the encryption, the tar, the digest of each part, the signature, the
// sender and the receiver. If one of them is invalid, the error is a *Refusal. Read returns a Bundle together with an
// error if the manifest could be read; nothing in it can be relied on then.
func Read(ctx context.Context, src io.Reader, o Options) (*Bundle, error) {
	in := &source{ctx: ctx, r: src}
	ids, plain, err := decrypt(in, o.Keys)
	if err != nil {
		return nil, err
	}
	return open(plain, in, ids, o)
}

// open reads the decrypted content.
func open(plain io.Reader, in *source, ids []*identity, o Options) (*Bundle, error) {
	r := &reader{o: o, in: in, ids: ids, names: names{limits: o.Limits, seen: map[string]string{}}}
	r.plain = &bounded{r: plain, left: o.Limits.plaintext(), most: o.Limits.Bytes}
	r.tar = tar.NewReader(r.plain)
	if err := r.entries(); err != nil {
		return nil, r.why(err)
	}
	return r.verify()
}

// reader is the state of one Read.
type reader struct {
	o     Options
	in    *source
	ids   []*identity
	plain *bounded
	tar   *tar.Reader

	names               names
	parts               []Part
	manifest, signature []byte
}

// entries reads the tar to its end.
func (r *reader) entries() error {
	for {
		h, err := r.tar.Next()
		if errors.Is(err, io.EOF) {
			return r.end()
		}
		if err != nil {
			return err
		}
		if r.signature != nil {
			return refuse(Trailing, "something follows its signature: %.80q", h.Name)
		}
		if h.Typeflag != tar.TypeReg || isSparse(h) {
			return refuse(NotAFile, "%.80q in it is a link, a device, a folder or something else that is not a plain file",
				h.Name)
		}
		switch {
		case r.manifest != nil && h.Name != signatureName:
			return refuse(Malformed, "its manifest is followed by %.80q and not by its signature", h.Name)
		case r.manifest != nil:
			r.signature, err = r.whole(h, mostOfSignature)
		case h.Name == manifestName:
			r.manifest, err = r.whole(h, mostOfManifest)
		default:
			err = r.part(h)
		}
		if err != nil {
			return err
		}
	}
}

// isSparse reports whether an entry is larger than its content in the tar.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// whole returns the content of an entry that is kept in memory.
func (r *reader) whole(h *tar.Header, most int64) ([]byte, error) {
	if h.Size > most {
		return nil, refuse(TooLarge, "its %s has %d bytes, and %d are allowed", h.Name, h.Size, most)
	}
	text, err := io.ReadAll(r.tar)
	if text == nil {
		text = []byte{}
	}
	return text, err
}

// part passes on the content of a part.
func (r *reader) part(h *tar.Header) error {
	if err := r.names.add(h.Name, h.Size); err != nil {
		return err
	}
	var to io.WriteCloser = discard{}
	if r.o.Part != nil {
		var err error
		if to, err = r.o.Part(h.Name, h.Size); err != nil {
			return err
		}
	}
	sum := sha256.New()
	_, copying := io.Copy(io.MultiWriter(sum, to), r.tar)
	if err := errors.Join(copying, to.Close()); err != nil {
		return err
	}
	r.parts = append(r.parts, Part{Name: h.Name, Size: h.Size, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// end reads what follows the tar, which may only be zeros.
func (r *reader) end() error {
	if r.signature == nil {
		return refuse(Malformed, "it has no manifest with a signature at its end")
	}
	chunk, left := make([]byte, 32<<10), int64(mostOfPadding)
	for {
		n, err := r.plain.Read(chunk)
		if left -= int64(n); left < 0 || len(bytes.Trim(chunk[:n], "\x00")) > 0 {
			return refuse(Trailing, "something follows the end of its tar")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// why returns the cause of an error of reading the tar.
func (r *reader) why(err error) error {
	var refusal *Refusal
	switch {
	case r.plain.err != nil:
		return r.in.why(r.plain.err)
	case errors.As(err, &refusal):
		return err
	case errors.Is(err, tar.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, tar.ErrFieldTooLong):
		return refuse(Malformed, "what is encrypted in it is not a whole tar: %v", err)
	}
	return err // an error of the writer of a part
}

// verify compares what was read with what the sender has signed.
func (r *reader) verify() (*Bundle, error) {
	m, err := Decode(r.manifest)
	if m == nil {
		return nil, err
	}
	b := &Bundle{Manifest: *m, ID: ID(r.manifest), Text: r.manifest, Signature: r.signature}
	if err != nil {
		return b, err
	}
	if err := r.compareParts(m.Parts); err != nil {
		return b, err
	}
	author, err := signing.Author(r.manifest, r.signature, Namespace)
	if err != nil {
		return b, refuse(BadSignature, "%v", err)
	}
	b.Signer = signing.FingerprintOf(author)
	if err := r.meantForUs(m); err != nil {
		return b, err
	}
	if r.o.Signers == nil {
		return b, nil
	}
	var unknown *signing.UnknownError
	b.By, err = signing.Verify(r.manifest, r.signature, Namespace, r.o.Signers(m.From))
	if errors.As(err, &unknown) {
		return b, refuse(UnknownSigner, "it says that it is from the site %q, and is signed with %s, whose signatures are "+
			"not taken for that site. Compare the key with the sender by another way than this file, such as the telephone, "+
			"before you add it to the site's signers", m.From, unknown.Fingerprint)
	}
	return b, err
}

func (r *reader) compareParts(want []Part) error {
	for i, p := range r.parts {
		switch {
		case i >= len(want):
			return refuse(WrongParts, "it has a part %q, of which its manifest says nothing", p.Name)
		case want[i] != p:
			return refuse(WrongParts, "its part %q is not the one that its manifest names, %q with %d bytes", p.Name,
				want[i].Name, want[i].Size)
		}
	}
	if len(want) > len(r.parts) {
		return refuse(WrongParts, "its part %q is missing", want[len(r.parts)].Name)
	}
	return nil
}

// meantForUs refuses a bundle that was meant for somebody else, who has encrypted it again for us.
func (r *reader) meantForUs(m *Manifest) error {
	for _, a := range m.To {
		if r.o.Site != "" && a.Site != r.o.Site {
			continue
		}
		for _, id := range r.ids {
			if id.opened && slices.Contains(a.Keys, id.key.Fingerprint()) {
				return nil
			}
		}
	}
	var sites []string
	for _, a := range m.To {
		sites = append(sites, fmt.Sprintf("%q", a.Site))
	}
	us := "to nobody with this key"
	if r.o.Site != "" {
		us = fmt.Sprintf("not to %q with this key", r.o.Site)
	}
	return refuse(NotForUs, "%q has addressed it to the site %s, and %s", m.From, strings.Join(sites, ", "), us)
}

// intro is the beginning of every age file.
const intro = "age-encryption.org/v1\n"

// decrypt returns the keys that were tried and the content of an age file.
func decrypt(in *source, keys []*signing.Private) ([]*identity, io.Reader, error) {
	if len(keys) == 0 {
		return nil, nil, errors.New("a bundle is opened with a private SSH key, and none is given")
	}
	begin := make([]byte, len(intro))
	n, err := io.ReadFull(in, begin)
	switch {
	case in.err != nil:
		return nil, nil, in.err
	case !strings.HasPrefix(intro, string(begin[:n])):
		return nil, nil, refuse(NotABundle, "it is not a bundle: those begin with %q", strings.TrimSpace(intro))
	case err != nil:
		return nil, nil, in.why(err)
	}
	var ids []*identity
	var ages []age.Identity
	for _, k := range keys {
		id := &identity{key: k}
		ids, ages = append(ids, id), append(ages, id)
	}
	plain, err := age.Decrypt(io.MultiReader(bytes.NewReader(begin), in), ages...)
	if err == nil {
		return ids, plain, nil
	}
	matched := false
	for _, id := range ids {
		if id.err != nil {
			return nil, nil, fmt.Errorf("using the key %s: %w", id.key.Fingerprint(), id.err)
		}
		matched = matched || id.matched
	}
	if errors.As(err, new(*age.NoIdentityMatchError)) && !matched && in.err == nil {
		return nil, nil, refuse(NotForUs, "none of the keys opens it: it is encrypted to somebody else")
	}
	return nil, nil, in.why(err)
}

// source reads the encrypted bundle.
type source struct {
	ctx   context.Context
	r     io.Reader
	ended bool
	err   error // of the source itself, or of the context
}

func (s *source) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if errors.Is(err, io.EOF) {
		s.ended = true
	} else {
		s.err = err
	}
	return n, err
}

// why returns the cause of an error of age.
func (s *source) why(err error) error {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return err
	case s.err != nil:
		return fmt.Errorf("reading the bundle: %w", s.err)
	case s.ended:
		return refuse(Truncated, "its end is not as it was sent: it was cut short, or its end was changed, or something was "+
			"added. Have it sent again")
	}
	return refuse(Changed, "it was changed after it was encrypted. Have it sent again")
}

// bounded reads the decrypted content up to a limit. It keeps its error.
type bounded struct {
	r          io.Reader
	left, most int64
	err        error
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		err = refuse(TooLarge, "it is larger than what %d bytes of parts need, which is the limit", b.most)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}
