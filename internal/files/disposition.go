package files

import (
	"mime"
	"path"
	"slices"
	"strings"
)

// alike lists the other extensions that files of a kind may have. No computer runs a file
// because of one of them.
var alike = map[string][]string{
	"jpg": {"jpeg", "jpe", "jfif"}, "png": {"apng"}, "heic": {"heif"}, "ogg": {"oga", "opus"}, "m4a": {"m4b"},
	"mp4": {"m4v"}, "mov": {"qt"}, "zip": {"epub", "odt", "ods", "odp", "kmz", "vsdx"},
	"txt": {"csv", "tsv", "log", "md", "json", "yaml", "yml", "ini", "srt", "vtt", "ics", "vcf", "tex"},
}

// disposition is the header Content-Disposition: whether a browser shows the file inline,
// and under which name it saves it. If the extension of the title does not belong to the
// kind, disposition appends one that does, so that a text is never saved as a program.
func (k *kind) disposition(title string) string {
	kind := "attachment"
	if k.inline {
		kind = "inline"
	}
	if title == "" {
		if k.inline {
			return ""
		}
		return kind
	}
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(title), "."))
	if ext != k.ext && !slices.Contains(alike[k.ext], ext) {
		title += "." + k.ext
	}
	return mime.FormatMediaType(kind, map[string]string{"filename": title})
}
