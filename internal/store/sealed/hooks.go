package sealed

import (
	"bytes"
	"errors"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/seal"
)

// aboutHook is what the secrets of an app's before-hook are sealed for.
func aboutHook(app, on string) string { return "secret of hook " + on + " of app " + app }

// mapSecrets are hooks with each secret's key replaced. The hooks stay as they are.
func mapSecrets(hooks []skein.BeforeHook, key func(h *skein.BeforeHook, secret skein.WebhookSecret) []byte) []skein.BeforeHook {
	hooks = slices.Clone(hooks)
	for i := range hooks {
		h := &hooks[i]
		h.Secrets = slices.Clone(h.Secrets)
		for j, secret := range h.Secrets {
			h.Secrets[j].Key = key(h, secret)
		}
	}
	return hooks
}

// openHooks are the hooks of an app with their secrets as they are. One that cannot be opened is nil.
func (s *Store) openHooks(app skein.App) []skein.BeforeHook {
	return mapSecrets(app.Settings.BeforeHooks, func(h *skein.BeforeHook, secret skein.WebhookSecret) []byte {
		key, err := s.keys.Open(secret.Key, aboutHook(app.ID, h.On))
		if err != nil {
			return nil
		}
		return key
	})
}

// closeHooks are the hooks of an app as the engine keeps them: a secret as it was stored, where it did not
// change or could not be opened.
func (s *Store) closeHooks(app, before, stored skein.App) []skein.BeforeHook {
	return mapSecrets(app.Settings.BeforeHooks, func(h *skein.BeforeHook, secret skein.WebhookSecret) []byte {
		opened, kept := before.Settings.HookBefore(h.On), stored.Settings.HookBefore(h.On)
		if opened != nil && kept != nil {
			same := func(o skein.WebhookSecret) bool {
				return bytes.Equal(o.Key, secret.Key) && (secret.Key != nil || o.Expires == secret.Expires)
			}
			if j := slices.IndexFunc(opened.Secrets, same); j >= 0 {
				return kept.Secrets[j].Key
			}
		}
		return s.keys.Seal(secret.Key, aboutHook(app.ID, h.On))
	})
}

// hookSecrets are the secrets of an app's hooks as they are stored, each with what it is sealed for.
func hookSecrets(stored skein.App, see func(key []byte, about string)) {
	for _, h := range stored.Settings.BeforeHooks {
		for _, secret := range h.Secrets {
			see(secret.Key, aboutHook(stored.ID, h.On))
		}
	}
}

// outdated are the secrets of an app that another key than the newest has sealed.
func (s *Store) outdated(stored skein.App) (keys [][]byte) {
	newest := s.keys.Newest()
	add := func(key []byte, _ string) {
		if seal.SealedWith(key) != newest {
			keys = append(keys, key)
		}
	}
	add(stored.TokenSecret, "")
	hookSecrets(stored, add)
	return keys
}

// allOpen refuses an app with a secret of a hook that could not be opened.
func allOpen(opened skein.App) (err error) {
	hookSecrets(opened, func(key []byte, about string) {
		if key == nil {
			err = errors.New(about + ": its key is not in --secret-key-file, or it is damaged")
		}
	})
	return err
}
