package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/skein-im/skein"
)

// NewKey makes an app key and the hash of it that is kept. The key is 32 random
// letters and digits and is shown once.
func NewKey() (plain string, hash [32]byte) {
	plain = rand.Text() + rand.Text()[:6]
	return plain, HashKey(plain)
}

// NewTokenSecret makes the HS256 secret of an app: 52 random letters and digits,
// 260 bits, more than the 256 that RFC 7518 section 3.2 asks for.
func NewTokenSecret() []byte {
	return []byte(rand.Text() + rand.Text())
}

// HashKey is the SHA-256 of a key.
func HashKey(plain string) [32]byte { return sha256.Sum256([]byte(plain)) }

// nobody stands for an unknown app, so that refusing it takes the work of a known
// one. Its key and secret are known to nobody.
var nobody = func() skein.App {
	_, hash := NewKey()
	return skein.App{Keys: []skein.AppKey{{Hash: hash}}, TokenSecret: NewTokenSecret()}
}()

// checkKey compares with every key of the app, in constant time.
func (g *Gate) checkKey(app *skein.App, plain string) (name string, ok bool) {
	hash, now := HashKey(plain), g.now()
	for _, k := range app.Keys {
		same := subtle.ConstantTimeCompare(hash[:], k.Hash[:]) == 1
		if same && (k.Expires == 0 || k.Expires > now) {
			name, ok = k.Name, true
		}
	}
	if ok {
		g.opts.KeyUsed(app.ID, name, now)
	}
	return name, ok
}
