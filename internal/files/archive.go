package files

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"strings"
)

func startsArchive(head []byte) bool {
	return bytes.HasPrefix(head, localEntry) ||
		bytes.HasPrefix(head, []byte("PK\x05\x06")) // an archive without entries
}

// Signatures of ZIP entries (APPNOTE.TXT sections 4.3.7 and 4.3.12), and the offsets of
// the name and of its length.
var (
	localEntry   = []byte("PK\x03\x04")
	centralEntry = []byte("PK\x01\x02")
)

const (
	localNameLength, localName     = 26, 30
	centralNameLength, centralName = 28, 46
)

// archiveKind tells Office documents from other archives by the names of the entries in
// the first and last bytes of the file. An Office document has a list of content types and
// a folder named after its program. archiveKind refuses archives that are programs, and
// documents with macros.
// Errors: skein.ErrFileType.
func archiveKind(head, tail []byte) (*kind, error) {
	var office *kind
	listed := false
	for _, part := range [...][]byte{head, tail} {
		for name := range entryNames(part) {
			if isProgram(name) {
				return nil, refused("executable archive")
			}
			listed = listed || name == "[Content_Types].xml"
			office = cmp.Or(office, officeKind(name))
		}
	}
	if listed && office != nil {
		return office, nil
	}
	return archive, nil
}

// officeKind is the kind of Office document that has this entry, or nil.
func officeKind(name string) *kind {
	switch folder, _, _ := strings.Cut(name, "/"); folder {
	case "word":
		return docx
	case "xl":
		return xlsx
	case "ppt":
		return pptx
	}
	return nil
}

// isProgram reports whether an entry with this name means that Java, Android, iOS or
// Office would run the archive.
func isProgram(name string) bool {
	switch name {
	case "META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex":
		return true
	}
	return strings.HasSuffix(name, "/vbaProject.bin") ||
		strings.HasPrefix(name, "Payload/") && strings.Contains(name, ".app/")
}

// entryNames yields the names of the entries whose headers are in b. It searches for their
// signatures, because b may begin anywhere in the file.
func entryNames(b []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range b {
			name, ok := entryName(b[i:])
			if ok && !yield(name) {
				return
			}
		}
	}
}

// entryName returns the name in the entry header at the start of b, if there is one. It
// ignores names over 256 bytes: none of the names it is called for is as long.
func entryName(b []byte) (name string, ok bool) {
	const longest = 256
	lengthAt, nameAt := localNameLength, localName
	if bytes.HasPrefix(b, centralEntry) {
		lengthAt, nameAt = centralNameLength, centralName
	} else if !bytes.HasPrefix(b, localEntry) {
		return "", false
	}
	if len(b) < nameAt {
		return "", false
	}
	length := int(binary.LittleEndian.Uint16(b[lengthAt:]))
	if length > longest || nameAt+length > len(b) {
		return "", false
	}
	return string(b[nameAt : nameAt+length]), true
}
