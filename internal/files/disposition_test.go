package files

import (
	"mime"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestFilesAreSavedUnderTheNameThatTheirUploaderGave(t *testing.T) {
	for given, tt := range map[string]struct{ ext, kind, want string }{
		"":                                 {"png", "", ""},
		"cat.png":                          {"png", "inline", "cat.png"},
		"CAT.PNG":                          {"png", "inline", "CAT.PNG"},
		"a b;c\"d.png":                     {"png", "inline", "a b;c\"d.png"},
		"报告 2026.pdf":                      {"pdf", "attachment", "报告 2026.pdf"},
		"photo.jpeg":                       {"jpg", "inline", "photo.jpeg"},
		"table.csv":                        {"txt", "attachment", "table.csv"},
		"page.html":                        {"txt", "attachment", "page.html.txt"},
		"setup.exe":                        {"zip", "attachment", "setup.exe.zip"},
		"no extension":                     {"mp3", "inline", "no extension.mp3"},
		".bashrc":                          {"txt", "attachment", ".bashrc.txt"},
		"/etc/passwd.txt":                  {"txt", "attachment", "passwd.txt"},
		`C:\docs\cv.docx`:                  {"docx", "attachment", "cv.docx"},
		"../..":                            {"png", "", ""},
		"x\r\nSet-Cookie: a=b\r\n\r\n.png": {"png", "inline", "xSet-Cookie: a=b.png"},
		"nul\x00.png":                      {"png", "inline", "nul.png"},
		"gpj\u202Egnp.png":                 {"png", "inline", "gpjgnp.png"},
		"bad \xff utf.png":                 {"png", "inline", "bad \uFFFD utf.png"},
		strings.Repeat("长", 200) + ".png":  {"png", "inline", strings.Repeat("长", 83) + ".png"},
		" . ":                              {"pdf", "attachment", ""},
	} {
		header := kindOf(tt.ext).disposition(skein.FileTitle(given))
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: the header %q is not of printable ASCII", given, header)
		}
		kind, params, err := mime.ParseMediaType(header)
		if header == "" {
			kind, err = "", nil
		}
		if err != nil || kind != tt.kind || params["filename"] != tt.want {
			t.Errorf("%q: got %q, which says %q %q (%v), want %q %q", given, header, kind, params["filename"], err, tt.kind, tt.want)
		}
	}
}
