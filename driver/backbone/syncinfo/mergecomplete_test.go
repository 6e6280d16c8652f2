package syncinfo

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompleteOnlyWhatIsCertain checks that the result never has two pairs that contradict each other.
func TestCompleteOnlyWhatIsCertain(t *testing.T) {
	for _, c := range []struct {
		name            string
		repeated        bool // it takes a permission to merge at all
		mine, its, want string
	}{
		{"plain", false, `{"localId":"1"}`, `{"remoteId":"1","localId":"2"}`, `{"localId":"1","remoteId":"2"}`},
		{"the id occurs twice", true, `{"localId":"1"},{"localId":"1"}`, `{"remoteId":"1","localId":"2"}`, ""},
		{"the id is in a whole pair too", true, `{"localId":"1"},{"localId":"1","remoteId":"3"}`,
			`{"remoteId":"1","localId":"2"}`, ""},
		{"the other id is there already", false, `{"localId":"1"},{"localId":"3","remoteId":"2"}`,
			`{"remoteId":"1","localId":"2"}`, ""},
		{"the other id is there as a half", false, `{"localId":"1"},{"remoteId":"2"}`, `{"remoteId":"1","localId":"2"}`,
			""},
		{"the other id is the mirror's twice", true, `{"localId":"1"},{"localId":"4"}`,
			`{"remoteId":"1","localId":"2"},{"remoteId":"4","localId":"2"}`, ""},
		{"an id as number and text", true, `{"localId":1},{"localId":"1"}`, `{"remoteId":"1","localId":"2"}`, ""},
		{"escaped here", false, `{"localId":"\u0031"}`, `{"remoteId":"1","localId":"2"}`,
			`{"localId":"\u0031","remoteId":"2"}`},
		{"escaped there", false, `{"remoteId":"1"}`, `{"localId":"\u0031","remoteId":"\u0032"}`,
			`{"remoteId":"1","localId":"\u0032"}`},
		{"escaped twice", true, `{"localId":"1"},{"localId":"\u0031"}`, `{"remoteId":"1","localId":"2"}`, ""},
		{"empty is missing", false, `{"localId":"1", "remoteId": ""}`, `{"remoteId":"1","localId":"2"}`,
			`{"localId":"1", "remoteId": "2"}`},
		{"empty is missing, the other way", false, `{"localId":"","remoteId":"1"}`, `{"localId":"1","remoteId":"2"}`,
			`{"localId":"2","remoteId":"1"}`},
		{"empty there", false, `{"localId":"1"}`, `{"remoteId":"1","localId":""}`, ""},
		{"both empty", false, `{"localId":"","remoteId":null}`, `{"remoteId":"","localId":"2"}`, ""},
		{"a member twice", true, `{"localId":"1","localId":"5"}`, `{"remoteId":"5","localId":"2"}`, ""},
		{"a member twice there", true, `{"localId":"1"}`, `{"remoteId":"1","localId":"3","localId":"2"}`, ""},
		{"two digits are not an empty text", false, `{"localId":10}`, `{"remoteId":10,"localId":20}`,
			`{"localId":10,"remoteId":20}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, lists := range [][2]string{{"comments", "attachments"}, {"attachments", "comments"}} {
				// The second list shows that lists do not mix, and that they may come in either order.
				entry := func(local, remote, list string) string {
					return pair(local, remote, `,"`+lists[0]+`":[`+list+`],"`+lists[1]+`":[{"localId":"1","remoteId":"2"},`+
						`{"localId":"2","remoteId":"1"}]`)
				}
				fs := memory(t, export(entry("A-1", "B-1", c.mine)), export(entry("B-1", "A-1", c.its)))
				o := options(fs, Slave)
				o.CompleteComments = true
				if c.repeated {
					rule := map[string]Rule{"comments": RepeatedComment, "attachments": RepeatedAttachment}[lists[0]]
					if found := refusedFor(t, o); len(found) != 1 || found[0].Rule != rule || found[0].Count != 1 {
						t.Error(found)
					}
					o.Allow = []Rule{rule}
				}
				if _, err := Merge(context.Background(), o); err != nil {
					t.Fatal(err)
				}
				want := c.want
				if want == "" {
					want = c.mine
				}
				first, _, _ := strings.Cut(content(t, fs, "w/out.json"), `"secondConnector"`)
				if diff := cmp.Diff("{\n  \"firstConnector\": [\n    "+entry("A-1", "B-1", want)+"\n  ],\n  ", first); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
