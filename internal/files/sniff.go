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

// Extension is the one that Save would give a whole file on this machine.
// Errors: skein.ErrFileType, skein.ErrMalformed for an empty file.
func Extension(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator's own
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

// sniff tells the kind of a file from its first bytes. It is archive for every
// file in a ZIP, and compound for old Office documents: archiveKind and compoundKind
// tell those apart.
//
// Package mimetype takes a short signature for the whole, and some of its
// signatures may stand anywhere, so what it says is held to a proof. What fails
// its proof may yet be a text that only mentions one: "%PDF- is how they begin".
// Errors: skein.ErrFileType.
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
	found, _, _ := mime.ParseMediaType(mimetype.Detect(head).String()) // it writes no other kind
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
