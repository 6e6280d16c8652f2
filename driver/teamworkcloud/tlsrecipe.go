package teamworkcloud

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
	"github.com/syncctl/syncctl/schema"
)

// recipe is what one of the vendor's pages on encrypted synchronization has done on a server. They differ by version.
type recipe struct {
	Name string
	Page string // where it stands

	Settings bool // the four twc.client.* values of the web application, the same on both ends, and esi.server.sync.tls-enabled
	Keystore bool // the other server's certificate goes into configuration/keystore.p12
	Javas    bool // it goes into the trust stores of both Javas
}

// The recipes, the oldest first.
var recipes = []recipe{
	{Name: "seed", Page: share.SyncPage + ", Configuring TLS encrypted connection", Settings: true, Javas: true},
	{Name: "2024x", Page: "MCS2024x 137991572 and TWCloud2024x 137986642", Settings: true, Keystore: true},
	{Name: "2024xR1", Page: "MCS 247046793", Javas: true},
}

func recipeNames() []string {
	var out []string
	for _, r := range recipes {
		out = append(out, r.Name)
	}
	return out
}

func recipeNamed(name string) recipe {
	return recipes[slices.IndexFunc(recipes, func(r recipe) bool { return r.Name == name })]
}

// tls2024 is the oldest release that one of the pages is about.
var tls2024 = osmc.Release{Year: 2024}

// recipeFor chooses the page that is about a server's release, and says why it is that one. Before 2024x no page with a version on it
// tells how synchronization is encrypted: nothing is chosen there, and none is "".
func recipeFor(server *schema.Resource, release osmc.Release) (r recipe, why string) {
	if name := server.Text("sync_tls", "recipe"); name != "" {
		r = recipeNamed(name)
		return r, fmt.Sprintf("it is declared (%s)", r.Page)
	}
	switch {
	case release.IsZero():
		r = recipeNamed("2024xR1")
		return r, fmt.Sprintf("its version cannot be made out, and is taken for a new one (%s)", r.Page)
	case release.Before(tls2024):
		return recipe{}, fmt.Sprintf("no page says how %s synchronizes encrypted", release)
	case release.Before(osmc.SyncTLS2024R1):
		r = recipeNamed("2024x")
	default:
		r = recipeNamed("2024xR1")
	}
	return r, fmt.Sprintf("its version is %s (%s)", release, r.Page)
}

// encrypts tells whether a server declares how synchronization is encrypted at its end.
func encrypts(server *schema.Resource) bool { return server != nil && !server.Get("sync_tls").IsNull() }

// settingsFiles are where a server's settings lie.
type settingsFiles struct {
	web, conf string // webappplatform.properties, application.conf
	keystore  string // configuration/keystore.p12
}

// newCerts2026 is when the server's keystore moved to a folder of its own (MCS 247048049).
var newCerts2026 = osmc.Release{Year: 2026}

// filesOf takes what is declared, and the vendor's places of that release for the rest (MCS 247048049).
func filesOf(server *schema.Resource, release osmc.Release) settingsFiles {
	home := machine.HomeOf(declaredMachine(server), release)
	configuration := path.Join(home, "TeamworkCloud", "configuration")
	certificates := configuration
	switch {
	case release.OlderThan(machine.NewHome2022R2): // the server is the installation
		configuration = path.Join(home, "configuration")
		certificates = configuration
	case !release.OlderThan(newCerts2026) && !release.IsZero():
		certificates = path.Join(home, "Certs")
	}
	return settingsFiles{
		web:      cmp.Or(server.Text("host", "webappplatform_properties"), path.Join(home, "WebAppPlatform", "shared", "conf", "webappplatform.properties")),
		conf:     cmp.Or(server.Text("host", "application_conf"), path.Join(configuration, "application.conf")),
		keystore: path.Join(certificates, "keystore.p12"),
	}
}
