package schema
import "testing"
func TestZZ(t *testing.T) {
	for _, e := range []string{`"${1e9999999}"`, `1e99999999`, `"x" + 1e999999999999`} {
		cfg, d := one(t, "server \"barn\" \"a\" {\n url = "+e+"\n}\nserver \"depot\" \"b\" {\n url = \"u\"\n port = "+e+"\n}\n")
		s := textOf(t, cfg, d)
		t.Log(len(s), s[:min(len(s), 300)], len(cfg.canonical()))
	}
}
