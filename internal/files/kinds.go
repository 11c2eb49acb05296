package files

import (
	"slices"

	"github.com/skein-im/skein"
)

// kind is a type of file that can be stored. Save refuses files of no kind (web pages, SVG,
// XML, scripts, programs), even if an app lists their extension.
type kind struct {
	ext         string
	contentType string
	inline      bool                   // a browser may show or play it inline
	proof       func(head []byte) bool // checks what mimetype found; nil: its signature is reliable
	signatures  []string               // what package mimetype calls it
}

var (
	plain   = &kind{ext: "txt", contentType: "text/plain"}
	archive = &kind{ext: "zip", contentType: "application/zip", proof: startsArchive, signatures: []string{
		"application/zip", "application/java-archive", "application/vnd.android.package-archive", "application/epub+zip",
		"application/vnd.google-earth.kmz", "application/vnd.ms-visio.drawing.main+xml",
		"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.graphics",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	}}
	// compound is the container of old Office documents; compoundKind tells which one.
	compound = &kind{}
	docx     = &kind{ext: "docx", contentType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
	xlsx     = &kind{ext: "xlsx", contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
	pptx     = &kind{ext: "pptx", contentType: "application/vnd.openxmlformats-officedocument.presentationml.presentation"}
)

// kinds is every type that can be stored.
var kinds = []*kind{
	{"png", "image/png", true, isPNG, []string{"image/png", "image/apng"}},
	{"jpg", "image/jpeg", true, nil, []string{"image/jpeg"}},
	{"gif", "image/gif", true, nil, []string{"image/gif"}},
	{"webp", "image/webp", true, nil, []string{"image/webp"}},
	{"heic", "image/heic", true, nil, nil}, // no signatures: brands.go recognizes it, and others without signatures
	{"mp3", "audio/mpeg", true, isMP3, []string{"audio/mpeg"}},
	{"m4a", "audio/mp4", true, nil, nil},
	{"aac", "audio/aac", true, isADTS, []string{"audio/aac"}},
	{"amr", "audio/amr", true, isAMR, []string{"audio/amr"}},
	{"wav", "audio/wav", true, nil, []string{"audio/wav"}},
	{"ogg", "audio/ogg", true, nil, []string{"audio/ogg", "application/ogg"}},
	{"mp4", "video/mp4", true, nil, nil},
	{"mov", "video/quicktime", true, nil, []string{"video/quicktime"}}, // old files have no brands
	{"webm", "video/webm", true, nil, []string{"video/webm"}},
	{"pdf", "application/pdf", false, isPDF, []string{"application/pdf"}},
	plain, archive, docx, xlsx, pptx,

	// The kinds below are stored only for apps that list them.
	{"avif", "image/avif", true, nil, nil},
	{"bmp", "image/bmp", true, isBMP, []string{"image/bmp"}},
	{"flac", "audio/flac", true, nil, []string{"audio/flac"}},
	{"3gp", "video/3gpp", true, nil, nil},
	{"doc", "application/msword", false, nil, nil}, // compound.go recognizes these three
	{"xls", "application/vnd.ms-excel", false, nil, nil},
	{"ppt", "application/vnd.ms-powerpoint", false, nil, nil},
	{"mkv", "video/matroska", true, nil, []string{"video/matroska"}},
	{"avi", "video/x-msvideo", true, nil, []string{"video/x-msvideo"}},
	{"7z", "application/x-7z-compressed", false, nil, []string{"application/x-7z-compressed"}},
	{"rar", "application/vnd.rar", false, nil, []string{"application/x-rar-compressed", "application/vnd.rar"}},
}

// DefaultTypes are the extensions that an app allows unless it lists its own.
var DefaultTypes = []string{
	"png", "jpg", "gif", "webp", "heic",
	"mp3", "m4a", "aac", "amr", "wav", "ogg",
	"mp4", "mov", "webm",
	"pdf", "txt", "zip", "docx", "xlsx", "pptx",
}

// kindOf returns the kind with an extension, or nil.
func kindOf(ext string) *kind {
	for _, k := range kinds {
		if k.ext == ext {
			return k
		}
	}
	return nil
}

// allow refuses a kind whose extension is not in types; nil: DefaultTypes.
func allow(types []string, k *kind) error {
	if types == nil {
		types = DefaultTypes
	}
	if slices.Contains(types, k.ext) {
		return nil
	}
	return refused("type " + k.ext + " is not allowed by this app")
}

func refused(detail string) error {
	return &skein.Fault{Err: skein.ErrFileType, Field: "file", Detail: detail}
}
