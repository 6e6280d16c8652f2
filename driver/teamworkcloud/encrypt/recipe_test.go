package encrypt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
)

// TestRecipes checks the page chosen for each release, the paths of files, and that there is always a reason.
func TestRecipes(t *testing.T) {
	const root = "/opt/CATIANoMagicServices/"
	for release, want := range map[string][3]string{ // the recipe, application.conf, the server's keystore
		"2021x Refresh2": {"", "/opt/TeamworkCloud/configuration/application.conf",
			"/opt/TeamworkCloud/configuration/keystore.p12"},
		"2022x Refresh2": {"", root + "TeamworkCloud/configuration/application.conf",
			root + "TeamworkCloud/configuration/keystore.p12"},
		"2024x": {"2024x", root + "TeamworkCloud/configuration/application.conf",
			root + "TeamworkCloud/configuration/keystore.p12"},
		"2024x Hot Fix 3": {"2024x", root + "TeamworkCloud/configuration/application.conf",
			root + "TeamworkCloud/configuration/keystore.p12"},
		"2024x Refresh1": {"2024xR1", root + "TeamworkCloud/configuration/application.conf",
			root + "TeamworkCloud/configuration/keystore.p12"},
		"2024x Refresh3 Hot Fix 1": {"2024xR1", root + "TeamworkCloud/configuration/application.conf",
			root + "TeamworkCloud/configuration/keystore.p12"},
		"2026x": {"2024xR1", root + "TeamworkCloud/configuration/application.conf",
			root + "Certs/keystore.p12"},
		"2026x Refresh1": {"2024xR1", root + "TeamworkCloud/configuration/application.conf",
			root + "Certs/keystore.p12"},
		"unreadable": {"2024xR1", root + "TeamworkCloud/configuration/application.conf",
			root + "TeamworkCloud/configuration/keystore.p12"},
	} {
		server := &connect.Server{SyncTLS: &connect.SyncTLS{}}
		r, _ := osmc.ParseRelease(release)
		got, why := recipeFor(server, r)
		files := placesOf(server, r)
		if got.Name != want[0] || files.conf != want[1] || files.keystore != want[2] || !strings.HasSuffix(files.web,
			"WebAppPlatform/shared/conf/webappplatform.properties") {
			t.Errorf("%s: %q, %+v; want %q", release, got.Name, files, want)
		}
		if why == "" || got.Name != "" && !strings.Contains(why, got.Page) {
			t.Errorf("%s: %q", release, why)
		}
	}
}

// TestEdit checks that missing values are set, that equal ones stay however they are written, and that facts contain
// no secrets.
func TestEdit(t *testing.T) {
	web := settingsFile{path: "/web", want: []setting{
		{key: keyTLS, value: "true", same: func(have string) bool { return strings.EqualFold(have, "true") }},
		{key: keyPassword, value: "geheim-store", secret: "keystore.pkcs12.a"},
		{key: keyPort, value: "10002"},
	}}
	conf := settingsFile{path: "/conf", hocon: true,
		want: []setting{{key: keySync, value: "true",
			same: func(have string) bool { return have == "on" || have == "true" }}}}
	for name, c := range map[string]struct {
		file      settingsFile
		src, want string
		changes   int
	}{
		"commented out": {web,
			"a=b\r\n#twc.client.tls=true\r\ntwc.client.port = 3579\r\n#twc.client.keystore.password=<p>\r\nz=y",
			"a=b\r\n#twc.client.tls=true\r\ntwc.client.tls=true\r\ntwc.client.port = " +
				"10002\r\n#twc.client.keystore.password=<p>\r\ntwc.client.keystore.password=geheim-store\r\nz=y", 3},
		"all is there": {web, "twc.client.tls: TRUE\ntwc.client.keystore.password=geheim-store\ntwc.client.port " +
			"10002", "twc.client.tls: TRUE\ntwc.client.keystore.password=geheim-store\ntwc.client.port 10002", 0},
		"encrypted": {web,
			"twc.client.tls=true\ntwc.client.keystore.password=ENC(x+y=)\ntwc.client.port=10002\n",
			"twc.client.tls=true\ntwc.client.keystore.password=ENC(x+y=)\ntwc.client.port=10002\n", 0},
		"another password": {web,
			"twc.client.tls=true\ntwc.client.keystore.password=geheim-old\ntwc.client.port=10002\n",
			"twc.client.tls=true\ntwc.client.keystore.password=geheim-store\ntwc.client.port=10002\n", 1},
		"appended": {conf, "esi {\n\tserver { sync { tls-enabled = false } }\n}\n",
			"esi {\n\tserver { sync { tls-enabled = false } }\n}\nesi.server.sync.tls-enabled = true\n", 1},
		"said in another way": {conf, "esi.server { sync.tls-enabled = on }", "esi.server { sync.tls-enabled = on }", 0},
		"on, then off at last": {conf, "esi.server.sync.tls-enabled = true\nesi.server.sync { tls-enabled = off }\n",
			"esi.server.sync.tls-enabled = true\nesi.server.sync { tls-enabled = off }\nesi.server.sync.tls-enabled = " +
				"true\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.file.edit([]byte(c.src))
			if err != nil {
				t.Fatal(err)
			}
			said, _, _, err := c.file.parse([]byte(c.src), c.file.passwords())
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
			if n := len(c.file.missing(said)); n != c.changes {
				t.Errorf("%d changes: %+v", n, said)
			}
			shown := fmt.Sprintf("%+v %v", said, c.file.differences(said))
			for _, want := range c.file.missing(said) {
				shown += want.shown()
			}
			if strings.Contains(shown, "geheim") {
				t.Errorf("a secret shows: %s", shown)
			}
			again, err := c.file.edit(got)
			if err != nil || string(again) != string(got) {
				t.Errorf("a second time changes it again: %q %v", again, err)
			}
		})
	}
	if _, err := conf.edit([]byte("esi { a = ")); err == nil {
		t.Error("half a file is edited")
	}
}
