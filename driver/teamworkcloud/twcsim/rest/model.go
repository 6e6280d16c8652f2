package rest

import (
	"net/http"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/state"
)

// getDecomposition answers with the projects that the model uses, in the newest revision of the main branch, as in the
// example of the OpenAPI files. ASSUMED: the first part of a project's address is the resource's ID, the second its
// branch's ID; it leaves out what used projects use themselves; every resource has a model.
func (c *call) getDecomposition() reply {
	r, refused := c.readable()
	if refused != nil {
		return *refused
	}
	uses, projects := []any{}, []any{}
	for _, name := range r.Uses {
		used := c.server.Resource(name)
		if used == nil {
			continue
		}
		element := "../../elements/" + state.UUIDOf("project of "+used.ID)
		uses = append(uses, object{
			"models:requiredVersion": "1", "models:uri": projectAddress(used), "models:name": used.Name, "@id": element,
			"models:isAutomatic": "false",
		})
		projects = append(projects, object{
			"models:project": object{
				"models:name": used.Name, "@type": "models:UsedProject", "models:uri": projectAddress(used),
				"models:version": "1", "@id": element,
			},
			"models:uses": []any{},
		})
	}
	primary := object{
		"models:project": object{
			"models:name": r.Name, "@type": "models:PrimaryProject", "models:uri": projectAddress(r), "models:version": "1",
			"@id": "../../elements/" + state.UUIDOf("project of "+r.ID),
		},
		"models:uses": uses,
	}
	return jsonReply(http.StatusOK, TypeLinked, object{
		"@type": "models:Decomposition", "models:usages": append([]any{primary}, projects...), "@id": "",
		"@context": object{"models": c.base() + "/schema/kerml/234567/models#", "ldp": "http://www.w3.org/ns/ldp#"},
	})
}

func projectAddress(r *state.Resource) string { return "twcloud:/" + r.ID + "/" + r.Branches[0].ID }
