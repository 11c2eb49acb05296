package datadir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/skein-im/skein/internal/store/sqlite/schema"
)

// manifestFile is the file of a backup that lists all its other files.
const manifestFile = "manifest.json"

// manifestFormat is the version of the format.
const manifestFormat = 1

// manifest describes a backup. A restore refuses a backup that differs from it.
type manifest struct {
	Format        int                     `json:"format"`
	Skein         string                  `json:"skein"` // version of the program that made the backup
	Made          time.Time               `json:"made"`
	Schema        int64                   `json:"schema"`
	Epoch         int64                   `json:"epoch"`
	Rows          map[string]int64        `json:"rows"`          // by table
	Conversations map[string]int64        `json:"conversations"` // by app
	Files         map[string]manifestItem `json:"files"`         // by path
	Missing       []string                `json:"missing"`       // uploads recalled while the backup was made
	Sum           string                  `json:"sum"`           // SHA-256 of the manifest without this field
}

type manifestItem struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// list makes the manifest of dir. version is that of the program.
func list(dir, version string) (*manifest, error) {
	held, err := schema.Inspect(StoreFile(dir))
	if err != nil {
		return nil, err
	}
	m := &manifest{
		Format: manifestFormat, Skein: version, Made: time.Now().UTC(), Schema: held.Schema, Epoch: held.Epoch,
		Rows: held.Tables, Conversations: held.Conversations,
	}
	if m.Files, err = items(dir); err != nil {
		return nil, err
	}
	for _, name := range held.Uploads {
		if _, ok := m.Files[uploads+"/"+name]; !ok {
			m.Missing = append(m.Missing, name)
		}
	}
	m.Sum, err = m.sum()
	return m, err
}

// items are all files below dir except the manifest.
func items(dir string) (map[string]manifestItem, error) {
	all := make(map[string]manifestItem)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == manifestFile {
			return err
		}
		f, err := os.Open(path) //nolint:gosec // a path that the operator gave
		if err != nil {
			return err
		}
		hash := sha256.New()
		n, err := io.Copy(hash, f)
		all[filepath.ToSlash(name)] = manifestItem{n, hex.EncodeToString(hash.Sum(nil))}
		return errors.Join(err, f.Close())
	})
	return all, err
}

func (m *manifest) sum() (string, error) {
	bare := *m
	bare.Sum = ""
	raw, err := json.Marshal(bare)
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), err
}

// writeManifest writes the manifest of dir into dir and syncs it.
func writeManifest(dir, version string) error {
	m, err := list(dir, version)
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, manifestFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, PrivateFile) //nolint:gosec // a path that the operator gave
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Sync(), f.Close(), syncDir(dir))
}

// checkBackup checks a backup against its manifest: it has exactly the listed files with the
// listed content, and its store is undamaged and has the listed numbers of rows.
func checkBackup(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile)) //nolint:gosec // a path that the operator gave
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no %s: it is no whole backup, or an older version made it; --without-manifest takes it all the same", dir, manifestFile)
	}
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("%s: %s cannot be read: %w", dir, manifestFile, err)
	}
	if m.Format > manifestFormat {
		return fmt.Errorf("%s: %s has format %d, and this skein knows none newer than %d; %s made it", dir, manifestFile, m.Format, manifestFormat, m.Skein)
	}
	if sum, err := m.sum(); err != nil || sum != m.Sum {
		return fmt.Errorf("%s: %s is not as it was written", dir, manifestFile)
	}
	have, err := items(dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		switch got, ok := have[name]; {
		case !ok:
			return fmt.Errorf("%s: %s is missing", dir, name)
		case got != m.Files[name]:
			return fmt.Errorf("%s: %s is not as it was written: %d bytes of sum %s, want %d of %s", dir, name, got.Bytes, got.SHA256, m.Files[name].Bytes, m.Files[name].SHA256)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := m.Files[name]; !ok {
			return fmt.Errorf("%s: %s is none of the backup's files", dir, name)
		}
	}
	held, err := schema.Inspect(StoreFile(dir))
	if err != nil {
		return err
	}
	if held.Schema != m.Schema || held.Epoch != m.Epoch || !maps.Equal(held.Tables, m.Rows) || !maps.Equal(held.Conversations, m.Conversations) {
		return fmt.Errorf("%s: the store does not hold what %s says", dir, manifestFile)
	}
	return nil
}

// checkCopy is checkBackup for a copy without a manifest.
func checkCopy(dir string) error {
	held, err := schema.Inspect(StoreFile(dir))
	if err != nil {
		return err
	}
	found := 0
	for _, name := range held.Uploads {
		if _, err := os.Lstat(filepath.Join(dir, uploads, name)); err == nil {
			found++
		}
	}
	if found == 0 && len(held.Uploads) > 0 {
		return fmt.Errorf("%s: none of the %d uploads that the store knows is there", dir, len(held.Uploads))
	}
	return nil
}
