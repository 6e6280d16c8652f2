package osmc

import (
	"slices"
	"testing"
	"time"
)

// The answers here are our own, in the forms that documents and public clients show.

const (
	container = `"@type":["ldp:DirectContainer","kerml:Branch"],"ldp:hasMemberRelation":"kerml:revisions",` +
		`"ldp:membershipResource":{"@id":"#it"}`
	trunk = "aaaaaaaa-0000-4000-8000-000000000001"
	side  = "aaaaaaaa-0000-4000-8000-000000000002"
)

func TestCategories(t *testing.T) {
	read := func(n *node) ([]category, error) { return parseCategories(n) }
	plain := []category{{Category: Category{ID: "w1"}}, {Category: Category{ID: "w2"}}}
	whole := []category{
		{Category{ID: "w1", Name: "Released", Resources: []string{"p1", "p2"}}, true, []string{"w2"}},
		{Category{ID: "w2", Name: "Powertrain", Parent: "w1", Resources: []string{}}, true, nil},
	}
	for want, texts := range map[*[]category][]string{
		&plain: {
			`{"@id":"repo","ldp:contains":[{"@id":"w1"},{"@id":"w2"}]}`,
			`{"@id":"","@type":["ldp:BasicContainer"],"ldp:contains":["w1","https://h:8111/osmc/workspaces/w2"]}`,
			`["w1","w2"]`,
			`[{"@id":"","ldp:membershipResource":{"@id":"#it"},"ldp:contains":["w1","w2"]},{"@id":{"@id":"#it"}}]`,
		},
		&whole: {
			`{"@id":"repo","ldp:contains":[
			   [{` + container + `,"@id":"w1"},{"@id":{"@id":"#it"},"dcterms:title":"Released",` +
				`"dcterms:description":"what is out","kerml:categories":[{"@id":"w2"}],"kerml:resources":[{"@id":"p2"},` +
				`{"@id":"p1"}]}],
			   [{` + container + `,"@id":"w2"},{"@id":"#w2","dcterms:title":"Powertrain","kerml:parentID":"w1",` +
				`"kerml:categories":[],"kerml:resources":[]}]]}`,
			`[[{` + container + `,"@id":"w1"},{"@id":"#w1","dcterms:title":{"@value":"Released"},` +
				`"dcterms:description":"what is out","kerml:categories":{"@id":"w2"},"kerml:parentID":null,
			     "kerml:resources":[{"ID":"p1","dcterms:title":"x","ldp:contains":["other"]},{"ID":"p2","removed":false},` +
				`{"ID":"p3","removed":"true"}]}],
			   [{` + container + `,"@id":"w2"},{"dcterms:title":"Powertrain","kerml:parentID":{"@id":"w1"},` +
				`"kerml:resources":[]}]]`,
		},
	} {
		for _, text := range texts {
			got, err := readAs(t, text, read)
			if err != nil || !slices.EqualFunc(got, *want, func(a, b category) bool {
				return a.ID == b.ID && a.Name == b.Name && a.Parent == b.Parent && a.listed == b.listed &&
					slices.Equal(a.Resources, b.Resources) && slices.Equal(a.children, b.children)
			}) {
				t.Errorf("%s: got %+v, %v", text, got, err)
			}
		}
	}
	refuses(t, read, map[string]string{
		`{}`:                    "has no ldp:contains",
		`{"@id":"repo"}`:        "has no ldp:contains",
		`{"ldp:contains":null}`: "ldp:contains is null",
		`{"ldp:contains":[{"dcterms:title":"x"}]}`: "ldp:contains[0] has no id",
		`[{` + container + `,"@id":""},{"@id":{"@id":"#it"},"dcterms:title":"x","kerml:resources":[]}]`: "has no " +
			"ldp:contains",
		`{"ldp:contains":[{"@id":"w","kerml:resources":[{}]}]}`: "ldp:contains[0]." +
			"kerml:resources[0] has no id",
		`{"ldp:contains":[{"@id":"w","kerml:categories":true,"kerml:resources":[]}]}`: "kerml:categories is a boolean",
	})
}

