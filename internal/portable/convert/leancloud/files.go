package leancloud

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// file takes a file of the dump, under a name derived from its content.
func (d *dump) file(in *convert.Input, r row) error {
	left := convert.Line{Kind: convert.OfRow, Outcome: convert.Skipped, At: r.at, Raw: r.raw}
	var f folder.File
	if err := json.Unmarshal(r.raw, &f, jsontext.AllowInvalidUTF8(true)); err != nil {
		left.Outcome, left.Why = convert.Refused, convert.ErrNoObject.Error()
		return in.Left(left)
	}
	const stem = 32
	if f.Path == "" || len(f.SHA256) < stem || d.Extension == nil {
		left.Why, left.Detail = "a file that the dump does not have; its link stays as it is", f.Error
		return in.Left(left)
	}
	path := filepath.Join(d.From, filepath.FromSlash(f.Path))
	extension, err := d.Extension(path)
	if errors.Is(err, skein.ErrFileType) || errors.Is(err, skein.ErrMalformed) {
		left.Outcome, left.Why, left.Detail = convert.Refused, "a file of a type that Skein does not store; its link stays as it is", err.Error()
		return in.Left(left)
	}
	if err != nil {
		return err
	}
	content, err := os.Open(path) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	made := portable.File{Name: f.SHA256[:stem] + "." + extension, Title: skein.FileTitle(f.Name), Created: d.manifest.Time, Size: f.Size, SHA256: f.SHA256}
	if err := errors.Join(in.File(made, content), content.Close()); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	for _, name := range []string{f.URL, f.ID} {
		if name != "" {
			d.links[hashOf(name)] = made.Name
		}
	}
	return nil
}

// link returns Skein's link to the file that LeanCloud had at a url or under an objectId. Empty:
// the dump does not have the file.
func (d *dump) link(url, id string) string {
	name := d.links[hashOf(cmp.Or(url, id))]
	if name == "" {
		return ""
	}
	return strings.TrimSuffix(d.PublicURL, "/") + skein.UploadsPath + name
}

// hashOf shortens a url to a hash, to save memory.
func hashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return string(sum[:16])
}
