package connect

import (
	"net/http"

	"github.com/syncctl/syncctl/driver"
	"github.com/syncctl/syncctl/driver/rest"
	"github.com/syncctl/syncctl/driver/teamworkcloud/osmc"
	"github.com/syncctl/syncctl/executor"
)

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