func TestCategoryResources(t *testing.T) {
	live := func(n *node) ([]string, error) { return parseCategoryResources(n, false) }
	pair := `[{` + container + `,"@id":""},{"@id":{"@id":"#it"},"ID":"w1","dcterms:title":"x",`
	same(t, []string{"p1", "p2"}, live,
		pair+`"kerml:resources":[{"@id":"p2"},{"@id":"p1"},{"@id":"p1"}]}]`,
		pair+`"kerml:resources":["p1","https://h/osmc/workspaces/w1/resources/p2"]}]`,
		pair+`"kerml:resources":[{"ID":"p1","dcterms:title":"a"},{"ID":"p2","dcterms:title":"b","removed":false},`+
			`{"ID":"p3","removed":true}]}]`,
		pair+`"kerml:resources":[[{`+container+`,"@id":"p1"},{"dcterms:title":"a"}],[{`+container+`,"@id":"p2"},`+
			`{"dcterms:title":"b"}]]}]`,
		`[{`+container+`,"@id":"","ldp:contains":[{"@id":"p1"},{"@id":"p2"}]},{"@id":"#it"}]`,
		`{"dcterms:title":"x","kerml:resources":["p2","p1"]}`,
		`["p1","p2"]`)
	same(t, []string{"p1", "p3"}, func(n *node) ([]string, error) { return parseCategoryResources(n, true) },
		pair+`"kerml:resources":[{"ID":"p1"},{"ID":"p3","removed":true}]}]`)
	same(t, []string{}, live, pair+`"kerml:resources":[]}]`, `{"kerml:resources":[]}`)
	refuses(t, live, map[string]string{
		`{}`:                              "has no kerml:resources",
		pair + `"x":1}]`:                  "the answer has no kerml:resources or ldp:contains",
		pair + `"kerml:resources":null}]`: "[1].kerml:resources is null",
		pair + `"kerml:resources":[{}]}]`: "[1].kerml:resources[0] has no id",
	})
}

func TestResources(t *testing.T) {
	plain := []resource{{Resource: Resource{ID: "p1"}}, {Resource: Resource{ID: "p2"}}}
	same(t, plain, parseResources, `["p1","p2"]`, `[{"@id":"p1"},{"ID":"p2"}]`,
		`{"ldp:contains":[{"@id":"p1"},{"@id":"https://h/osmc/resources/p2"}]}`)
	whole := []resource{
		{Resource: Resource{ID: "p1", Title: "Brake.MASTER", Name: "Brake", ProjectID: "PROJECT-1", Category: "w1"},
			removed: Given(false)},
		{Resource: Resource{ID: "p2", Title: "v1.2 Gear", Name: "v1.2 Gear"}, removed: Given(true)},
	}
	const (
		brake = `"@type":"kerml:Resource","dcterms:title":"Brake.MASTER","dcterms:description":"stops",` +
			`"categoryID":"w1","metadata":{"name":"Brake.MASTER","PROJECT_ID":"PROJECT-1"},"removed":false,` +
			`"kerml:branches":[{"@id":"b1"}]`
		gear = `"dcterms:title":"v1.2 Gear","categoryID":null,"metadata":{},"removed":"true",` +
			`"@base":"https://h/osmc/workspaces/w9/resources/p2"`
	)
	same(t, whole, parseResources,
		`[{"ID":"p1",`+brake+`},{"ID":"p2",`+gear+`}]`,
		`{"ldp:contains":[{"@id":"p1",`+brake+`},{"@id":"#it",`+gear+`}]}`,
		`[[{"@id":"p1",`+container+`},{"@id":"#it",`+brake+`}],[{"@id":"p2",`+container+`},{"@id":{"@id":"#it"},`+gear+`}]]`,
		`{"ldp:contains":[{"@id":"p1","ldp:contains":["b1","b2"],`+brake+`},{"@id":"p2",`+gear+`}]}`)
	same(t, whole[:1], parseResources, `{"ID":"p1",`+brake+`}`)
	same(t, []resource{}, parseResources, `[]`, `{"ldp:contains":[]}`)
	refuses(t, parseResources, map[string]string{
		`{}`: "has no ldp:contains", `{"dcterms:title":"x","@type":"kerml:Resource"}`: "has no ldp:contains",
		`[{"dcterms:title":"x"}]`: "[0] has no id", `null`: "it is null",
		`{"ldp:contains":null}`: "ldp:contains is null", `{"ID":"repo"}`: "has no ldp:contains",
	})
}

