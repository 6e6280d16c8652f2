package rest_test

import (
	"testing"
	"time"

	"github.com/syncctl/syncctl/driver/rest"
)

// TestEndpoint checks that what the last answer shows about the server is kept, also of a refusal. The certificate of
// a server that is not trusted is shown, too.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	s := serve(t, status(403, "Date", "Thu, 02 Jan 2031 03:04:15 GMT"))
	c := connect(t, s, nil)
	if e := c.Endpoint(); e != nil {
		t.Errorf("nothing was asked, and there is %+v", e)
	}
	if _, err := c.Do(t.Context(), rest.Request{}); !rest.IsStatus(err, 403) || rest.Presented(err) != nil {
		t.Errorf("got %v", err)
	}
	e := c.Endpoint()
	if e == nil || e.Status != 403 || !e.Date.Equal(time.Date(2031, 1, 2, 3, 4, 15, 0, time.UTC)) || e.Took < 0 ||
		len(e.Certificates) == 0 || !e.Certificates[0].Equal(s.Certificate()) {
		t.Errorf("got %+v", e)
	}
	stranger := connect(t, s, func(o *rest.Options) { o.CAPEM, o.MaxRetries = nil, -1 })
	_, err := stranger.Do(t.Context(), rest.Request{})
	if got := rest.Presented(err); len(got) == 0 || !got[0].Equal(s.Certificate()) || stranger.Endpoint() != nil {
		t.Errorf("%d certificates, %v", len(got), err)
	}
}
