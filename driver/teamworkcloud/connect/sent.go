package connect

import (
	"errors"
	"net/http"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
)

// Later delays a step if err means that no licence was free: the executor repeats it, since nothing was sent and a
// licence will be free again. It is for errors of Verify and Facts, and for errors of Execute after which certainly
// nothing has changed.
func Later(err error) error {
	if err == nil || !errors.Is(err, osmc.ErrNoLicence) {
		return err
	}
	return &executor.Later{After: osmc.LicenceWait, Err: err}
}

// Sent is driver.Sent for errors of osmc's Writer. Such an error may come from a login, after which nothing was sent,
// whatever the server answered. Or it may come from a request that follows the one that changes something: then its
// status says nothing about the change.
func Sent(err error) error {
	if sent, ok := osmc.SentBefore(err); ok && sent != rest.SentNo {
		return err
	}
	if osmc.WasSent(err) == rest.SentNo && !rest.IsStatus(err, http.StatusTooManyRequests) {
		return executor.NotSent(err)
	}
	return driver.Sent(err)
}