func TestResource(t *testing.T) {
	read := func(n *node) (Resource, error) {
		r, ok := parseResource(n, "p1")
		if !ok {
			return r.Resource, entityAt(n).missing(title)
		}
		return r.Resource, nil
	}
	same(t, Resource{ID: "p1", Title: "Brake.master", Name: "Brake", ProjectID: "PROJECT-1", Category: "w1"}, read,
		`{"@base":"https://h/osmc/workspaces/w1/resources/p1","@type":"kerml:Resource","dcterms:title":"Brake.master",`+
			`"dcterms:description":"stops","metadata":{"name":"Brake.master","PROJECT_ID":"PROJECT-1"}}`,
		`[{`+container+`,"@id":""},{"categoryID":{"@id":"w1"},"dcterms:title":"Brake.master",`+
			`"dcterms:description":"stops","metadata":{"PROJECT_ID":"PROJECT-1"},"removed":false}]`,
		`[{"categoryID":"https://h/osmc/workspaces/w1","dcterms:description":"stops","metadata":[{"name":"Brake.master",`+
			`"PROJECT_ID":"PROJECT-1"}],"removed":0}]`)
	same(t, Resource{ID: "p1", Title: "a.MASTER.x", Name: "a.MASTER.x"}, read,
		`{"dcterms:title":"a.MASTER.x","categoryID":""}`, `{"dcterms:title":"a.MASTER.x","metadata":null,"removed":null}`)
	refuses(t, read, map[string]string{`{}`: "has no dcterms:title", `[]`: "has no dcterms:title",
		`{"error":"x"}`: "an object with error", `"p1"`: "it is a string"})
}

func TestBranches(t *testing.T) {
	same(t, []Branch{{ID: trunk}, {ID: side}}, parseBranches,
		`{"@id":"","@type":["ldp:BasicContainer"],"ldp:contains":[{"@id":"`+trunk+`"},{"@id":"`+side+`"}]}`,
		`{"ldp:contains":["`+trunk+`","`+side+`"]}`,
		`{"ldp:contains":["https://h/osmc/workspaces/w/resources/r/branches/`+trunk+`","../branches/`+side+`"]}`,
		`["`+trunk+`","`+side+`"]`,
		`{"kerml:branches":[{"@id":"`+trunk+`"},{"@id":"`+side+`"}]}`)
	first := Branch{trunk, "trunk", 1, 3, "ann", time.Unix(1600257292, 0).UTC()}
	second := Branch{side, "side", 3, 4, "ann", time.Unix(1601477216, 0).UTC()}
	same(t, []Branch{first, second}, parseBranches, // with bodies, as public clients get them
		`[[{`+container+`,"@id":"`+trunk+`"},{"createdDate":1600257292,"startRevision":1,"author":"ann",`+
			`"dcterms:title":"trunk","ID":"`+trunk+`","@id":"#`+trunk+`","latestRevision":3}],
		  [{`+container+`,"@id":"`+side+`"},{"createdDate":"1601477216","startRevision":"3",`+
			`"authorInfo":{"deleted":false,"name":"ann"},"dcterms:title":"side","ID":"`+side+`","latestRevision":"4"}]]`)
	one := func(n *node) (Branch, error) { return parseBranch(n, side) }
	same(t, second, one,
		`[{`+container+`,"@id":"","ldp:contains":[4,3,2,1]},{"author":"ann","kerml:revisions":[4,3,2,1],`+
			`"dcterms:title":"side","createdDate":1601477216,"startRevision":3,"ID":"`+side+`","@id":{"@id":"#it"},`+
			`"latestRevision":4}]`,
		`[{`+container+`,"@id":""},{"author":"ann","kerml:revisions":["1","2","3","4"],"dcterms:title":"side",`+
			`"createdDate":1601477216000,"startRevision":3.0,"latestRevision":1}]`,
		`{"author":{"name":"ann"},"ldp:contains":[{"@id":"../revisions/4"},{"@id":"../revisions/3"}],`+
			`"dcterms:title":"side","createdDate":"Wed Sep 30 21:46:56 ICT 2020","startRevision":3}`)
	same(t, Branch{ID: side, Latest: 4}, one, // real, but with names taken out
		`[{`+container+`,"@id":""},{"kerml:revisions":[1,2,3,4],"createdDate":"Wed Sep 30 21:46:56 CST 2020"}]`)
	refuses(t, parseBranches, map[string]string{`{}`: "has no ldp:contains", `{"ldp:contains":null}`: "is null",
		`{"ldp:contains":[{}]}`: "ldp:contains[0] has no id"})
	refuses(t, one, map[string]string{
		`{}`: "has no latestRevision", `{"latestRevision":"many"}`: `latestRevision is not a whole number: "many"`,
		`{"latestRevision":1,"kerml:revisions":["x"]}`: `kerml:revisions[0] is not the number of a revision: "x"`,
		`{"kerml:revisions":[]}`:                       "has no latestRevision", `{"latestRevision":1,` +
			`"startRevision":{}}`: "startRevision " +
			"is an object", `{"kerml:revisions":true}`: "is a boolean",
	})
}

