package encrypt

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/syncctl/syncctl/driver/keystore"
	"github.com/syncctl/syncctl/driver/teamworkcloud/connect"
	"github.com/syncctl/syncctl/driver/teamworkcloud/machine"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/driver/teamworkcloud/share"
)

// Recipe is what one of the vendor's pages on encrypted synchronization has done on a server. They differ by version.
type Recipe struct {
	Name string // "": no page is about the release
	Page string // where it stands

	// Settings: the four twc.client.* values of the web application, the same on both ends, and
	// esi.server.sync.tls-enabled.
	Settings bool
	Keystore bool // the other server's certificate goes into configuration/keystore.p12
	Javas    bool // it goes into the trust stores of both Javas
}

// recipes are all, the oldest first.
var recipes = []Recipe{
	{Name: "seed", Page: share.SyncPage + ", Configuring TLS encrypted connection", Settings: true, Javas: true},
	// one page names the Javas' trust stores, the other one the server's keystore
	{Name: "2024x", Page: "MCS2024x 137991572 and TWCloud2024x 137986642", Settings: true, Keystore: true, Javas: true},
	{Name: "2024xR1", Page: "MCS 247046793", Javas: true},
}

// RecipeNames are the names of all recipes, the oldest first.
func RecipeNames() []string {
	var out []string
	for _, r := range recipes {
		out = append(out, r.Name)
	}
	return out
}

func recipeNamed(name string) Recipe {
	return recipes[slices.IndexFunc(recipes, func(r Recipe) bool { return r.Name == name })]
}

// tls2024 is the oldest release that one of the pages is about.
var tls2024 = osmc.Release{Year: 2024}

// recipeFor chooses the page that is about a server's release, and says why. Before 2024x no page with a version on it
// tells how synchronization is encrypted: nothing is chosen.
func recipeFor(server *connect.Server, release osmc.Release) (r Recipe, why string) {
	if name := server.SyncTLS.Recipe; name != "" {
		r = recipeNamed(name)
		return r, fmt.Sprintf("it is declared (%s)", r.Page)
	}
	switch {
	case release.IsZero():
		r = recipeNamed("2024xR1")
		return r, fmt.Sprintf("its version is unknown and taken for a new one (%s)", r.Page)
	case release.Before(tls2024):
		return Recipe{}, fmt.Sprintf("no page says how %s synchronizes encrypted", release)
	case release.Before(osmc.SyncTLS2024R1):
		r = recipeNamed("2024x")
	default:
		r = recipeNamed("2024xR1")
	}
	return r, fmt.Sprintf("its version is %s (%s)", release, r.Page)
}

// HasRecipe tells whether one of the vendor's pages says how a server of a release synchronizes encrypted.
func (e *Encryption) HasRecipe(server *connect.Server, release osmc.Release) bool {
	r, _ := recipeFor(server, release)
	return r.Name != ""
}

// words are what a recipe has done, for a person.
func (r Recipe) words() string {
	out := []string{"the encrypted port gets the keystore"}
	if r.Settings {
		out = append(out, "twc.client.* and "+keySync+" are set on both ends")
	}
	if r.Keystore {
		out = append(out, "others' certificates go into configuration/keystore.p12")
	}
	if r.Javas {
		out = append(out, "those of a private CA, and self-signed ones, go into the trust stores of both Javas")
	}
	return r.Page + ": " + strings.Join(out, "; ") + "."
}

// places are where a server's files are.
type places struct {
	web, conf string // webappplatform.properties, application.conf
	keystore  string // configuration/keystore.p12
}

// newCerts2026 is when the server's keystore moved to a folder of its own (MCS 247048049).
var newCerts2026 = osmc.Release{Year: 2026}

// placesOf takes what is declared, and the vendor's places of a release for the rest (MCS 247048049).
func placesOf(server *connect.Server, release osmc.Release) places {
	var declared connect.Host
	if server.Host != nil {
		declared = *server.Host
	}
	home := machine.HomeOf(machine.Declared{Home: declared.Home}, release)
	configuration := path.Join(home, "TeamworkCloud", "configuration")
	certificates := configuration
	switch {
	case release.OlderThan(machine.NewHome2022R2): // the server is the installation
		configuration = path.Join(home, "configuration")
		certificates = configuration
	case !release.OlderThan(newCerts2026) && !release.IsZero():
		certificates = path.Join(home, "Certs")
	}
	web := path.Join(home, "WebAppPlatform", "shared", "conf", "webappplatform.properties")
	return places{
		web:      cmp.Or(declared.WebAppProperties, web),
		conf:     cmp.Or(declared.ApplicationConf, path.Join(configuration, "application.conf")),
		keystore: path.Join(certificates, "keystore.p12"),
	}
}

// keystorePath is the keystore's file as the server finds it.
func keystorePath(server *connect.Server) string {
	if server.SyncTLS.KeystorePath != "" {
		return server.SyncTLS.KeystorePath
	}
	file, _ := keystore.Location(server.SyncTLS.Keystore)
	return file
}

// The passwords of these files, unless somebody has changed them (MCS 247048049).
const (
	javaPassword   = "changeit"
	vendorPassword = "nomagic"
)

// storesOf are the files that get what is to be trusted, as the recipe has it.
func storesOf(server *connect.Server, r Recipe, p places) []string {
	var out []string
	// The keystore's own declaration says whom its file trusts.
	if r.Keystore && p.keystore != keystorePath(server) {
		out = append(out, p.keystore)
	}
	return append(out, server.SyncTLS.TrustStores...)
}

// storePassword is what opens a trust store.
func storePassword(server *connect.Server, name string) string {
	if slices.Contains(server.SyncTLS.TrustStores, name) {
		return cmp.Or(server.SyncTLS.TrustStoresPassword.Reveal(), javaPassword)
	}
	return cmp.Or(server.SyncTLS.ServerKeystorePassword.Reveal(), vendorPassword)
}

// trusted are the certificates that a server declares to trust, by alias.
func trusted(server *connect.Server) []keystore.Trusted {
	if server.SyncTLS == nil {
		return nil
	}
	var out []keystore.Trusted
	for alias, t := range server.SyncTLS.Trust {
		// One that cannot be read was refused when the files were.
		if all, err := keystore.ParseCertificates(t.Certificate.Reveal()); err == nil {
			out = append(out, keystore.Trusted{Alias: alias, Certificate: all[0]})
		}
	}
	slices.SortFunc(out, func(a, b keystore.Trusted) int { return strings.Compare(a.Alias, b.Alias) })
	return out
}

// Files are the files on a server's machine that the recipe of its release edits: settings and trust stores.
func Files(server *connect.Server, release osmc.Release) []string {
	if server.SyncTLS == nil {
		return nil
	}
	r, _ := recipeFor(server, release)
	p := placesOf(server, release)
	var out []string
	if r.Settings {
		out = append(out, p.web, p.conf)
	}
	return append(out, storesOf(server, r, p)...)
}

// PossibleFiles are the files on a server's machine that may be read or edited whatever its recipe is.
func PossibleFiles(server *connect.Server, release osmc.Release) []string {
	if server.SyncTLS == nil {
		return nil
	}
	p := placesOf(server, release)
	return append([]string{p.web, p.conf, p.keystore}, server.SyncTLS.TrustStores...)
}
