package thumb_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/skein-im/skein/internal/files/thumb"
)

// picture is red on the left, and blue in its lower right quarter.
func picture(w, h int) *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.NRGBA{G: 255, A: 255}
				if y >= h/2 {
					c = color.NRGBA{B: 255, A: 255}
				}
			}
			p.SetNRGBA(x, y, c)
		}
	}
	return p
}

func encoded(t *testing.T, ext string, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch ext {
	case "png":
		err = png.Encode(&out, img)
	case "jpg":
		err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 95})
	case "gif":
		err = gif.Encode(&out, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func small(t *testing.T, ext string, data []byte, width int) image.Image {
	t.Helper()
	img, err := thumb.Look(ext, bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: look: %v", ext, err)
	}
	made, err := img.Thumbnail(width)
	if err != nil {
		t.Fatalf("%s: thumbnail: %v", ext, err)
	}
	out, format, err := image.Decode(bytes.NewReader(made))
	if err != nil || "image/"+format != thumb.ContentType(made) {
		t.Fatalf("%s: the thumbnail is %s, said to be %s: %v", ext, format, thumb.ContentType(made), err)
	}
	return out
}

// is reports which of red, green and blue a pixel mostly is.
func is(c color.Color) string {
	r, g, b, _ := c.RGBA()
	switch max(r, g, b) {
	case r:
		return "red"
	case g:
		return "green"
	default:
		return "blue"
	}
}

// corners are the colours of the corners: upper left, upper right, lower left, lower right.
func corners(img image.Image) (all [4]string) {
	b := img.Bounds()
	for i, p := range []image.Point{{b.Min.X + 1, b.Min.Y + 1}, {b.Max.X - 2, b.Min.Y + 1}, {b.Min.X + 1, b.Max.Y - 2}, {b.Max.X - 2, b.Max.Y - 2}} {
		all[i] = is(img.At(p.X, p.Y))
	}
	return all
}

func TestAThumbnailShowsItsImageAtTheWidthAskedForAndNeverLarger(t *testing.T) {
	want := [4]string{"red", "green", "red", "blue"}
	for _, ext := range []string{"png", "jpg", "gif"} {
		data := encoded(t, ext, picture(200, 100))
		for width, size := range map[int]image.Point{64: {64, 32}, 160: {160, 80}, 320: {200, 100}} {
			got := small(t, ext, data, width)
			if got.Bounds().Size() != size || corners(got) != want {
				t.Errorf("%s, %d wide: got %v %v, want %v %v", ext, width, got.Bounds().Size(), corners(got), size, want)
			}
		}
	}
	if got := small(t, "png", encoded(t, "png", picture(100, 2000)), 64).Bounds().Size(); got != (image.Point{13, 256}) {
		t.Errorf("a tall image: got %v, want 13 × 256", got)
	}
	glass := image.NewNRGBA(image.Rect(0, 0, 100, 100))
	glass.SetNRGBA(50, 50, color.NRGBA{R: 255, A: 128})
	if _, _, _, a := small(t, "png", encoded(t, "png", glass), 64).At(0, 0).RGBA(); a != 0 {
		t.Errorf("a transparent image: got alpha %d, want 0", a)
	}
}

func TestEachPixelIsTheMeanOfWhatItCovers(t *testing.T) {
	lines := image.NewGray(image.Rect(0, 0, 128, 128))
	for i := range lines.Pix {
		lines.Pix[i] = uint8(i % 2 * 255)
	}
	got := small(t, "png", encoded(t, "png", lines), 64)
	for _, p := range []image.Point{{0, 0}, {31, 17}, {63, 63}} {
		if r, _, _, _ := got.At(p.X, p.Y).RGBA(); r>>8 < 126 || r>>8 > 130 {
			t.Errorf("at %v: got %d, want about 128", p, r>>8)
		}
	}
}

// exif is an APP1 segment with this content of a TIFF.
func exif(tiff []byte) []byte {
	data := append([]byte("Exif\x00\x00"), tiff...)
	return append([]byte{0xff, 0xe1, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data...)
}

// withExif puts a segment behind the first marker of a JPEG.
func withExif(data, segment []byte) []byte {
	return append(append(append([]byte{}, data[:2]...), segment...), data[2:]...)
}

func oriented(o byte) []byte {
	return []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, o, 0, 0, 0, 0, 0, 0}
}

func TestAThumbnailIsUprightHoweverTheCameraWasHeld(t *testing.T) {
	upright := picture(200, 100)
	data := encoded(t, "jpg", upright)
	// Seen upright, the stored image is mirrored or turned as the value of EXIF says.
	for o, want := range map[byte][4]string{
		1: {"red", "green", "red", "blue"},
		2: {"green", "red", "blue", "red"},
		3: {"blue", "red", "green", "red"},
		4: {"red", "blue", "red", "green"},
		5: {"red", "red", "green", "blue"},
		6: {"red", "red", "blue", "green"},
		7: {"blue", "green", "red", "red"},
		8: {"green", "blue", "red", "red"},
	} {
		got := small(t, "jpg", withExif(data, exif(oriented(o))), 64)
		size := image.Point{64, 32}
		if o >= 5 {
			size = image.Point{64, 128}
		}
		if got.Bounds().Size() != size || corners(got) != want {
			t.Errorf("orientation %d: got %v %v, want %v %v", o, got.Bounds().Size(), corners(got), size, want)
		}
	}
	far := oriented(6)
	far[4], far[5], far[6], far[7] = 0xff, 0xff, 0xff, 0xff
	many := oriented(6)
	many[8], many[9], many[10] = 0xff, 0xff, 0x77
	for what, tiff := range map[string][]byte{
		"nothing": {}, "four bytes": []byte("MM\x00*"), "a directory far away": far, "more entries than bytes": many,
		"an unknown value": oriented(9), "zero": oriented(0), "the other byte order": append([]byte("II"), oriented(6)[2:]...),
	} {
		if got := small(t, "jpg", withExif(data, exif(tiff)), 64); corners(got) != [4]string{"red", "green", "red", "blue"} {
			t.Errorf("EXIF with %s: got %v, want it upright", what, corners(got))
		}
	}
	if got := thumb.Round(65); got != 160 {
		t.Errorf("65 rounded up: got %d, want 160", got)
	}
}

// BenchmarkThumbnail is a photo of 12 megapixels; a slow decoder shows beside the shrinking.
func BenchmarkThumbnail(b *testing.B) {
	for name, img := range map[string]image.Image{"12 MP": picture(4000, 3000), "1 MP": picture(1200, 900)} {
		var data bytes.Buffer
		if err := jpeg.Encode(&data, img, nil); err != nil {
			b.Fatal(err)
		}
		b.Run(name+" JPEG", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i, err := thumb.Look("jpg", bytes.NewReader(data.Bytes()))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := i.Thumbnail(320); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" JPEG, decoded only", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jpeg.Decode(bytes.NewReader(data.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
