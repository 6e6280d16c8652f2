package twcsim

import (
	"strings"
	"testing"

	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/settings"
)

// TestUsualSettings checks that the services' readers can read the usual files.
func TestUsualSettings(t *testing.T) {
	for _, version := range releases {
		x := onMachine(t, version)
		s := x.Named["src"]
		v := s.Services.Pages
		if s.Services.Server.SyncTLS || machine.PagesEncrypt(v) || machine.PagesPort(v) != 3579 ||
			v.Values["authentication.client.secret"] != "ENC(c2FuZGJveCBzZWNyZXQ=)" || v.Values["mail.port"] != "25" {
			t.Errorf("%s: %+v", version, v.Values)
		}
		content, err := s.Desk.Read(s.Desk.At.Conf)
		if err != nil {
			t.Fatal(err)
		}
		conf, err := settings.HOCON(content)
		if err != nil || conf["esi.httpd.ssl.keystorePassword"] != keystore.ShippedPassword ||
			conf["akka.cluster.seed-node-timeout"] != "5s" ||
			conf["akka.actor.default-dispatcher.fork-join-executor.parallelism-min"] != "64" {
			t.Errorf("%s: %q %v", version, conf, err)
		}
		content, err = s.Desk.Read(s.Desk.At.Pages)
		for _, key := range machine.SharedSettings {
			if !strings.Contains(string(content), "\n#"+key+"=") || err != nil {
				t.Errorf("%s: %s is not commented out: %v", version, key, err)
			}
		}
	}
}