func TestRevisionNumbers(t *testing.T) {
	read := func(n *node) ([]int, error) { l, err := parseListed(n); return l.numbers, err }
	same(t, []int{1, 2, 3}, read,
		`[3,2,1]`, `["3","2","1","1"]`, `[{"@id":3},{"@id":"2"},{"@id":"https://h/osmc/resources/r/revisions/1"}]`,
		`{"ldp:contains":[1,2,3]}`, `{"kerml:revisions":[1,2,3]}`,
		`[{`+container+`,"@id":"","ldp:contains":[3,2,1]},{"@id":{"@id":"#it"}}]`,
		`[{"ID":3,"author":"a"},{"ID":"2"},{"ID":1}]`)
	same(t, nil, read, `[]`, `{"ldp:contains":[]}`)
	refuses(t, read, map[string]string{
		`{}`: "has no ldp:contains", `null`: "it is null", `[0]`: `[0] is not the number of a revision: "0"`,
		`[1,-1]`: `[1] is not`, `["x"]`: `"x"`, `[{}]`: "[0] has no ID", `[1.5]`: "[0] is not", `"x"`: "it is a string",
	})
}

func TestRevision(t *testing.T) {
	at := time.Unix(1600259459, 0).UTC()
	want := Revision{
		Number: 3, Branch: trunk, Author: "ann", Created: at, Description: `made "it"`, Parent: 2, Type: "NORMAL",
		DescriptionKnown: true, ParentKnown: true, MergedParentKnown: true, RootObjects: []string{"x"},
	}
	const body = `"commitType":"NORMAL","author":"ann","pickedRevision":-1,"description":"made \"it\"",` +
		`"directParent":2,"mergedParent":-1,"dependencies":[],"rootObjectIDs":["x"]`
	one := func(n *node) (Revision, error) { return parseRevision(n, 3) }
	same(t, want, one,
		`{"ID":3,"branchID":"`+trunk+`","createdDate":1600259459,`+body+`}`,
		`[{"ID":"","branchID":"../../../branches/`+trunk+`","resourceID":"../../..",`+
			`"@base":"https://h/osmc/workspaces/w/resources/r/revisions/3/elements","createdDate":1600259459,`+body+`}]`,
		`{"ID":"","branchID":"../..","resourceID":"../../..",`+
			`"@base":"https://h/osmc/workspaces/w/resources/r/branches/`+trunk+`/revisions/3","createdDate":"Wed Sep 16 `+
			`19:30:59 ICT 2020",`+body+`}`,
		`{"ID":"3","branchID":{"@id":"`+trunk+`"},"createdDate":"Wed Sep 16 08:30:59 CST 2020",`+
			`"commitDate":1600259459000,`+body+`}`,
		`[[{"branchID":"`+trunk+`","createdDate":"20200916123059",`+body+`}]]`,
		`[{`+container+`,"@id":""},{"ID":3.0,"branchID":"`+trunk+`","createdDate":"1600259459",`+
			`"authorInfo":{"name":"ann"},`+body+`}]`)
	want.BranchName, want.MergedParent, want.Parent, want.Number, want.RootObjects = "trunk", 2, 0, 1, nil
	same(t, want, func(n *node) (Revision, error) { return parseRevision(n, 1) },
		`{"ID":1,"branchID":"`+trunk+`","branchName":"trunk","createdDate":1600259459,"author":"ann",`+
			`"description":"made \"it\"","commitType":"NORMAL","directParent":-1,"mergedParent":2}`,
		`{"branchID":"`+trunk+`","branchName":"trunk","commitDate":1600259459000,"authorInfo":{"name":"ann"},`+
			`"description":"made \"it\"","commitType":"NORMAL","directParent":null,"mergedParent":"2"}`)
	same(t, Revision{Number: 3, Branch: trunk, Created: at}, one,
		`{"branchID":"`+trunk+`","createdDate":1600259459,"author":""}`,
		`{"branchID":"`+trunk+`","createdDate":1600259459,"author":null}`)
	// What is missing, or has an unknown form, is unknown rather than empty; null and empty lists count.
	const least = `{"branchID":"` + trunk + `","createdDate":1600259459,"author":""`
	unknown := Revision{Number: 3, Branch: trunk, Created: at}
	same(t, unknown, one, least+`}`, least+`,"description":{"text":"x"},"rootObjectIDs":null,"EPackageIDs":[{}]}`)
	told := unknown
	told.DescriptionKnown, told.ParentKnown, told.MergedParentKnown = true, true, true
	told.RootObjects, told.ElementPackages = []string{}, []string{"p", "q"}
	same(t, told, one,
		least+`,"description":null,"directParent":null,"mergedParent":-1,"rootObjectIDs":[],"EPackageIDs":["q","p","q"]}`,
		least+`,"description":"","directParent":-1,"mergedParent":null,"rootObjectIDs":[],"EPackageIDs":[{"@id":"q"},`+
			`{"@id":"p"}]}`)
	refuses(t, one, map[string]string{
		`{}`:                            "has no branchID",
		`[]`:                            "has no branchID",
		`{"branchID":"../.."}`:          "has no branchID",
		`{"ID":4,"branchID":"b"}`:       "ID is 4, where revision 3 was asked for",
		`{"branchID":"b"}`:              "has no author",
		`{"branchID":"b","author":"a"}`: "has no createdDate",
		`{"branchID":"b","author":"a","createdDate":"Wed Sep 16 08:30:59 CST 2020"}`: `createdDate is not a date in a ` +
			`form and zone that is known: "Wed Sep 16 08:30:59 CST 2020"`,
		`{"branchID":"b","author":"a","createdDate":0}`: "createdDate is not a date",
		`{"branchID":"b","author":"a","createdDate":1,"directParent":"x"}`: `directParent is not a whole ` +
			`number: "x"`,
		`{"branchID":"b","author":"a","createdDate":1,"mergedParent":[]}`: "mergedParent is a list",
	})
	// Revisions in a page that cannot be read are left to be read one by one.
	page := parsed(t, `[{"ID":3,"branchID":"b","author":"a","createdDate":1},{"ID":2,"branchID":"b","author":"a",`+
		`"createdDate":"?"},{"ID":1}]`)
	l, err := parseListed(page)
	if err != nil || !slices.Equal(l.numbers, []int{1, 2, 3}) || len(l.found) != 1 || l.found[0].Number != 3 {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestTags(t *testing.T) {
	same(t, []Tag(nil), parseTags, `{"@base":"https://h/osmc/workspaces/w/resources/r/tags","@id":"",`+
		`"@type":["ldp:BasicContainer","ldp:Container"],"ldp:contains":[]}`, `[]`)
	same(t, []Tag{{ID: "t1"}, {ID: "t2"}}, parseTags, `{"ldp:contains":["t1","t2"]}`,
		`{"ldp:contains":[{"@id":"t1"},{"@id":"https://h/osmc/resources/r/tags/t2"}]}`, `["t1","t2"]`)
	same(t, []Tag{{"t1", "Release 1", "out", 2}, {"t2", "Release 2", "", 5}}, parseTags,
		`{"ldp:contains":[{"@id":"t1","@type":["kerml:Tag","ldp:DirectContainer"],"commitID":2,"dcterms:title":"Release `+
			`1","dcterms:description":"out"},{"ID":"t2","commitID":"5","dcterms:title":"Release 2"}]}`,
		`[[{"@id":"t1",`+container+`},{"commitID":2,"dcterms:title":"Release 1","dcterms:description":"out"}],`+
			`{"@id":"t2","kerml:revision":"https://h/osmc/resources/r/revisions/5","dcterms:title":"Release 2"}]`)
	one := func(n *node) (Tag, error) { return parseTag(n, "t1") }
	same(t, Tag{"t1", "Release 1", "", 2}, one, `{"commitID":2,"dcterms:title":"Release 1"}`,
		`[{`+container+`},{"commitID":2,"dcterms:title":"Release 1"}]`)
	refuses(t, parseTags, map[string]string{`{}`: "has no ldp:contains", `{"ldp:contains":[{}]}`: "ldp:contains[0] " +
		"has no id", `{"ldp:contains":[{"ID":"t","commitID":1}]}`: "ldp:contains[0] has no dcterms:title"})
	refuses(t, one, map[string]string{`{}`: "has no commitID", `{"commitID":"x","dcterms:title":"x"}`: "commitID " +
		"is not the number", `{"commitID":1}`: "has no dcterms:title"})
}

func TestLocks(t *testing.T) {
	want := []Lock{{"anna", side, "side", "e1"}, {"berta", "", "", "e2"}}
	const first = `{"branchId":"` + side + `","branchName":"side","elementAndBranchId":{"branchID":"` + side + `",` +
		`"elementID":"e1"},"esiObjectId":"e1","lockType":"OBJECTLOCK","locked":"true,","notLocked":false,"username":"anna"}`
	same(t, want, parseLocks,
		`[`+first+`,{"elementAndBranchId":"com.nomagic.Something@1","esiObjectId":"e2","locked":true,`+
			`"username":"berta"},{"username":"carl","locked":false}]`,
		`{"r1":{"data":[`+first+`],"status":200},"r2":{"data":{"elementAndBranchId":{"elementID":"e2"},`+
			`"userName":"berta"}}}`,
		`{"data":[{"elementAndBranchId":{"branchID":"`+side+`","elementID":"e1"},"branchName":"side","username":"anna"},`+
			`{"esiObjectId":"e2","username":"berta"}]}`)
	same(t, []Lock{}, parseLocks, `[]`, `{"data":[]}`, `{"r1":{"data":[],"status":200}}`)
	refuses(t, parseLocks, map[string]string{`{}`: "has no data", `null`: "it is null",
		`[{}]`: "[0] has no username", `{"r1":{"status":404}}`: "has no data", `{"r1":{"data":true}}`: "r1.data is a " +
			"boolean", `[1]`: "[0] has no username"})
}

func FuzzCategories(f *testing.F) {
	fuzzed(f, parseCategories, func(t *testing.T, list []category) {
		for _, c := range list {
			if c.ID == "" || !c.listed && c.Resources != nil || slices.Contains(c.Resources, "") {
				t.Errorf("%+v", c)
			}
		}
	}, `{"ldp:contains":[[{"@id":"w1"},{"dcterms:title":"x","kerml:resources":[{"@id":"p"}],`+
		`"kerml:categories":["w2"]}],"w2"]}`)
}

func FuzzCategoryResources(f *testing.F) {
	fuzzed(f, func(n *node) ([]string, error) { return parseCategoryResources(n, true) }, noEmptyText,
		`[{`+container+`,"@id":""},{"kerml:resources":[{"@id":"p2"},"p1",{"ID":"p3","removed":true}]}]`)
}

func noEmptyText(t *testing.T, list []string) {
	t.Helper()
	if slices.Contains(list, "") || !slices.IsSorted(list) {
		t.Errorf("%q", list)
	}
}

func FuzzResources(f *testing.F) {
	fuzzed(f, parseResources, func(t *testing.T, list []resource) {
		for _, r := range list {
			if r.ID == "" || r.Title == "" && (r.Name != "" || r.Category != "") {
				t.Errorf("%+v", r)
			}
		}
	}, `[{"ID":"p1","dcterms:title":"x.MASTER","metadata":{"name":"x","PROJECT_ID":"P"},"categoryID":"w",`+
		`"removed":false},"p2"]`)
}

func FuzzBranches(f *testing.F) {
	fuzzed(f, parseBranches, func(t *testing.T, list []Branch) {
		for _, b := range list {
			if b.ID == "" || b.Latest < 0 || b.Start < 0 {
				t.Errorf("%+v", b)
			}
		}
	}, `{"ldp:contains":[{"@id":"b1"},[{"@id":"b2"},{"dcterms:title":"x","latestRevision":3}]]}`)
}

func FuzzBranch(f *testing.F) {
	fuzzed(f, func(n *node) (Branch, error) { return parseBranch(n, "b") }, func(t *testing.T, b Branch) {
		if b.Latest <= 0 || b.Start < 0 {
			t.Errorf("%+v", b)
		}
	}, `[{"ldp:contains":[2,1]},{"dcterms:title":"trunk","latestRevision":2,"startRevision":1,"author":"a",`+
		`"createdDate":1600257292}]`)
}

func FuzzRevisions(f *testing.F) {
	fuzzed(f, parseListed, func(t *testing.T, l listed) {
		if !slices.IsSorted(l.numbers) || len(l.numbers) > 0 && l.numbers[0] <= 0 {
			t.Errorf("%v", l.numbers)
		}
		for _, r := range l.found {
			if !slices.Contains(l.numbers, r.Number) || r.Branch == "" || r.Created.IsZero() || r.Parent < 0 ||
				r.MergedParent < 0 {
				t.Errorf("%+v", r)
			}
		}
	}, `[3,{"ID":2,"branchID":"b","author":"a","createdDate":1600259459},{"@base":"x/revisions/1"}]`)
}

func FuzzRevision(f *testing.F) {
	fuzzed(f, func(n *node) (Revision, error) { return parseRevision(n, 3) }, func(t *testing.T, r Revision) {
		if r.Number != 3 || r.Branch == "" || r.Created.IsZero() || r.Parent < 0 || r.MergedParent < 0 {
			t.Errorf("%+v", r)
		}
	}, `{"ID":"","branchID":"../..","@base":"x/branches/b/revisions/3","author":"a",`+
		`"createdDate":"20180713082509555","directParent":2}`)
}

func FuzzTags(f *testing.F) {
	fuzzed(f, parseTags, func(t *testing.T, list []Tag) {
		for _, one := range list {
			if one.ID == "" || one.Revision < 0 || one.Revision > 0 && one.Name == "" {
				t.Errorf("%+v", one)
			}
		}
	}, `{"ldp:contains":["t1",{"@id":"t2","commitID":2,"dcterms:title":"x"}]}`)
}

func FuzzTag(f *testing.F) {
	fuzzed(f, func(n *node) (Tag, error) { return parseTag(n, "t") }, func(t *testing.T, one Tag) {
		if one.Revision <= 0 || one.Name == "" {
			t.Errorf("%+v", one)
		}
	}, `{"commitID":2,"dcterms:title":"x","dcterms:description":"y"}`)
}

func FuzzLocks(f *testing.F) {
	fuzzed(f, parseLocks, func(t *testing.T, list []Lock) {
		for _, l := range list {
			if l.User == "" {
				t.Errorf("%+v", l)
			}
		}
	}, `[{"username":"a","branchId":"b","esiObjectId":"e"}]`, `{"r":{"data":[{"username":"a"}]}}`)
}
