package backbone

import (
	"cmp"

	"github.com/syncctl/syncctl/schema"
)

// spelling is how the servers spell the names of issue types and fields, by the form in which names are compared: what
// is declared is brought into one Unicode form, a server keeps its names as they were entered, and what a person or a
// program enters there must be the server's own.
type spelling struct {
	first, second map[string]string
}

// spelled collects the names of a configuration. turned: its first side is the second one of what is configured.
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

// types are declared issue types in the servers' spelling.
func (s spelling) types(declared map[string]string) map[string]string {
	out := map[string]string{}
	for a, b := range declared {
		out[inSpelling(s.first, a)] = inSpelling(s.second, b)
	}
	return out
}

// fields are declared field mappings in the servers' spelling.
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
