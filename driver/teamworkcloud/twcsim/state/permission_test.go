package state

import (
	"strconv"
	"testing"
	"time"
)

// TestGrantsOnManyCategories: who has made many categories has a role on each of them. The work of finding one grows
// as they do, not with their square: a look of the engine at a fleet asks for each configuration.
func TestGrantsOnManyCategories(t *testing.T) {
	took := func(n int) time.Duration {
		s, u := &Server{Roles: []*Role{{ID: "manager"}}}, &User{}
		for i := range n {
			id := "category-" + strconv.Itoa(i)
			s.Categories = append(s.Categories, &Category{ID: id})
			u.Grants = append(u.Grants, Grant{Role: "manager", Categories: []string{id}})
		}
		last := s.Categories[n-1].ID
		best := time.Hour
		for range 20 {
			begun := time.Now()
			if !s.HasRole(u, "manager", last) || s.HasRole(u, "manager", "none") {
				t.Fatal("the role is not found")
			}
			best = min(best, time.Since(begun))
		}
		return best
	}
	if few, many := took(250), took(4000); many > 64*few {
		t.Errorf("%v for 250 categories, %v for 4000", few, many)
	}
}
