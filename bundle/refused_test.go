package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/signing"
	"golang.org/x/crypto/ssh"
)

// forged is a bundle made by somebody who keeps to nothing.
type forged struct {
	entries  []tar.Header // each has as many bytes of content as it says
	manifest func(*Manifest)
	text     func([]byte) []byte // of the manifest, before it is signed
	signer   *person
	unsigned bool
	raw      func([]byte) []byte // the tar, before it is encrypted
	to       *person
}

func file(name string, size int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600}
}

func other(kind byte, name string) tar.Header {
	return tar.Header{Typeflag: kind, Name: name, Linkname: "/etc/passwd", Mode: 0o777}
}

// bytes is the encrypted bundle. The digests in the manifest are right unless it is told otherwise.
func (f forged) make(t testing.TB) io.Reader {
	t.Helper()
	if f.signer == nil {
		f.signer = ada
	}
	if f.to == nil {
		f.to = eve
	}
	fingerprint, err := signing.Fingerprint(f.to.line)
	if err != nil {
		t.Fatal(err)
	}
	m := first()
	m.Version, m.Received, m.Parts = Version, []Receipt{}, []Part{}
	m.To = []Address{{Site: "globex", Keys: []string{fingerprint}}}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range f.entries {
		content := make([]byte, h.Size)
		if h.Typeflag != tar.TypeReg {
			content = nil
		}
		err := w.WriteHeader(&h)
		_, err2 := w.Write(content)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		m.Parts = append(m.Parts, Part{Name: h.Name, Size: h.Size, SHA256: hex.EncodeToString(sum[:])})
	}
	if f.manifest != nil {
		f.manifest(&m)
	}
	manifest, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	if f.text != nil {
		manifest = f.text(manifest)
	}
	signature, err := f.signer.sign(manifest)
	if err != nil {
		t.Fatal(err)
	}
	err = entry(w, manifestName, manifest)
	if !f.unsigned {
		err = errors.Join(err, entry(w, signatureName, signature))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	plain := b.Bytes()
	if f.raw != nil {
		plain = f.raw(plain)
	}
	return sealed(t, f.to, plain)
}

func replaced(before, after string) func([]byte) []byte {
	return func(text []byte) []byte { return bytes.Replace(text, []byte(before), []byte(after), 1) }
}

// TestRefused: each thing that can be wrong with a bundle is refused, for a reason of its own.
func TestRefused(t *testing.T) {
	two := []tar.Header{file("a", 3), file("b", 4)}
	for name, c := range map[string]struct {
		forged
		want Reason
	}{
		"nothing wrong":         {forged{entries: two}, ""},
		"zeros after the tar":   {forged{raw: func(b []byte) []byte { return append(b, make([]byte, 9*1024)...) }}, ""},
		"other spaces":          {forged{text: func(b []byte) []byte { return bytes.TrimSpace(b) }}, ""},
		"unknown signer":        {forged{signer: eve}, UnknownSigner},
		"another's name":        {forged{manifest: func(m *Manifest) { m.From = "initech" }}, UnknownSigner},
		"to another":            {forged{manifest: func(m *Manifest) { m.To[0].Site = "initech" }}, NotForUs},
		"to another's key":      {forged{manifest: func(m *Manifest) { m.To[0].Keys[0] = "SHA256:x" }}, NotForUs},
		"to nobody":             {forged{manifest: func(m *Manifest) { m.To = []Address{} }}, NotForUs},
		"encrypted to another":  {forged{to: ada}, NotForUs},
		"above":                 {forged{entries: []tar.Header{file("../a", 3)}}, BadName},
		"above, inside":         {forged{entries: []tar.Header{file("a/../../b", 3)}}, BadName},
		"absolute":              {forged{entries: []tar.Header{file("/a", 3)}}, BadName},
		"drive":                 {forged{entries: []tar.Header{file("c:a", 3)}}, BadName},
		"backslash":             {forged{entries: []tar.Header{file(`..\a`, 3)}}, BadName},
		"control":               {forged{entries: []tar.Header{file("a\x1b[2J", 3)}}, BadName},
		"dot":                   {forged{entries: []tar.Header{file("./a", 3)}}, BadName},
		"no name":               {forged{entries: []tar.Header{file("", 3)}}, BadName},
		"a manifest's":          {forged{entries: []tar.Header{file("MANIFEST.json", 3)}}, BadName},
		"symbolic link":         {forged{entries: []tar.Header{other(tar.TypeSymlink, "a")}}, NotAFile},
		"hard link":             {forged{entries: []tar.Header{other(tar.TypeLink, "a")}}, NotAFile},
		"device":                {forged{entries: []tar.Header{other(tar.TypeChar, "a")}}, NotAFile},
		"pipe":                  {forged{entries: []tar.Header{other(tar.TypeFifo, "a")}}, NotAFile},
		"folder":                {forged{entries: []tar.Header{other(tar.TypeDir, "a/")}}, NotAFile},
		"twice":                 {forged{entries: []tar.Header{file("a", 3), file("a", 3)}}, DuplicateName},
		"twice on some systems": {forged{entries: []tar.Header{file("ä", 3), file("A\u0308", 3)}}, DuplicateName},
		"a part more": {forged{entries: two, manifest: func(m *Manifest) { m.Parts = m.Parts[:1] }},
			WrongParts},
		"a part less": {forged{entries: two, manifest: func(m *Manifest) { m.Parts = append(m.Parts, Part{Name: "c"}) }},
			WrongParts},
		"another order": {forged{entries: two, manifest: func(m *Manifest) {
			m.Parts[0], m.Parts[1] = m.Parts[1], m.Parts[0]
		}}, WrongParts},
		"another digest":  {forged{entries: two, manifest: func(m *Manifest) { m.Parts[1].SHA256 = m.Parts[0].SHA256 }}, WrongParts},
		"another size":    {forged{entries: two, manifest: func(m *Manifest) { m.Parts[1].Size++ }}, WrongParts},
		"another version": {forged{manifest: func(m *Manifest) { m.Version = 2 }}, WrongVersion},
		"a later format":  {forged{text: func([]byte) []byte { return []byte(`{"format_version": 9, "parts": 1}`) }}, WrongVersion},
		"no JSON":         {forged{text: func([]byte) []byte { return []byte("{") }}, Malformed},
		"no manifest":     {forged{text: func([]byte) []byte { return nil }}, Malformed},
		"a member more":   {forged{text: replaced(`"number"`, `"x": 1, "number"`)}, Malformed},
		"a member twice":  {forged{text: replaced(`"number": 1`, `"number": 2, "number": 1`)}, Malformed},
		"capitals":        {forged{text: replaced(`"number"`, `"Number"`)}, Malformed},
		"two manifests":   {forged{text: func(b []byte) []byte { return append(b, b...) }}, Malformed},
		"number 0":        {forged{manifest: func(m *Manifest) { m.Number = 0 }}, Malformed},
		"number 2, first": {forged{manifest: func(m *Manifest) { m.Number = 2 }}, Malformed},
		"no digest": {forged{manifest: func(m *Manifest) { m.Number, m.Previous = 2, "x" }},
			Malformed},
		"a site with a path": {forged{manifest: func(m *Manifest) { m.From = "../acme" }}, Malformed},
		"unsigned":           {forged{unsigned: true}, Malformed},
		"signature of another manifest": {forged{raw: replaced(`"number": 1`, `"number": 3`)},
			Malformed}, // its number does not fit
		"plan of another manifest": {forged{raw: replaced(`"plan": "0`, `"plan": "1`)}, BadSignature},
		"a part after the signature": {forged{raw: func(b []byte) []byte {
			var more bytes.Buffer
			w := tar.NewWriter(&more)
			_ = entry(w, "late", []byte("x"))
			_ = w.Close()
			return append(b[:len(b)-1024], more.Bytes()...)
		}}, Trailing},
		"bytes after the tar":       {forged{raw: func(b []byte) []byte { return append(b, 'x') }}, Trailing},
		"too many zeros after it":   {forged{raw: func(b []byte) []byte { return append(b, make([]byte, 2<<20)...) }}, Trailing},
		"another tar after it":      {forged{raw: func(b []byte) []byte { return append(b, b...) }}, Trailing},
		"a tar without its end":     {forged{entries: two, raw: func(b []byte) []byte { return b[:1300] }}, Malformed},
		"nothing encrypted":         {forged{raw: func([]byte) []byte { return nil }}, Malformed},
		"text encrypted":            {forged{raw: func([]byte) []byte { return bytes.Repeat([]byte("Dear Sir. "), 100) }}, Malformed},
		"a part after the manifest": {forged{raw: renamed}, Malformed},
		"more than it has":          {forged{entries: two, raw: sparse}, NotAFile},
	} {
		b, err := Read(t.Context(), c.make(t), receiver(t, eve, ada))
		var refusal *Refusal
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.As(err, &refusal) || refusal.Reason != c.want):
			t.Errorf("%s: %v, want %s", name, err, c.want)
		case c.want == UnknownSigner && b.Signer == "":
			t.Errorf("%s: it does not say who signed it", name)
		}
	}
	for name, c := range map[string]struct {
		text string
		want Reason
	}{"empty": {"", Truncated}, "begun": {intro[:5], Truncated}, "HTML": {"<html>…", NotABundle}} {
		var refusal *Refusal
		_, err := Read(t.Context(), strings.NewReader(c.text), receiver(t, eve, ada))
		if !errors.As(err, &refusal) || refusal.Reason != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// renamed gives the last entry of a tar another name.
func renamed(b []byte) []byte {
	h := b[bytes.LastIndex(b, []byte(signatureName)):][:512]
	copy(h[:100], append([]byte("other"), make([]byte, 95)...))
	checksum(h)
	return b
}

// sparse makes the first entry of a tar one of GNU's that says more bytes than it has.
func sparse(b []byte) []byte {
	b[156] = tar.TypeGNUSparse
	copy(b[257:], "ustar  \x00")                // GNU's form
	copy(b[386:], "00000000000\x0000000000003") // three bytes at the beginning
	copy(b[483:], "77777777777\x00")            // of eight GiB
	checksum(b[:512])
	return b
}

// checksum sets that of a tar's header.
func checksum(h []byte) {
	sum := 0
	copy(h[148:156], "        ")
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// TestLimits: what is larger than the reader allows is refused before it is taken.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		entries []tar.Header
		raw     func([]byte) []byte
		limits  Limits
		want    Reason
	}{
		"within":     {[]tar.Header{file("abc", 10), file("d", 10)}, nil, Limits{Bytes: 20, Parts: 2, Name: 3}, ""},
		"bytes":      {[]tar.Header{file("abc", 10), file("d", 11)}, nil, Limits{Bytes: 20, Parts: 2, Name: 3}, TooLarge},
		"parts":      {[]tar.Header{file("abc", 1), file("d", 1)}, nil, Limits{Bytes: 20, Parts: 1, Name: 3}, TooLarge},
		"name":       {[]tar.Header{file("abcd", 1)}, nil, Limits{Bytes: 20, Parts: 1, Name: 3}, TooLarge},
		"long names": {nil, manyLongNames, Limits{Bytes: 20, Parts: 1, Name: 3}, TooLarge},
	} {
		o := receiver(t, eve, ada)
		o.Limits = c.limits
		taken := int64(0)
		o.Part = func(_ string, size int64) (io.WriteCloser, error) { taken += size; return discard{}, nil }
		_, err := Read(t.Context(), forged{entries: c.entries, raw: c.raw}.make(t), o)
		var refusal *Refusal
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &refusal) || refusal.Reason != c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if taken > c.limits.Bytes {
			t.Errorf("%s: %d bytes were taken", name, taken)
		}
	}
}

