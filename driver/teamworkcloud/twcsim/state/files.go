package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/driver/teamworkcloud/twcsim/keystore"
)

// LoginFolder is the working directory of a login over SSH.
const LoginFolder = "/home/admin"

// HomeOf returns the folder in which a release is installed by default (MCS/pages/247048049: CATIANoMagicServices
// since 2022xR2, TeamworkCloud before). ASSUMED: it is in /opt.
func HomeOf(r Release) string {
	if r.Since(2022, 2, 0) {
		return "/opt/CATIANoMagicServices"
	}
	return "/opt/TeamworkCloud"
}

// NewMachine returns a machine with the usual files. Those of the seed replace them. All of them are older than the
// running services.
func NewMachine(r Release, home string, plainPort int, files map[string]string, c *Clock) (*Machine, error) {
	if home == "" {
		home = HomeOf(r)
	}
	m := &Machine{home: home, Sudo: true, FS: &TimedFiles{afero.NewMemMapFs(), c}, At: placesOf(r, home),
		aliases: map[string][]string{}}
	all, err := usualFiles(r, home, plainPort)
	if err != nil {
		return nil, err
	}
	all[bootFile] = string(bootLines(BootBefore(c.Get())))
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		if err := m.WriteOld(name, []byte(content)); err != nil {
			return nil, err
		}
	}
	if err := m.FS.MkdirAll(LoginFolder, 0o755); err != nil {
		return nil, fmt.Errorf("making %s: %w", LoginFolder, err)
	}
	return m, nil
}

// The trust stores of the two Javas on a machine. ASSUMED: their paths, and that the older one is Teamwork Cloud's: a
// JKS as up to Java 17. The other one is a PKCS#12 without a password as since Java 18.
const (
	ServerJava = "/opt/java/twcloud"
	PagesJava  = "/opt/java/webapp"
	Cacerts    = "lib/security/cacerts"
	keytoolBin = "bin/keytool"
)

// bootFile contains the time at which the machine was started.
const bootFile = "/proc/stat"

// Places holds the paths of files on a machine that somebody reads.
type Places struct {
	Conf, Pages, Keystore    string // application.conf, webappplatform.properties, configuration/keystore.p12
	ServerTrust, PagesTrust  string // cacerts of both Javas
	ServerKeytool, PagesTool string
}

func placesOf(r Release, home string) Places {
	configuration := path.Join(serverHome(r, home), "configuration")
	return Places{
		Conf: path.Join(configuration, "application.conf"), Keystore: path.Join(configuration, "keystore.p12"),
		Pages:       path.Join(home, "WebAppPlatform/shared/conf/webappplatform.properties"),
		ServerTrust: path.Join(ServerJava, Cacerts), PagesTrust: path.Join(PagesJava, Cacerts),
		ServerKeytool: path.Join(ServerJava, keytoolBin), PagesTool: path.Join(PagesJava, keytoolBin),
	}
}

// serverHome returns the folder of Teamwork Cloud itself: before 2022xR2 it is the installation's.
func serverHome(r Release, home string) string {
	if !r.Since(2022, 2, 0) {
		return home
	}
	return path.Join(home, "TeamworkCloud")
}

// usualFiles returns the files that the pages mention (MCS/pages/247048049). ASSUMED: their contents, except for keys
// and lines that the pages show. Those of the two settings files have the vendor's form (facts 5.2).
func usualFiles(r Release, home string, plainPort int) (map[string]string, error) {
	twc, login, certs := serverHome(r, home), path.Join(home, "WebAppPlatform/shared/conf"), path.Join(home, "Certs")
	if r.Year < 2022 {
		login = path.Join(home, "AuthServer/config")
	}
	if r.Year < 2026 {
		certs = path.Join(twc, "configuration")
	}
	ship, err := keystore.AsShipped()
	if err != nil {
		return nil, err
	}
	at := placesOf(r, home)
	all := map[string]string{
		"/etc/twcloud/twcloud-env":        "TWCLOUD_HOME=" + twc + "\n",
		at.Conf:                           fmt.Sprintf(usualConf, plainPort),
		at.Pages:                          fmt.Sprintf(usualPages, plainPort),
		path.Join(twc, "logs/server.log"): "",
		path.Join(twc, "osmc/twc-rest-swagger.json"): fmt.Sprintf(usualSwagger, r.String()),
		path.Join(login, "authserver.properties"):    usualLogin,
		path.Join(certs, "teamworkcloud.crt"):        "",
		path.Join(certs, "keystore.p12"):             string(ship.Keystore),
		at.Keystore:                                  string(ship.Keystore),
		at.ServerTrust:                               string(ship.Jks),
		at.PagesTrust:                                string(ship.P12),
		at.ServerKeytool:                             "",
		at.PagesTool:                                 "",

		path.Join(home, "Utilities/datamanager/datamanager"):                    "#!/bin/sh\n",
		path.Join(home, "Utilities/datamanager/configuration/application.conf"): usualManager,
	}
	return all, nil
}

// Short files as shipped.
const (
	usualSwagger = `{"openapi":"3.0.1","info":{"title":"Teamwork Cloud REST API","version":%q}}` + "\n"
	usualLogin   = "authentication.client.ids=webApplicationPlatform,twcSynchronizationManager\n"
	usualManager = "datastax-java-driver.basic.contact-points = [\"localhost:9042\"]\n"
)

