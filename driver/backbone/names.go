package backbone

import (
	"cmp"

	"github.com/syncctl/syncctl/schema"
)

// spelling holds the servers' own spelling of issue types and fields, by the form in which names are compared.
// Declared names are converted to one Unicode form, but a server keeps names as they were entered, and whoever enters
// a name there must use the server's spelling.
type spelling struct {
	first, second map[string]string
}

// spelled collects the names of a configuration. If turned is true, the first side of c is the second side of what is
// going to be configured.
func spelled(c configuration, turned bool) spelling {
	s := spelling{first: map[string]string{}, second: map[string]string{}}
	add := func(a, b string) {
		if turned {
			a, b = b, a
		}
		s.first[schema.NameForm(a)], s.second[schema.NameForm(b)] = a, b
	}
	for a, b := range c.IssueTypes {
		add(a, b)
	}
	for _, f := range c.Fields {
		add(f.First, f.Second)
	}
	return s
}

// types returns declared issue types in the servers' spelling.
func (s spelling) types(declared map[string]string) map[string]string {
	out := make(map[string]string, len(declared))
	for a, b := range declared {
		out[inSpelling(s.first, a)] = inSpelling(s.second, b)
	}
	return out
}

// fields returns declared field mappings in the servers' spelling.
func (s spelling) fields(declared []field) []field {
	out := make([]field, len(declared))
	for i, f := range declared {
		out[i] = f
		out[i].First, out[i].Second = inSpelling(s.first, f.First), inSpelling(s.second, f.Second)
	}
	return out
}

func inSpelling(names map[string]string, name string) string {
	return cmp.Or(names[schema.NameForm(name)], name)
}
