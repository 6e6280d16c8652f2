package reference

import (
	"github.com/syncctl/syncctl/schema"
)

// functionPages returns a page for each function.
func functionPages() []*Page {
	var out []*Page
	for _, f := range schema.Functions() {
		p := &Page{Word: f.Name, Group: Functions, Title: quoted(f.Signature()), Summary: f.Summary}
		p.say("%s", f.Summary)
		if f.Differs != "" {
			p.say("It differs from Terraform's: %s", f.Differs)
		}
		if f.Own {
			p.say("Terraform has none of that name.")
		}
		for _, e := range f.Examples {
			p.code("hcl", e.Code+"\n# "+e.Result)
			for _, name := range sortedNames(e.Files) {
				p.say("where the file %s holds", quoted(name))
				p.code("", e.Files[name])
			}
			for _, name := range sortedNames(e.Env) {
				p.say("where the environment variable %s is %s.", quoted(name), quoted(e.Env[name]))
			}
		}
		out = append(out, p)
	}
	return out
}
