// Package seal encrypts the secrets that a store keeps, with keys that are not in the store: who
// reads the database or a backup of it learns none of them. It knows neither stores nor secrets.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mark begins every sealed secret. It is followed by the id of the key, a colon, and the nonce
// and the ciphertext of AES-256-GCM in base64. So a sealed secret is text without spaces, and no
// secret of Skein begins like one.
const mark = "skein-sealed:1:"

// keyBytes is the length of a key.
const keyBytes = 32

// maxFile bounds a file of keys, in bytes.
const maxFile = 64 << 10

// ErrDamaged is about a sealed secret that was altered, or that belongs somewhere else.
var ErrDamaged = errors.New("sealed secret is damaged, or was sealed for something else")

// MissingKeyError is about a secret whose key is not in the file.
type MissingKeyError struct{ ID string }

// Error tells an operator which key is missing, and where.
func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("sealed with key %s, which --secret-key-file does not have", e.ID)
}

// Keys are the keys of an installation. The newest seals; all of them open. Without a key
// secrets stay as they are. Safe for concurrent use.
type Keys struct {
	path   string
	afresh rate.Sometimes // readings of the file for a key that was not known

	mu   sync.Mutex
	keys []key // oldest first; guarded by mu
}

type key struct {
	id   string
	aead cipher.AEAD
}

// Read reads a file of keys: each line is 32 bytes in base64, the newest last. Lines that are
// empty or begin with # count for nothing. Without a path there are no keys. No error shows what
// a line holds.
func Read(path string) (*Keys, error) {
	k := &Keys{path: path, afresh: rate.Sometimes{First: 1, Interval: time.Second}}
	if path == "" {
		return k, nil
	}
	keys, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("--secret-key-file: %w", err)
	}
	k.keys = keys
	return k, nil
}

func readFile(path string) ([]key, error) {
	f, err := os.Open(path) //nolint:gosec // a path that the operator gave
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	var keys []key
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != keyBytes {
			return nil, fmt.Errorf("%s: line %d is not %d bytes in base64", path, i+1, keyBytes)
		}
		keys = append(keys, newKey(raw))
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no key: skein secrets key prints one", path)
	}
	return keys, nil
}

func newKey(raw []byte) key {
	sum := sha256.Sum256(append([]byte("skein key id\n"), raw...))
	block, err := aes.NewCipher(raw)
	if err != nil {
		panic(err) // its only error is about the length, which is right
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // its only error is about another cipher
	}
	return key{id: hex.EncodeToString(sum[:4]), aead: aead}
}

// NewKey makes a key as a line of the file.
func NewKey() string {
	var raw [keyBytes]byte
	rand.Read(raw[:])
	return base64.StdEncoding.EncodeToString(raw[:])
}

// Newest is the id of the key that seals; empty: there is none.
func (k *Keys) Newest() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		return ""
	}
	return k.keys[len(k.keys)-1].id
}

// IDs are the ids of all keys, oldest first.
func (k *Keys) IDs() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	ids := make([]string, 0, len(k.keys))
	for _, one := range k.keys {
		ids = append(ids, one.id)
	}
	return ids
}

// Seal encrypts a secret with the newest key. about says what the secret is of, such as
// "token secret of app shop": it opens only as that. Without a key the secret is returned as it is.
func (k *Keys) Seal(secret []byte, about string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		return secret
	}
	newest := k.keys[len(k.keys)-1]
	sealed := append([]byte(mark), newest.id...)
	sealed = append(sealed, ':')
	raw := newest.aead.Seal(nil, nil, secret, []byte(about)) //nolint:gosec // G407: it makes a random nonce itself
	return base64.StdEncoding.AppendEncode(sealed, raw)
}

// Open is the secret that Seal was given. A secret that was never sealed is returned as it is.
// A key that is not known may have been added to the file meanwhile, so Open reads it again, at
// most once a second. Errors: *MissingKeyError, ErrDamaged.
func (k *Keys) Open(stored []byte, about string) ([]byte, error) {
	id, sealed, ok := parts(stored)
	if !ok {
		return stored, nil
	}
	opener, known := k.find(id)
	if !known {
		k.afresh.Do(k.reread)
		if opener, known = k.find(id); !known {
			return nil, &MissingKeyError{id}
		}
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrDamaged
	}
	secret, err := opener.aead.Open(nil, nil, raw, []byte(about))
	if err != nil {
		return nil, ErrDamaged
	}
	return secret, nil
}

// reread reads the file again. The keys that are known are kept as they are, and what seals
// stays what it was until the process starts again: other nodes may not have the new key yet.
func (k *Keys) reread() {
	if k.path == "" {
		return
	}
	keys, err := readFile(k.path)
	if err != nil {
		return // the caller says which key is missing
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.keys
	added := slices.DeleteFunc(keys, func(a key) bool {
		return slices.ContainsFunc(known, func(b key) bool { return a.id == b.id })
	})
	k.keys = slices.Concat(added, known)
}

func (k *Keys) find(id string) (key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.keys, func(one key) bool { return one.id == id })
	if i < 0 {
		return key{}, false
	}
	return k.keys[i], true
}

// SealedWith is the id of the key that sealed a secret; empty: it is not sealed.
func SealedWith(stored []byte) string {
	id, _, _ := parts(stored)
	return id
}

// parts are the id of the key and the rest of a sealed secret.
func parts(stored []byte) (id, sealed string, ok bool) {
	rest, ok := strings.CutPrefix(string(stored), mark)
	if !ok {
		return "", "", false
	}
	id, sealed, ok = strings.Cut(rest, ":")
	return id, sealed, ok
}
