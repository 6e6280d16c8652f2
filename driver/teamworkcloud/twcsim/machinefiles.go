package twcsim

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
)

// The trust stores of the two Javas of a machine. ASSUMED: where they are, and that the older one is Teamwork Cloud's: a JKS
// as up to Java 17, beside a PKCS#12 without a password as since Java 18.
const (
	serverJava = "/opt/java/twcloud"
	pagesJava  = "/opt/java/webapp"
	cacerts    = "lib/security/cacerts"
	keytoolBin = "bin/keytool"
)

// bootFile tells when the machine was started.
const bootFile = "/proc/stat"

// places are where a machine's files lie that somebody reads.
type places struct {
	conf, pages, keystore    string // application.conf, webappplatform.properties, configuration/keystore.p12
	serverTrust, pagesTrust  string // cacerts of both Javas
	serverKeytool, pagesTool string
}

func placesOf(r release, home string) places {
	configuration := path.Join(serverHome(r, home), "configuration")
	return places{
		conf: path.Join(configuration, "application.conf"), keystore: path.Join(configuration, "keystore.p12"),
		pages:       path.Join(home, "WebAppPlatform/shared/conf/webappplatform.properties"),
		serverTrust: path.Join(serverJava, cacerts), pagesTrust: path.Join(pagesJava, cacerts),
		serverKeytool: path.Join(serverJava, keytoolBin), pagesTool: path.Join(pagesJava, keytoolBin),
	}
}

// serverHome is where Teamwork Cloud itself is: before 2022xR2 it is the installation.
func serverHome(r release, home string) string {
	if !r.since(2022, 2, 0) {
		return home
	}
	return path.Join(home, "TeamworkCloud")
}

// usualFiles are those that the pages name (MCS/pages/247048049). Contents are ASSUMED as far as they are more than keys and
// lines that the pages show; those of the two settings files have the forms of the vendor's (facts 5.2).
func usualFiles(r release, home string, plainPort int) (map[string]string, error) {
	twc, login, certs := serverHome(r, home), path.Join(home, "WebAppPlatform/shared/conf"), path.Join(home, "Certs")
	if r.year < 2022 {
		login = path.Join(home, "AuthServer/config")
	}
	if r.year < 2026 {
		certs = path.Join(twc, "configuration")
	}
	ship, err := asShipped()
	if err != nil {
		return nil, err
	}
	at := placesOf(r, home)
	all := map[string]string{
		"/etc/twcloud/twcloud-env":        "TWCLOUD_HOME=" + twc + "\n",
		at.conf:                           fmt.Sprintf(usualConf, plainPort),
		at.pages:                          fmt.Sprintf(usualPages, plainPort),
		path.Join(twc, "logs/server.log"): "",
		path.Join(twc, "osmc/twc-rest-swagger.json"): fmt.Sprintf("{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"Teamwork Cloud REST API\",\"version\":%q}}\n", r.String()),
		path.Join(login, "authserver.properties"):    "authentication.client.ids=webApplicationPlatform,twcSynchronizationManager\n",
		path.Join(certs, "teamworkcloud.crt"):        "",
		path.Join(certs, "keystore.p12"):             string(ship.keystore),
		at.keystore:                                  string(ship.keystore),
		at.serverTrust:                               string(ship.jks),
		at.pagesTrust:                                string(ship.p12),
		at.serverKeytool:                             "",
		at.pagesTool:                                 "",

		path.Join(home, "Utilities/datamanager/datamanager"):                    "#!/bin/sh\n",
		path.Join(home, "Utilities/datamanager/configuration/application.conf"): "datastax-java-driver.basic.contact-points = [\"localhost:9042\"]\n",
	}
	return all, nil
}

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

// clock is the World's time, for who may not wait for the World: files are used while it goes on.
type clock struct{ now atomic.Pointer[time.Time] }

func (c *clock) set(t time.Time) { c.now.Store(&t) }
func (c *clock) get() time.Time  { return *c.now.Load() }

// timedFiles are files whose times are the World's: a file that was written has the time at which it was closed.
type timedFiles struct {
	afero.Fs
	clock *clock
}

type timedFile struct {
	afero.File
	fs *timedFiles
}

func (t *timedFiles) Create(name string) (afero.File, error) {
	f, err := t.Fs.Create(name)
	if err != nil {
		return nil, err
	}
	return &timedFile{f, t}, nil
}

func (t *timedFiles) OpenFile(name string, flag int, mode os.FileMode) (afero.File, error) {
	f, err := t.Fs.OpenFile(name, flag, mode)
	if err != nil || flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return f, err
	}
	return &timedFile{f, t}, nil
}

func (f *timedFile) Close() error {
	err := f.File.Close()
	now := f.fs.clock.get()
	if timed := f.fs.Fs.Chtimes(f.Name(), now, now); err == nil && !errors.Is(timed, fs.ErrNotExist) { // it may be called otherwise by now
		err = timed
	}
	return err
}

// putOff moves the times of all files, and when the machine was started. A file that goes away meanwhile needs no time.
func (m *machine) putOff(by time.Duration, boot time.Time) {
	_ = m.write(bootFile, bootLines(boot)) // memory takes it
	_ = afero.Walk(m.fs, "/", func(name string, info fs.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			at := info.ModTime().Add(by)
			_ = m.fs.Chtimes(name, at, at)
		}
		return nil
	})
}

// bootLines are what Linux says in /proc/stat, in part.
func bootLines(boot time.Time) []byte {
	return fmt.Appendf(nil, "cpu  4705 150 1120 1644 89 0 16 0 0 0\nctxt 115315\nbtime %d\nprocesses 26442\n", boot.Unix())
}

// read and write are for programs and people at the machine.
func (m *machine) read(name string) ([]byte, error) { return afero.ReadFile(m.fs, name) }

func (m *machine) write(name string, content []byte) error {
	return afero.WriteFile(m.fs, name, content, 0o644)
}

// isKeystore: such a file has other bytes in each world and each time it is written.
func isKeystore(name string, content []byte) bool {
	base := strings.ToLower(path.Base(name))
	if strings.HasSuffix(base, ".p12") || strings.HasSuffix(base, ".pfx") || strings.HasSuffix(base, ".jks") || base == "cacerts" || isJKS(content) {
		return true
	}
	_, err := openP12(content, "")
	return err == nil || errors.Is(err, errPassword)
}

func (m *machine) clock() *clock { return m.fs.clock }

// writeOld writes what is older than what runs.
func (m *machine) writeOld(name string, content []byte) error {
	if err := m.write(name, content); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	made := m.clock().get().Add(-2 * upFor)
	return m.fs.Chtimes(name, made, made)
}
