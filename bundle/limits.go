package bundle

import (
	"io/fs"
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Limits bound what a bundle may take of whoever reads it.
type Limits struct {
	Bytes int64 // of all parts together
	Parts int
	Name  int // bytes of a part's name
}

// DefaultLimits are those of a reader that is not told any.
var DefaultLimits = Limits{Bytes: 16 << 30, Parts: 10_000, Name: 512}

var unlimited = Limits{Bytes: math.MaxInt64, Parts: math.MaxInt, Name: math.MaxInt}

// What the format itself bounds, in bytes.
const (
	mostOfManifest  = 16 << 20
	mostOfSignature = 64 << 10
	mostOfPadding   = 1 << 20 // zeros after the end of the tar: other programs write some
	mostOfHeader    = 4 << 10 // what the tar needs for one entry beside its content and its name
)

// plaintext is how many bytes a tar within the limits has at most.
func (l Limits) plaintext() int64 {
	return l.Bytes + int64(l.Parts+2)*int64(mostOfHeader+l.Name) + mostOfManifest + mostOfSignature + mostOfPadding
}

// names are those of a bundle's parts, as they are met.
type names struct {
	limits Limits
	bytes  int64
	seen   map[string]string // by what some file systems take for the same
}

// add refuses a part that may not be in the bundle with those before.
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

// isName tells whether a name is one of a file within a folder, on every system.
func isName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, `\:*?"<>|`) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) &&
		!strings.HasPrefix(strings.ToLower(name), manifestName)
}