// manyLongNames is a tar of headers that announce the name of the next entry, which is such a header too.
func manyLongNames([]byte) []byte {
	var one bytes.Buffer
	w := tar.NewWriter(&one)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("a", 900<<10), Format: tar.FormatGNU})
	long := one.Bytes()[:512+900<<10+512] // with the zero at its end, filled up
	return bytes.Repeat(long, 24)
}

// TestLocked: a key that is locked is unlocked for a bundle that is meant for it, and for no other.
func TestLocked(t *testing.T) {
	block, err := ssh.MarshalPrivateKeyWithPassphrase(eve.raw, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	ask := func() ([]byte, error) { asked++; return []byte("open sesame"), nil }
	key, err := signing.ParsePrivate(pem.EncodeToMemory(block), ask)
	if err != nil {
		t.Fatal(err)
	}
	o := receiver(t, eve, ada)
	o.Keys = []*signing.Private{key}
	var refusal *Refusal
	_, err = Read(t.Context(), bytes.NewReader(sent(t, ada, bob(), first())), o)
	if !errors.As(err, &refusal) || asked != 0 {
		t.Errorf("for another: %v, asked %d times", err, asked)
	}
	if _, err := Read(t.Context(), bytes.NewReader(sent(t, ada, eve, first())), o); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if key, err = signing.ParsePrivate(pem.EncodeToMemory(block), nil); err != nil {
		t.Fatal(err)
	}
	o.Keys = []*signing.Private{key}
	_, err = Read(t.Context(), bytes.NewReader(sent(t, ada, eve, first())), o)
	if !errors.Is(err, signing.ErrLocked) || errors.As(err, &refusal) && refusal.Reason == NotForUs {
		t.Errorf("nobody to ask: %v", err)
	}
}

// headers are those of age files with very many of something.
func headers(n int) map[string]string {
	return map[string]string{
		"stanzas":   intro + strings.Repeat("-> ssh-ed25519 AAAA\n\n", n),
		"arguments": intro + "-> " + strings.Repeat("x ", n) + "\n",
		"body":      intro + "-> x\n" + strings.Repeat(strings.Repeat("A", 64)+"\n", n),
		"a line":    intro + "-> " + strings.Repeat("x", 3*n),
	}
}

// TestHeaders: an age file with a huge header is refused without being kept in memory.
func TestHeaders(t *testing.T) {
	for name, text := range headers(1 << 20) {
		src := &counting{r: strings.NewReader(text)}
		var refusal *Refusal
		if _, err := Read(t.Context(), src, receiver(t, eve, ada)); !errors.As(err, &refusal) || refusal.Reason != Changed {
			t.Errorf("%s: %v", name, err)
		}
		if src.n > 3<<20 {
			t.Errorf("%s: %d bytes of it were read", name, src.n)
		}
	}
}

// counting counts what is read.
type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// FuzzRead: a bundle is foreign bytes. Nothing but a whole one of the sender's is taken.
func FuzzRead(f *testing.F) {
	whole := sent(f, ada, eve, first(), text("a", "aaa"))
	f.Add(whole)
	for _, bomb := range headers(3) {
		f.Add([]byte(bomb))
	}
	o := receiver(f, eve, ada)
	want, err := Read(f.Context(), bytes.NewReader(whole), o)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := Read(t.Context(), bytes.NewReader(b), o); err == nil && got.ID != want.ID {
			t.Error("a bundle that nobody sent was taken")
		}
	})
}

