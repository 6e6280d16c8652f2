// Package bundle writes and reads the files that sites send each other where no network joins them. A bundle is an age
// file, encrypted to the SSH keys of its receivers. Inside is a tar of the parts, followed by manifest.json, which
// names the sender and the receivers and has the digest of each part, and manifest.json.sig, the sender's signature of
// the manifest as ssh-keygen -Y makes it. docs/bundles.md describes the format byte by byte.
//
// The signature is inside the encryption, so whoever finds a bundle cannot tell who sent it. The manifest names the
// receivers, so a receiver cannot pass the bundle on as meant for somebody else.
//
// The package does not know what the parts are. It writes only what it is told to, and reads streams: memory does not
// grow with the size of the bundle.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Suffix is the suffix of a bundle's file name.
const Suffix = ".syncbundle"

// Namespace is the namespace of a bundle's signature, as in ssh-keygen -Y sign -n.
const Namespace = "bundle@syncctl"

// Version is the version of the format.
const Version = 1

// The entries of the tar that follow the parts.
const (
	manifestName  = "manifest.json"
	signatureName = manifestName + ".sig"
)

// Manifest describes a bundle. The sender signs it.
type Manifest struct {
	Version  int       `json:"format_version"` // of the manifest
	From     string    `json:"from"`           // a site
	To       []Address `json:"to"`             // who may open it
	Number   int64     `json:"number"`         // counts the sender's bundles, from 1
	Previous string    `json:"previous"`       // the ID of the sender's previous bundle; "" for the first
	// Received lists the last bundle that the sender has received from each other site. It says what need not be sent
	// again, and a site can learn from it that it has lost some of its own history.
	Received      []Receipt `json:"received"`
	Plan          string    `json:"plan"`          // the hash of the sender's plan; "" if there is none yet
	Configuration string    `json:"configuration"` // the digest of the sender's configuration
	Created       time.Time `json:"created"`       // when it was made
	Parts         []Part    `json:"parts"`         // what is in it
}

// Address is a receiving site and the SSH keys that open the bundle there.
type Address struct {
	Site string   `json:"site"` // the name of the site
	Keys []string `json:"keys"` // fingerprints, as ssh-keygen -l prints them
}

// Receipt identifies a bundle that the sender has received.
type Receipt struct {
	Site   string `json:"site"`   // whose bundle it is
	Number int64  `json:"number"` // its number
	ID     string `json:"id"`     // the SHA-256 of its manifest
}

// Part is one file in a bundle.
type Part struct {
	Name   string `json:"name"`   // may contain slashes
	Size   int64  `json:"size"`   // in bytes
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// ID identifies a bundle: the SHA-256 of its manifest. Bundles with the same ID have the same content, whoever
// encrypted them and how often.
func ID(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return hex.EncodeToString(sum[:])
}

// encode returns the manifest in the form that is signed.
func (m *Manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads a manifest. It accepts only the form that encode writes, apart from whitespace: a duplicate member,
// other spelling or another order is refused, so that no two programs understand it differently.
func Decode(text []byte) (*Manifest, error) {
	var of struct {
		Version int `json:"format_version"`
	}
	if err := json.Unmarshal(text, &of); err != nil {
		return nil, refuse(Malformed, "its manifest is not JSON: %v", err)
	}
	if of.Version != Version {
		return nil, refuse(WrongVersion, "it has format version %d, and this program reads version %d: both sites need "+
			"versions of the program that fit", of.Version, Version)
	}
	m := &Manifest{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		return nil, refuse(Malformed, "its manifest cannot be read: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(Malformed, "something follows its manifest")
	}
	again, err := m.encode()
	if err != nil {
		return nil, err
	}
	var plain, canonical bytes.Buffer
	if err := errors.Join(json.Compact(&plain, text), json.Compact(&canonical, again)); err != nil {
		return nil, refuse(Malformed, "its manifest cannot be read: %v", err)
	}
	if !bytes.Equal(plain.Bytes(), canonical.Bytes()) {
		return nil, refuse(Malformed, "its manifest is not written as the format says")
	}
	if err := m.check(); err != nil {
		return m, err
	}
	return m, nil
}

// check refuses values that no sender writes.
func (m *Manifest) check() error {
	switch {
	case !IsSite(m.From) || slices.ContainsFunc(m.To, func(a Address) bool { return !IsSite(a.Site) }) ||
		slices.ContainsFunc(m.Received, func(r Receipt) bool { return !IsSite(r.Site) || !isDigest(r.ID) || r.Number < 1 }):
		return refuse(Malformed, "its manifest names a site as none can be named")
	case m.Number < 1 || (m.Number == 1) != (m.Previous == ""):
		return refuse(Malformed, "its number is %d, which does not fit what it says of the one before", m.Number)
	case m.Previous != "" && !isDigest(m.Previous):
		return refuse(Malformed, "its manifest has no digest of the one before")
	}
	return nil
}

// IsSite reports whether a text can be the name of a site, which is an identifier of the language.
func IsSite(name string) bool {
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= mostOfSite
}

// mostOfSite is the maximum length of a site's name, in bytes.
const mostOfSite = 64

// isDigest reports whether a text is a SHA-256 in hex.
func isDigest(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == text
}
