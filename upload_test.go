package skein_test

import (
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestUploadsOfABody(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 2)
	for name, tt := range map[string]struct{ url, attr, want string }{
		"a link":                    {"https://x/im/storage/uploads/" + hex + ".png", "", hex + ".png"},
		"a path":                    {"/storage/uploads/" + hex + ".mp4", "", hex + ".mp4"},
		"twice":                     {"/storage/uploads/" + hex + ".png", `"/storage/uploads/` + hex + `.png"`, hex + ".png"},
		"two in a row":              {"/storage/uploads/" + hex + ".a/storage/uploads/" + hex + ".b", "", hex + ".a " + hex + ".b"},
		"escaped":                   {"", `"\/storage\/uploads\/` + hex + `.png"`, hex + ".png"},
		"no extension":              {"/storage/uploads/" + hex + ".", "", ""},
		"no dot":                    {"/storage/uploads/" + hex + "png", "", ""},
		"a long extension":          {"/storage/uploads/" + hex + ".123456789", "", ""},
		"the longest extension":     {"/storage/uploads/" + hex + ".12345678?", "", hex + ".12345678"},
		"a digit short":             {"/storage/uploads/" + hex[1:] + ".png", "", ""},
		"upper case":                {"/storage/uploads/" + strings.ToUpper(hex) + ".png", "", ""},
		"cut":                       {"/storage/uploads/" + hex, "", ""},
		"nothing behind":            {"/storage/uploads/", `"uploads"`, ""},
		"in a folder of that name":  {"/uploads/" + hex + ".png", "", ""},
		"behind a name that is bad": {"/storage/uploads/x/storage/uploads/" + hex + ".png", "", hex + ".png"},
	} {
		got := strings.Join(skein.Body{URL: tt.url, Attr: []byte(tt.attr)}.Uploads(), " ")
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
