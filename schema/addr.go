package schema

import (
	"fmt"
	"strings"
)

// Kind is one of the four kinds of things the language declares. It is a closed set.
type Kind string

// The four kinds. Types inside a kind come from drivers.
const (
	Server    Kind = "server"
	Keystore  Kind = "keystore"
	Sync      Kind = "sync"
	Migration Kind = "migration"
)

// Kinds lists the four kinds in the order in which a reader meets them.
var Kinds = []Kind{Server, Keystore, Sync, Migration}

// Addr names one declaration: kind.type.name. It is comparable.
type Addr struct {
	Kind Kind
	Type string
	Name string
}

// String returns kind.type.name, or "" for the zero address.
func (a Addr) String() string {
	if a == (Addr{}) {
		return ""
	}
	return string(a.Kind) + "." + a.Type + "." + a.Name
}

// ParseAddr reads kind.type.name.
func ParseAddr(s string) (Addr, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return Addr{}, fmt.Errorf("reading address %q: want KIND.TYPE.NAME", s)
	}
	for _, k := range Kinds {
		if string(k) == parts[0] {
			return Addr{Kind: k, Type: parts[1], Name: parts[2]}, nil
		}
	}
	return Addr{}, fmt.Errorf("reading address %q: %q is not one of server, keystore, sync, migration", s, parts[0])
}
