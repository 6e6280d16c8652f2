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

// Recipe is what one of the vendor's pages on encrypted synchronization says to do on a server. The pages differ by
// version.
type Recipe struct {
	Name string // "": no page covers the release
	Page string // the page

	// Settings means that the four twc.client.* values of the web application are set, the same on both ends, and
	// esi.server.sync.tls-enabled.
	Settings bool
	Keystore bool // the other server's certificate is added to configuration/keystore.p12
	Javas    bool // it is added to the trust stores of both Javas
}

// recipes lists all recipes, oldest first.
var recipes = []Recipe{
	{Name: "seed", Page: share.SyncPage + ", Configuring TLS encrypted connection", Settings: true, Javas: true},
	// one page names the Javas' trust stores, the other one the server's keystore
	{Name: "2024x", Page: "MCS2024x 137991572 and TWCloud2024x 137986642", Settings: true, Keystore: true, Javas: true},
	{Name: "2024xR1", Page: "MCS 247046793", Javas: true},
}

// RecipeNames returns the names of all recipes, oldest first.
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

// tls2024 is the oldest release that one of the pages covers.
var tls2024 = osmc.Release{Year: 2024}

// recipeFor returns the recipe for a server's release, and why it was chosen. It returns none before 2024x, because no
// page that names such a version says how synchronization is encrypted.
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

// HasRecipe reports whether one of the vendor's pages says how a server of a release encrypts synchronization.
func (e *Encryption) HasRecipe(server *connect.Server, release osmc.Release) bool {
	r, _ := recipeFor(server, release)
	return r.Name != ""
}

// words describes for a person what a recipe does.
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

// places holds the paths of a server's files.
type places struct {
	web, conf string // webappplatform.properties, application.conf
	keystore  string // configuration/keystore.p12
}

// newCerts2026 is the release that moved the server's keystore to a separate folder (MCS 247048049).
var newCerts2026 = osmc.Release{Year: 2026}

// placesOf returns the declared paths, and the vendor's paths for the release where none are declared (MCS 247048049).
func placesOf(server *connect.Server, release osmc.Release) places {
	var declared connect.Host
	if server.Host != nil {
		declared = *server.Host
	}
	home := machine.HomeOf(machine.Declared{Home: declared.Home}, release)
	configuration := path.Join(home, "TeamworkCloud", "configuration")
	certificates := configuration
	switch {
	case release.OlderThan(machine.NewHome2022R2): // the installation contains only the server
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

// keystorePath returns the path at which the server finds the keystore.
func keystorePath(server *connect.Server) string {
	if server.SyncTLS.KeystorePath != "" {
		return server.SyncTLS.KeystorePath
	}
	file, _ := keystore.Location(server.SyncTLS.Keystore)
	return file
}

// The default passwords of these files (MCS 247048049).
const (
	javaPassword   = "changeit"
	vendorPassword = "nomagic"
)

// storesOf returns the files that trusted certificates are added to, according to the recipe.
func storesOf(server *connect.Server, r Recipe, p places) []string {
	var out []string
	// A file with a keystore declaration is left to that: it declares what the file trusts.
	if r.Keystore && p.keystore != keystorePath(server) {
		out = append(out, p.keystore)
	}
	return append(out, server.SyncTLS.TrustStores...)
}

// storePassword returns the password of a trust store.
func storePassword(server *connect.Server, name string) string {
	if slices.Contains(server.SyncTLS.TrustStores, name) {
		return cmp.Or(server.SyncTLS.TrustStoresPassword.Reveal(), javaPassword)
	}
	return cmp.Or(server.SyncTLS.ServerKeystorePassword.Reveal(), vendorPassword)
}

// trusted returns the certificates that a server declares to trust, sorted by alias.
func trusted(server *connect.Server) []keystore.Trusted {
	if server.SyncTLS == nil {
		return nil
	}
	var out []keystore.Trusted
	for alias, t := range server.SyncTLS.Trust {
		// A certificate that cannot be read was already refused when the configuration was checked.
		if all, err := keystore.ParseCertificates(t.Certificate.Reveal()); err == nil {
			out = append(out, keystore.Trusted{Alias: alias, Certificate: all[0]})
		}
	}
	slices.SortFunc(out, func(a, b keystore.Trusted) int { return strings.Compare(a.Alias, b.Alias) })
	return out
}

// Files returns the files on a server's machine that the recipe for its release edits: settings and trust stores.
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

// PossibleFiles returns the files on a server's machine that may be read or edited with any recipe.
func PossibleFiles(server *connect.Server, release osmc.Release) []string {
	if server.SyncTLS == nil {
		return nil
	}
	p := placesOf(server, release)
	return append([]string{p.web, p.conf, p.keystore}, server.SyncTLS.TrustStores...)
}