const usualConf = `akka {
	cluster {
		# Where the nodes find one another
		# seed-nodes = ["akka://twcloud@${seed-node.ip}:2552"]
		seed-node-timeout = 5s
	}
}

esi {
	net
	{
		connectors = [
			{
				# For client applications
				host = "0.0.0.0"
				port = %d
				protocol = "raw"
			}
		]
	}

	server {
		# in milliseconds
		session.timeout = 1800000
		session.maximum-number = 10000
	}
}

esi.httpd {
	host = "0.0.0.0"
	port = 8111

	ssl {
		enabled = true
		keystorePath = "configuration/keystore.p12"
		keystoreType = "pkcs12"
		keystorePassword = "nomagic"
	}
}

esi.persistence.datastax-java-driver {
	basic {
		contact-points = [${?CASSANDRA_SEED0}][${?CASSANDRA_SEED1}]
		request.timeout = 10 minutes
	}
}

# Threads that serve requests
akka {
  actor.default-dispatcher.fork-join-executor {
    parallelism-min = 64
  }
}
`

const usualPages = `#
# Authentication server
#

authentication.server.ip=127.0.0.1
authentication.server.port=8443
authentication.remote.client.id=twcSynchronizationManager
authentication.client.secret=ENC(c2FuZGJveCBzZWNyZXQ=)

#
# Teamwork Cloud
#

twc.ip=127.0.0.1
twc.rest.protocol=https
twc.rest.port=8111

# The port for clients.
twc.client.port=%d

# Whether the certificate is taken without a look at it.
twc.client.ignore.certificate=true

# Set to true to use TLS.
#twc.client.tls=true

# The keystore's type, its full path, and its password.
#twc.client.keystore.type=JKS
#twc.client.keystore.path=<full.path>
#twc.client.keystore.password=<password>

#
# Mail
#

mail.host=mail.example
mail.port=25
`

// Clock is the World's time, for code that must not wait for the World's lock: files are used without it.
type Clock struct{ now atomic.Pointer[time.Time] }

func (c *Clock) set(t time.Time) { c.now.Store(&t) }

// Get returns the current time of the World.
func (c *Clock) Get() time.Time { return *c.now.Load() }

// TimedFiles is a file system whose times are the World's: a written file gets the time at which it was closed.
type TimedFiles struct {
	afero.Fs
	clock *Clock
}

type timedFile struct {
	afero.File
	fs *TimedFiles
}

// Create implements afero.Fs.
func (t *TimedFiles) Create(name string) (afero.File, error) {
	f, err := t.Fs.Create(name)
	if err != nil {
		return nil, err
	}
	return &timedFile{f, t}, nil
}

// OpenFile implements afero.Fs.
func (t *TimedFiles) OpenFile(name string, flag int, mode os.FileMode) (afero.File, error) {
	f, err := t.Fs.OpenFile(name, flag, mode)
	if err != nil || flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return f, err
	}
	return &timedFile{f, t}, nil
}

func (f *timedFile) Close() error {
	err := f.File.Close()
	now := f.fs.clock.Get()
	// it may have been renamed
	if timed := f.fs.Fs.Chtimes(f.Name(), now, now); err == nil && !errors.Is(timed, fs.ErrNotExist) {
		err = timed
	}
	return err
}

// putOff moves the times of all files, and of the machine's start. A file that is removed meanwhile needs no time.
func (m *Machine) putOff(by time.Duration, boot time.Time) {
	_ = m.Write(bootFile, bootLines(boot)) // cannot fail in memory
	_ = afero.Walk(m.FS, "/", func(name string, info fs.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			at := info.ModTime().Add(by)
			_ = m.FS.Chtimes(name, at, at)
		}
		return nil
	})
}

// bootLines returns a part of Linux's /proc/stat.
func bootLines(boot time.Time) []byte {
	return fmt.Appendf(nil, "cpu  4705 150 1120 1644 89 0 16 0 0 0\nctxt 115315\nbtime %d\nprocesses 26442\n",
		boot.Unix())
}

// Read reads a file, for programs and people on the machine.
func (m *Machine) Read(name string) ([]byte, error) { return afero.ReadFile(m.FS, name) }

// Write replaces a file.
func (m *Machine) Write(name string, content []byte) error {
	return afero.WriteFile(m.FS, name, content, 0o644)
}

// IsKeystore reports whether a file is a keystore. These have other bytes in each world, and each time they are
// written.
func IsKeystore(name string, content []byte) bool {
	base := strings.ToLower(path.Base(name))
	if strings.HasSuffix(base, ".p12") || strings.HasSuffix(base, ".pfx") || strings.HasSuffix(base, ".jks") ||
		base == "cacerts" || keystore.IsJKS(content) {
		return true
	}
	_, err := keystore.OpenP12(content, "")
	return err == nil || errors.Is(err, keystore.ErrPassword)
}

// Clock returns the clock for the files' times.
func (m *Machine) Clock() *Clock { return m.FS.clock }

// WriteOld writes a file that is older than the running services.
func (m *Machine) WriteOld(name string, content []byte) error {
	if err := m.Write(name, content); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	made := m.Clock().Get().Add(-2 * UpFor)
	return m.FS.Chtimes(name, made, made)
}

// UpFor is how long services have been running when a world begins. The machine was started an hour before them.
const UpFor = 24 * time.Hour

// BootBefore returns when a machine was started whose services run at now.
func BootBefore(now time.Time) time.Time { return now.Add(-UpFor - time.Hour).Truncate(time.Second) }
