package webhooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// secretPrefix begins every secret, as Standard Webhooks has it.
const secretPrefix = "whsec_"

// newKey makes the key of a secret: 32 random bytes.
func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails; see crypto/rand
	return key
}

// secretText is a key as its owner gets it.
func secretText(key []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(key) }

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
