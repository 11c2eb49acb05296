package leancloud

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
)

// beforeFile is the manifest of the previous run while the lists are rewritten.
const beforeFile = "manifest.before.json"

// previous is what the previous run wrote.
type previous struct {
	manifest folder.Manifest // zero: there is none
	proofs   map[string]before
}

// before has the fields of a Proof that a later run needs.
type before struct {
	newest  int64
	checked bool
}

// openPrevious reads what the previous run wrote. It refuses the folder of another app.
func openPrevious(dir string, r journal.Run) (*previous, error) {
	f := &previous{proofs: map[string]before{}}
	raw, err := os.ReadFile(filepath.Join(dir, folder.ManifestFile)) //nolint:gosec // the operator's own directory
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = os.ReadFile(filepath.Join(dir, beforeFile)) //nolint:gosec // the operator's own directory
	}
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &f.manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", folder.ManifestFile, err)
	}
	switch m := f.manifest; {
	case m.Format != folder.Format:
		return nil, fmt.Errorf("%s is no dump of LeanCloud IM", dir)
	case m.Version > folder.Version:
		return nil, fmt.Errorf("%s was written by a newer version of this command", dir)
	case m.AppID != r.AppID:
		return nil, fmt.Errorf("%s is of app %s: give another folder", dir, m.AppID)
	}
	for line, err := range folder.Lines(filepath.Join(dir, folder.ProofFile)) {
		var p folder.Proof
		if err == nil {
			err = json.Unmarshal(line, &p)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder.ProofFile, err)
		}
		f.proofs[p.Conv] = before{p.Newest, p.Checked}
	}
	return f, nil
}

// since returns the time up to which the folder has the history of the whole app.
func (f *previous) since() int64 {
	m := f.manifest
	if !m.Messages.WholeApp {
		return 0
	}
	return max(0, min(m.Time, m.Messages.Newest)-overlap.Milliseconds())
}
