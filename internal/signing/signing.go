// Package signing signs the calls that the server makes to an app's addresses, as Standard
// Webhooks 1.0 has it: those of webhooks and of before-hooks.
package signing

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skein-im/skein"
)

// secretPrefix begins every secret, as Standard Webhooks has it.
const secretPrefix = "whsec_"

// NewKey makes the key of a secret: 32 random bytes.
func NewKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails; see crypto/rand
	return key
}

// SecretText is a key as its owner gets it.
func SecretText(key []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(key) }

// Rotated are the secrets with a new key first. The one before it stays valid until a time; zero: it ends
// at once. One that could not be opened ends too: with it no call could be signed.
func Rotated(secrets []skein.WebhookSecret, key []byte, until skein.Millis) []skein.WebhookSecret {
	rotated := []skein.WebhookSecret{{Key: key, Expires: skein.Forever}}
	if len(secrets) > 0 && secrets[0].Key != nil && until != 0 {
		rotated = append(rotated, skein.WebhookSecret{Key: secrets[0].Key, Expires: until})
	}
	return rotated
}

// Request is a signed POST of a JSON body. id is the call's own: the same when it is made again. It
// fails if a valid secret has no key.
func Request(ctx context.Context, url, agent string, secrets []skein.WebhookSecret, id string, at time.Time, body []byte) (*http.Request, error) {
	keys, err := valid(secrets, skein.MillisOf(at))
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("Webhook-Signature", signature(keys, id, at, body))
	return r, nil
}

// valid are the keys of the secrets that have not expired.
func valid(secrets []skein.WebhookSecret, now skein.Millis) (keys [][]byte, err error) {
	for _, s := range secrets {
		if s.Expires <= now {
			continue
		}
		if s.Key == nil {
			return nil, errors.New("the secret cannot be opened: see --secret-key-file")
		}
		keys = append(keys, s.Key)
	}
	return keys, nil
}

// signature is the header webhook-signature: one signature for each key.
func signature(keys [][]byte, id string, at time.Time, body []byte) string {
	list := make([]string, 0, len(keys))
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(list, " ")
}
