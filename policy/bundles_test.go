package policy

import "testing"

// TestBundles: the limits of bundles are read, hold for files that are not trusted too, and are whole numbers above
// zero.
func TestBundles(t *testing.T) {
	p := parse(t, "bundles {\n  max_bytes = 34359738368\n  max_name  = 100\n}\n")
	want := BundleLimits{Bytes: 32 << 30, Name: 100}
	for name, got := range map[string]BundleLimits{"trusted": p.Bundles(), "untrusted": p.Untrusted().Bundles()} {
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if got := (*Policy)(nil).Bundles(); got != (BundleLimits{}) {
		t.Errorf("without a policy: %+v", got)
	}
	for _, text := range []string{"max_bytes = 0", "max_parts = -1", "max_name = 1.5", "max_parts = 1e9", "most = 1", `max_name = "x"`} {
		if _, _, diags := Parse([]byte("bundles {\n"+text+"\n}\n"), "policy.hcl", ""); !diags.HasErrors() {
			t.Errorf("%s is taken", text)
		}
	}
	two := "bundles {\n  max_bytes = 1\n}\nbundles {\n  max_parts = 2\n}\n"
	if _, _, diags := Parse([]byte(two), "policy.hcl", ""); !diags.HasErrors() {
		t.Error("a second block is taken")
	}
}
