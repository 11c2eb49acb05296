package skein

import (
	"bytes"
	"slices"
	"strings"
)

// Upload is a file that was uploaded, by its name in the storage.
type Upload struct {
	App    string
	Name   string // 32 hex digits and an extension
	Client string // who uploaded it; empty: the backend
	At     Millis
	Size   int64  // bytes
	Title  string // what its uploader called it; empty: nothing
}

// UploadsPath stands before the name of an upload in every link to it, whatever
// host and prefix come before.
const UploadsPath = "/storage/uploads/"

// maxUploadNames bounds the files that are kept track of for one message.
const maxUploadNames = 16

// Uploads are the names of the uploads that the URL and the Attr link to, each
// once, at most 16. They may be of another app, or of none.
func (b Body) Uploads() []string {
	names := appendUploadNames(nil, b.URL)
	if bytes.Contains(b.Attr, []byte("uploads")) {
		// JSON may have its slashes escaped.
		names = appendUploadNames(names, strings.ReplaceAll(string(b.Attr), `\/`, "/"))
	}
	return names
}

func appendUploadNames(names []string, text string) []string {
	for len(names) < maxUploadNames {
		_, rest, found := strings.Cut(text, UploadsPath)
		if !found {
			break
		}
		if name := uploadName(rest); name != "" && !slices.Contains(names, name) {
			names = append(names, strings.Clone(name))
		}
		text = rest
	}
	return names
}

// uploadName is the name that text begins with: 32 hex digits, a dot and an
// extension. Empty: it begins with none.
func uploadName(text string) string {
	const digits, longest = 32, 8
	if len(text) < digits+2 || text[digits] != '.' {
		return ""
	}
	for i := range digits {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	end := digits + 1
	for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] >= '0' && text[end] <= '9') {
		end++
	}
	if n := end - digits - 1; n == 0 || n > longest {
		return ""
	}
	return text[:end]
}
