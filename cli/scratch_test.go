package cli

import (
	"crypto/tls"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/syncctl/syncctl/sandbox"
)

// quietWorld is one server that answers nothing.
type quietWorld struct{ sandbox.World }

func (quietWorld) Servers() []string                    { return []string{"a"} }
func (quietWorld) Handler(string) http.Handler          { return http.NotFoundHandler() }
func (quietWorld) SetURL(string, string)                {}
func (quietWorld) Environment(string) map[string]string { return nil }
func (quietWorld) Tick(time.Time)                       {}

var errFull = errors.New("the disk is full")

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// TestScratchStop: that the access log has failed is returned once, whether the servers are stopped before or not.
func TestScratchStop(t *testing.T) {
	for _, before := range []bool{true, false} {
		box, err := sandbox.Start(t.Context(), sandbox.Options{Seed: []byte(`{"quiet": {}}`), AccessLog: fullDisk{},
			Products: map[string]sandbox.Open{"quiet": func([]byte) (sandbox.World, error) { return quietWorld{}, nil }}})
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		if res, err := client.Get(box.Servers()[0].URL); err != nil || res.Body.Close() != nil {
			t.Fatal(err)
		}
		s := &scratch{command: &command{app: &app{fs: afero.NewMemMapFs()}}, box: box, root: "/scratch"}
		if before {
			if err := s.stop(); !errors.Is(err, errFull) {
				t.Error(err)
			}
		} else if err := s.close(); !errors.Is(err, errFull) {
			t.Error(err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}
