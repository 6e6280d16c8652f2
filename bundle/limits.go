package bundle

import (
	"io/fs"
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Limits limits the resources that reading a bundle may use.
type Limits struct {
	Bytes int64 // of all parts together
	Parts int
	Name  int // maximum length of a part's name, in bytes
}

// DefaultLimits are used if a reader gives none.
var DefaultLimits = Limits{Bytes: 16 << 30, Parts: 10_000, Name: 512}

var unlimited = Limits{Bytes: math.MaxInt64, Parts: math.MaxInt, Name: math.MaxInt}

// Limits of the format itself, in bytes.
const (
	mostOfManifest  = 16 << 20
	mostOfSignature = 64 << 10
	mostOfPadding   = 1 << 20 // zeros after the end of the tar, which some programs write
	mostOfHeader    = 4 << 10 // what the tar needs for one entry, apart from its content and name
)

// plaintext returns the maximum size of a tar within the limits.
func (l Limits) plaintext() int64 {
	return l.Bytes + int64(l.Parts+2)*int64(mostOfHeader+l.Name) + mostOfManifest + mostOfSignature + mostOfPadding
}

// names collects the names of a bundle's parts.
type names struct {
	limits Limits
	bytes  int64
	seen   map[string]string // by a form that is the same for names that some file systems treat as equal
}

// add adds a part, or refuses it because of its name, its size or the parts before it.
func (n *names) add(name string, size int64) error {
	if len(name) > n.limits.Name {
		return refuse(TooLarge, "the name of a part has %d bytes, and %d are allowed: %.40q…", len(name),
			n.limits.Name, name)
	}
	if !isName(name) {
		return refuse(BadName, "a part has the name %q, which leads out of the folder or is not one for a file", name)
	}
	if len(n.seen) == n.limits.Parts {
		return refuse(TooLarge, "it has more than %d parts, which is the limit", n.limits.Parts)
	}
	if size < 0 || size > n.limits.Bytes-n.bytes {
		return refuse(TooLarge, "its parts have more than %d bytes together, which is the limit", n.limits.Bytes)
	}
	key := strings.ToLower(norm.NFC.String(name))
	if other, ok := n.seen[key]; ok {
		return refuse(DuplicateName, "it has two parts with one name: %q and %q", other, name)
	}
	n.seen[key] = name
	n.bytes += size
	return nil
}

// isName reports whether a name is valid for a file inside a folder on every system.
func isName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, `\:*?"<>|`) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) &&
		!strings.HasPrefix(strings.ToLower(name), manifestName)
}
