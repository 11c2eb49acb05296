package files

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"os"
	"slices"

	"github.com/gabriel-vasile/mimetype"
)

// Extension is the extension that Save would give to a complete file on this machine.
// Errors: skein.ErrFileType, skein.ErrMalformed for an empty file.
func Extension(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // a path that the operator gave
	if err != nil {
		return "", err
	}
	head, err := readHead(&source{ctx: context.Background(), r: f, left: sniffed, max: sniffed, room: func() error { return nil }})
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	k, err := sniff(head)
	if err == nil && (k == archive || k == compound) {
		k, err = kindInside(k, path, head)
	}
	if err != nil {
		return "", err
	}
	return k.ext, nil
}

// sniff finds the kind of a file from its first bytes. The result is archive for every ZIP
// and compound for old Office documents; archiveKind and compoundKind find which one.
//
// Package mimetype relies on short signatures, some of them anywhere in the file. So for
// some kinds a proof checks its result. A file that fails the proof may still be a text
// that mentions a signature, such as "a PDF begins with %PDF-". Errors:
// skein.ErrFileType.
func sniff(head []byte) (*kind, error) {
	if isADTS(head) { // mimetype knows only half of the ADTS headers
		return kindOf("aac"), nil
	}
	if k := brandKind(head); k != nil {
		return k, nil
	}
	if bytes.HasPrefix(head, compoundFile) {
		return compound, nil
	}
	found, _, _ := mime.ParseMediaType(mimetype.Detect(head).String()) // cannot fail: mimetype writes valid media types
	for _, k := range kinds {
		if slices.Contains(k.signatures, found) && (k.proof == nil || k.proof(head)) {
			return k, nil
		}
	}
	switch {
	case !isText(head):
		return nil, refused("content of type " + found + " is not allowed")
	case hasMarkup(head):
		return nil, refused("text with markup or a script")
	}
	return plain, nil
}