// FuzzTar: so is what is encrypted in it. Whatever is read is within the limits, and what the manifest says.
func FuzzTar(f *testing.F) {
	add := func(c forged) {
		change := c.raw
		c.raw = func(b []byte) []byte {
			if change != nil {
				b = change(b)
			}
			f.Add(b)
			return b
		}
		c.make(f)
	}
	add(forged{entries: []tar.Header{file("a", 3), file("b", 0)}})
	add(forged{entries: []tar.Header{other(tar.TypeSymlink, "a")}})
	add(forged{entries: []tar.Header{file("a", 3)}, raw: sparse})
	pax := file("a", 3)
	pax.PAXRecords, pax.Format = map[string]string{"comment": strings.Repeat("x", 999)}, tar.FormatPAX
	add(forged{entries: []tar.Header{pax}})
	limits := Limits{Bytes: 1 << 16, Parts: 4, Name: 64}
	f.Fuzz(func(t *testing.T, plain []byte) {
		o := receiver(t, eve, ada)
		o.Limits = limits
		parts := collect(&o)
		src := &source{ctx: t.Context(), r: bytes.NewReader(plain)}
		b, err := open(src, src, []*identity{{key: o.Keys[0], opened: true}}, o)
		var taken int64
		for name, content := range parts {
			taken += int64(content.Len())
			if !isName(name) {
				t.Errorf("a part %q was taken", name)
			}
		}
		if taken > limits.Bytes || len(parts) > limits.Parts {
			t.Errorf("%d bytes in %d parts", taken, len(parts))
		}
		if err == nil && len(b.Parts) != len(parts) {
			t.Errorf("%d parts, and %d are said", len(parts), len(b.Parts))
		}
	})
}
