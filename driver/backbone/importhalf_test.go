package backbone

import "testing"

// TestPartner checks that the other half is also found if both projects are in one Jira. If several fit, none is
// used.
func TestPartner(t *testing.T) {
	t.Parallel()
	half := func(key, role, project, partner string) integration {
		return integration{Key: key, Role: role, Channel: "FILE", First: connector{Key: "C-" + key, Project: project},
			Partner: partner}
	}
	one, two := half("INT-1", "MASTER", "A", "B"), half("INT-2", "SLAVE", "B", "A")
	for name, c := range map[string]struct {
		here, there []integration
		unread      []string
		want        string
	}{
		"there":             {[]integration{one}, []integration{two}, nil, "INT-2 there"},
		"here":              {[]integration{one, two}, nil, nil, "INT-2 here"},
		"here and there":    {[]integration{one, two}, []integration{half("INT-3", "SLAVE", "B", "A")}, nil, ""},
		"claimed by others": {[]integration{one, two, half("INT-4", "MASTER", "A", "B")}, nil, nil, ""},
		"none":              {[]integration{one, half("INT-5", "SLAVE", "B", "C")}, nil, nil, ""},
		"not all was read":  {[]integration{one, two}, nil, []string{"x"}, ""},
	} {
		x := &importer{here: &jira{list: c.here}, others: []*jira{{list: c.there}}, unread: c.unread}
		there, found, doubt := x.partner(&x.here.list[0])
		got := ""
		if found != nil {
			got = found.Key + map[bool]string{true: " here", false: " there"}[there == x.here]
		}
		if got != c.want || (doubt == "") != (found != nil) {
			t.Errorf("%s: %q, want %q (%s)", name, got, c.want, doubt)
		}
	}
}
