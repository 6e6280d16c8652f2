package rest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitForATurn checks that the time in which a large answer waits for another one is not its server's.
func TestWaitForATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{BaseURL: "https://a.example", MaxRetries: -1,
			Transport: answering(func(r *http.Request) *http.Response {
				body := strings.NewReader("[" + strings.Repeat(" ", readAtOnce) + "]")
				return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(body)}
			})})
		if err != nil {
			t.Fatal(err)
		}
		c.large <- struct{}{}
		time.AfterFunc(2*wholeAnswer*DefaultTimeout, func() { <-c.large })
		var v []any
		if err := c.Get(t.Context(), Request{}, &v); err != nil || v == nil {
			t.Error(v, err)
		}
	})
}
