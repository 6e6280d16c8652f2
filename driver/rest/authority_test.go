package rest_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/rest"
)

// TestAuthorities checks that the error names the bad one of several certificates, whatever is wrong with it.
func TestAuthorities(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	good := string(caOf(server))
	bad := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no certificate")}))
	torn := strings.Replace(good, "\n-----END", "!\n-----END", 1)
	for name, c := range map[string]struct{ text, want string }{
		"none":        {" \n", ""},
		"one":         {good, ""},
		"two":         {"# ours\n" + good + "\ufeff" + good, ""},
		"marked":      {"\ufeff" + good, ""},
		"Windows":     {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"text":        {"nothing", "there is no certificate in PEM form"},
		"bad":         {bad, "certificate 1 of 1 cannot be used"},
		"bad, good":   {bad + good, "certificate 1 of 2 cannot be used"},
		"good, bad":   {good + bad, "certificate 2 of 2 cannot be used"},
		"torn in two": {good + torn + good, "certificate 2 of 3 is damaged"},
		"cut off":     {good + good[:len(good)/2], "certificate 2 of 2 is damaged"},
	} {
		err := rest.CheckCA([]byte(c.text))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
