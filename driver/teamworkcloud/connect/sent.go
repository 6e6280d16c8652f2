package connect

import (
	"errors"
	"net/http"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
)

// Later has the executor try a step again that met no free licence: nothing was sent for it, and licences come back by
// themselves. It takes errors of Verify and Facts, and those of Execute after which certainly nothing was changed.
func Later(err error) error {
	if err == nil || !errors.Is(err, osmc.ErrNoLicence) {
		return err
	}
	return &executor.Later{After: osmc.LicenceWait, Err: err}
}

// Sent is driver.Sent for what osmc's Writer returns. Such an error may be of a login, after which nothing was sent
// whatever the server answered, or of a request that follows the one that changes something: then its status says
// nothing about the change.
func Sent(err error) error {
	if sent, ok := osmc.SentBefore(err); ok && sent != rest.SentNo {
		return err
	}
	if osmc.WasSent(err) == rest.SentNo && !rest.IsStatus(err, http.StatusTooManyRequests) {
		return executor.NotSent(err)
	}
	return driver.Sent(err)
}
