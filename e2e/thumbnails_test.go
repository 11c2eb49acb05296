package e2e

import (
	"bytes"
	"image"
	"image/jpeg"
	"path"
	"strings"
	"testing"
)

// A link with ?w= gives a thumbnail, which goes with its image. internal/files/thumb tests what
// is refused.
func TestALinkWithAWidthGivesAThumbnailAsLongAsTheImageIsThere(t *testing.T) {
	t.Parallel()
	a := dev(t)
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 400, 200)), nil); err != nil {
		t.Fatal(err)
	}
	tom := a.user(t, "tom")
	conv := a.group(t, tom)
	var link, text string
	a.s.upload(t, a.server(), multipartFile{"file", "a.jpg", photo.Bytes()}).want(t, "upload", 0).into(t, &link)
	a.s.upload(t, a.server(), multipartFile{"file", "a.mp4", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")}).want(t, "upload", 0).into(t, &text)
	sent := a.must(t, "POST", convPath(conv, "message"), obj{"from_client": tom, "type": -2, "url": link}).text("msg_id")
	for range 2 { // the second one was kept
		res, body := fetch(t, link+"?w=300", nil)
		config, format, err := image.DecodeConfig(bytes.NewReader(body))
		if err != nil || res.StatusCode != 200 || format != "jpeg" || config.Width != 320 || config.Height != 160 || !strings.Contains(res.Header.Get("Cache-Control"), "max-age=31536000") {
			t.Errorf("GET %s?w=300: got %s, %s of %d × %d, %v, %v; want a JPEG of 320 × 160", link, res.Status, format, config.Width, config.Height, res.Header, err)
		}
	}
	for of, want := range map[string]string{link + "?w=5000": "4406", text + "?w=64": "4601"} {
		if res, body := fetch(t, of, nil); !strings.Contains(string(body), `"code":`+want) {
			t.Errorf("GET %s: got %s %s, want %s", of, res.Status, body, want)
		}
	}
	a.must(t, "POST", convPath(conv, "message", sent, "recall"), obj{"client_id": tom})
	if res, _ := fetch(t, link+"?w=300", nil); res.StatusCode != 404 {
		t.Errorf("after the recall: got %s, want 404", res.Status)
	}
	eventually(t, "the thumbnail is removed with its image", func() bool {
		left, err := filesUnder(a.s.Data+"/uploads", path.Base(link))
		return err == nil && len(left) == 0
	})
}
