package osmc

import (
	"strings"
	"testing"
	"time"
)

// single is a single revision with the members, the order and the forms of the sample in the vendor's OpenAPI files:
// an empty ID, relative branch and resource, the date as text in a zone, and -1 where nothing was merged.
const single = `{
  "@base" : "http://h:8111/osmc/workspaces/w1/resources/r1/BRANCHrevisions/18",
  "@context" : "http://h:8111/osmc/schema/revision",
  "EPackageIDs" : [ "p2", "p1" ],
  "ID" : "",
  "artifacts" : "artifacts",
  "author" : "ann",
  "branchID" : "../..",
  "commitDate" : 1470735888827,
  "createdDate" : "Tue Aug 09 16:44:48 ICT 2016",
  "dependencies" : [ ],
  "dependencyImpls" : [ ],
  "description" : "Commit at Tue Aug 09 16:44:48 ICT 2016",
  "directParent" : 17,
  "mergedParent" : -1,
  "resourceID" : "../../..",
  "rootObjectIDs" : [ "o2", "o1" ]
}`

// TestSingleRevision checks that a single revision is on the branch in its address, and without one on an unknown
// branch.
func TestSingleRevision(t *testing.T) {
	want := Revision{
		Number: 18, Author: "ann", Created: time.Date(2016, time.August, 9, 9, 44, 48, 0, time.UTC),
		Description: "Commit at Tue Aug 09 16:44:48 ICT 2016", Parent: 17,
		DescriptionKnown: true, ParentKnown: true, MergedParentKnown: true,
		RootObjects: []string{"o1", "o2"}, ElementPackages: []string{"p1", "p2"},
	}
	for branch, on := range map[string]string{"branches/b1/": "b1", "": ""} {
		want.Branch = on
		text := strings.Replace(single, "BRANCH", branch, 1)
		same(t, want, func(n *node) (Revision, error) { return parseWithoutBranch(n, 18) }, text, "["+text+"]")
	}
}
