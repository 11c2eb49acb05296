package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"strings"

	"github.com/skein-im/skein"
)

// Source is where a call comes from; the zero value is a program on this machine.
type Source struct {
	Origin  string // the page of another site that makes it; empty: none
	Proxied bool   // through a proxy, or for a host that is not this machine
}

// checkSource refuses calls from beyond this machine to an app that trusts everyone
// on it, whatever credential they show: the demo app's is public. And it refuses
// pages that the app does not list. Errors: skein.ErrForbidden.
func (g *Gate) checkSource(app *skein.App, from Source) error {
	if app.Settings.Open && from.Proxied && !g.opts.OpenToAll {
		g.warned.Do(func() {
			g.opts.Log.Warn("a call from beyond this machine to an app with token authentication off was refused; turn it on for the app, or start with --allow-open-apps",
				slog.String("app", app.ID))
		})
		return &skein.Fault{Err: skein.ErrForbidden, Detail: "app " + app.ID + " has token authentication off, so it is served on this machine alone, " +
			"not through a proxy or under another host name: turn it on (skein app update --id " + app.ID + " --token-auth on) or start the server with --allow-open-apps"}
	}
	if from.Origin != "" && !app.Settings.AllowsOrigin(from.Origin) {
		return &skein.Fault{Err: skein.ErrForbidden, Field: "Origin", Detail: "not in the app's allowed_origins"}
	}
	return nil
}

// signed reports whether a token is good for the app, as far as nothing has to be fetched or read
// for that.
func (g *Gate) signed(app *skein.App, token string) bool {
	if signedBy(app, token) {
		return true
	}
	source := app.Settings.JWKS
	if source == "" || g.opts.Keys == nil {
		return false
	}
	_, err := parseToken(app, token, g.opts.Now(), func(alg, id string) (any, error) {
		if k := g.opts.Keys.Known(app.ID, source, alg, id); k != nil {
			return k, nil
		}
		return nil, skein.ErrUnauthenticated
	})
	return err == nil
}

// signedBy reports whether a token bears the app's signature. It reads nothing of
// it and asks no store: it is for those who may be guessing.
func signedBy(app *skein.App, token string) bool {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || len(token) > maxTokenLength || len(app.TokenSecret) == 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	mac := hmac.New(sha256.New, app.TokenSecret)
	mac.Write([]byte(token[:dot]))
	return err == nil && hmac.Equal(signature, mac.Sum(nil))
}
