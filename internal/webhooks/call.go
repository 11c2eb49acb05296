package webhooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/signing"
	"github.com/skein-im/skein/internal/store"
)

// Client makes calls; see package dial.
type Client interface {
	Do(r *http.Request) (*http.Response, error)
}

// caller makes signed calls.
type caller struct {
	client Client
	now    func() time.Time
}

// post makes one call with a body and describes it. Its Error is empty where the endpoint
// answered with a status of 200 to 299.
func (c caller) post(ctx context.Context, w skein.Webhook, id string, body []byte) store.WebhookAttempt {
	at := c.now()
	a := store.WebhookAttempt{At: skein.MillisOf(at), ID: id, URL: w.Settings.URL, Bytes: len(body)}
	began := time.Now()
	err := c.try(ctx, w, at, body, &a)
	a.Millis = time.Since(began).Milliseconds()
	if err != nil {
		a.Error = reason(err)
	}
	return a
}

func (c caller) try(ctx context.Context, w skein.Webhook, at time.Time, body []byte, a *store.WebhookAttempt) error {
	r, err := signing.Request(ctx, w.Settings.URL, "Skein-Webhooks/1", w.Secrets, a.ID, at, body)
	if err != nil {
		return err
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	a.Status = answer.StatusCode
	a.Answer, err = io.ReadAll(io.LimitReader(answer.Body, store.AttemptAnswer))
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	}
	if a.Status < 200 || a.Status > 299 {
		return fmt.Errorf("status %d", a.Status)
	}
	if errors.Is(err, dial.ErrTooLarge) { // it was delivered nevertheless
		return nil
	}
	return err
}

// reason is why a call failed, for the log of the endpoint.
func reason(err error) string {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		if failed.Timeout() {
			return "no answer in time"
		}
		err = failed.Err
	}
	text := strings.ReplaceAll(err.Error(), "\x00", "")
	return strings.ToValidUTF8(text[:min(len(text), 200)], "") // PostgreSQL stores nothing else
}
