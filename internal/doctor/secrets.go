package doctor

import (
	"context"
	"fmt"
	"os"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/seal"
	"github.com/skein-im/skein/internal/store/sealed"
)

// secrets checks that the keys of --secret-key-file open the secrets of the store, and that the
// newest of them seals all.
func (e *examination) secrets(ctx context.Context, c config.Store) {
	const check = "secrets"
	var byKey map[string]int
	var missing error
	err := datadir.WithSecrets(ctx, c, func(s *sealed.Store) (err error) {
		byKey, missing, err = s.Secrets(ctx)
		return err
	})
	keys, readErr := seal.Read(c.SecretKeyFile)
	switch {
	case readErr != nil:
		e.add(check, Fail, readErr.Error(), "correct --secret-key-file: skein serve does not start")
		return
	case err != nil:
		e.add(check, Warn, "not checked: "+err.Error(), "run this again")
		return
	case missing != nil:
		e.add(check, Fail, missing.Error(), "add the key to the file of --secret-key-file: skein serve does not start without it")
		return
	}
	all := 0
	for _, n := range byKey {
		all += n
	}
	others := all - byKey[keys.Newest()]
	switch {
	case c.SecretKeyFile == "":
		e.add(check, OK, fmt.Sprintf("%d token secrets, not sealed: there is no --secret-key-file", all), "")
	case others > 0:
		e.add(check, Warn, fmt.Sprintf("%d of %d token secrets are not sealed with the newest key %s", others, all, keys.Newest()), "run skein secrets reseal once every node has the newest key")
	default:
		e.add(check, OK, fmt.Sprintf("%d token secrets, sealed with the newest key %s", all, keys.Newest()), "")
	}
	if info, err := os.Stat(c.SecretKeyFile); err == nil && info.Mode().Perm()&0o007 != 0 {
		e.add("secrets: file", Warn, fmt.Sprintf("every user of this machine may read %s (mode %04o)", c.SecretKeyFile, info.Mode().Perm()), "chmod o= it")
	}
}
