package thumb_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"runtime"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/files/thumb"
)

// pngChunk is a chunk of a PNG.
func pngChunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pngOf is a PNG with a header of its own and these further chunks.
func pngOf(w, h uint32, depth, colour, interlaced byte, chunks ...[]byte) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	header = append(header, depth, colour, 0, 0, interlaced)
	return bytes.Join(append([][]byte{[]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header)}, chunks...), nil)
}

// deflated is n zero bytes, compressed.
func deflated(t *testing.T, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// jpegFrame is the start of a JPEG up to its first scan: its size and, for each component, its
// sampling.
func jpegFrame(code byte, w, h uint16, sampling ...byte) []byte {
	frame := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(len(sampling))}
	for i, s := range sampling {
		frame = append(frame, byte(i+1), s, 0)
	}
	n := len(frame) + 2
	out := append([]byte{0xff, 0xd8, 0xff, code, byte(n >> 8), byte(n)}, frame...)
	return append(out, 0xff, 0xda, 0, 2)
}

// scans is a progressive JPEG of one block with a number of scans, each of which is valid.
func scans(n int) []byte {
	out := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	out = append(out, bytes.Repeat([]byte{1}, 64)...)
	frame := jpegFrame(0xc2, 8, 8, 0x11)
	out = append(out, frame[2:len(frame)-4]...)
	out = append(out, 0xff, 0xc4, 0, 20, 0, 1)
	out = append(out, make([]byte, 16)...) // one code, of one bit, for zero
	out = append(out, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0x01, 0x7f)
	for range n - 1 {
		out = append(out, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0x10, 0x7f)
	}
	return append(out, 0xff, 0xd9)
}

// webpOf is a WebP with these chunks.
func webpOf(chunks ...[]byte) []byte {
	data := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(data))), data...)
}

func webpChunk(kind string, data []byte) []byte {
	out := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))), data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// vp8x is the header of an extended WebP; lossless is a chunk of a lossless one.
func vp8x(w, h uint32) []byte {
	w, h = w-1, h-1
	return webpChunk("VP8X", []byte{0, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
}

func lossless(w, h uint32) []byte {
	return webpChunk("VP8L", append([]byte{0x2f}, binary.LittleEndian.AppendUint32(nil, w-1|(h-1)<<14)...))
}

// bmpOf is the header of a BMP.
func bmpOf(w, h uint32) []byte {
	out := append([]byte("BM"), make([]byte, 52)...)
	out[10], out[14], out[26], out[28] = 54, 40, 1, 24
	binary.LittleEndian.PutUint32(out[18:], w)
	binary.LittleEndian.PutUint32(out[22:], h)
	return out
}

func gifOf(w, h uint16, rest ...byte) []byte {
	out := append([]byte("GIF89a"), byte(w), byte(w>>8), byte(h), byte(h>>8), 0x80, 0, 0, 0, 0, 0, 255, 255, 255)
	return append(out, rest...)
}

// frames is an animation of n frames.
func frames(t *testing.T, n int) []byte {
	t.Helper()
	all := &gif.GIF{}
	one := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.Black, color.White})
	for range n {
		all.Image, all.Delay = append(all.Image, one), append(all.Delay, 1)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, all); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// room is the memory that the server gives to decoding by default.
const room = 320 << 20

// What is made to take memory or time is refused before it does, and what is broken is refused.
func TestBombsAreRefused(t *testing.T) {
	photo, drawing := encoded(t, "jpg", picture(64, 64)), encoded(t, "png", picture(64, 64))
	const tooLarge, damaged, fine = "too large", "damaged", "fine"
	for what, tt := range map[string]struct {
		ext  string
		data []byte
		want string
	}{
		"a PNG of 4 billion pixels":              {"png", pngOf(65535, 65535, 8, 6, 0), tooLarge},
		"a PNG just over 40 megapixels":          {"png", pngOf(8000, 5001, 8, 6, 0), tooLarge},
		"a PNG of one very long row":             {"png", pngOf(40_000_000, 1, 8, 6, 0), tooLarge},
		"a PNG whose passes take 640 MB":         {"png", pngOf(8000, 5000, 16, 6, 1), tooLarge},
		"a PNG of sides that overflow":           {"png", pngOf(1<<31-1, 1<<31-1, 8, 6, 0), damaged},
		"a PNG of no pixels":                     {"png", pngOf(0, 10, 8, 6, 0), damaged},
		"a PNG with 4 MB of zeros for one pixel": {"png", pngOf(1, 1, 8, 6, 0, pngChunk("IDAT", deflated(t, 4<<20)), pngChunk("IEND", nil)), damaged},
		"a PNG with 4 MB of zeros in a comment":  {"png", append(drawing[:33:33], append(pngChunk("zTXt", append([]byte("a\x00\x00"), deflated(t, 4<<20)...)), drawing[33:]...)...), fine},
		"a PNG that is cut":                      {"png", drawing[:len(drawing)/2], damaged},
		"a PNG with a wrong checksum":            {"png", append(drawing[:len(drawing)-20:len(drawing)-20], make([]byte, 20)...), damaged},
		"a JPEG of 4 billion pixels":             {"jpg", jpegFrame(0xc0, 65535, 65535, 0x22, 0x11, 0x11), tooLarge},
		"a progressive JPEG that takes 600 MB":   {"jpg", jpegFrame(0xc2, 8000, 5000, 0x11, 0x11, 0x11), tooLarge},
		"a JPEG that is cut":                     {"jpg", photo[:len(photo)-len(photo)/4], damaged},
		"a JPEG of 50 scans":                     {"jpg", scans(50), fine},
		"a JPEG of 20,000 scans":                 {"jpg", scans(20_000), damaged},
		"a JPEG whose sampling is none":          {"jpg", jpegFrame(0xc2, 100, 100, 0, 0, 0), damaged},
		"a JPEG of 5 MB of markers":              {"jpg", append([]byte{0xff, 0xd8}, bytes.Repeat(append([]byte{0xff, 0xe5, 0xff, 0xff}, make([]byte, 65533)...), 80)...), damaged},
		"a JPEG with two sizes":                  {"jpg", append(jpegFrame(0xc0, 8, 8, 0x11)[:17:17], jpegFrame(0xc0, 65535, 65535, 0x11)[2:]...), damaged},
		"a GIF of 4 billion pixels":              {"gif", gifOf(65535, 65535), tooLarge},
		"a GIF whose frame is larger than it":    {"gif", gifOf(8, 8, 0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 1, 0, 0, 0x3b), damaged},
		"a GIF without an image":                 {"gif", gifOf(8, 8, 0x3b), damaged},
		"a GIF of 100 frames":                    {"gif", frames(t, 100), fine},
		"a WebP of 280 trillion pixels":          {"webp", webpOf(vp8x(1<<24, 1<<24)), damaged},
		"a lossless WebP of 268 megapixels":      {"webp", webpOf(lossless(16384, 16384)), tooLarge},
		"a small WebP with a huge image in it":   {"webp", webpOf(vp8x(8, 8), lossless(16384, 16384)), damaged},
		"a WebP with nothing in it":              {"webp", webpOf(), damaged},
		"a BMP of 4 billion pixels":              {"bmp", bmpOf(65535, 65535), tooLarge},
		"a BMP of negative sides":                {"bmp", bmpOf(1<<31+5, 1<<31+5), damaged},
		"a BMP that is cut":                      {"bmp", bmpOf(100, 100), damaged},
		"a text":                                 {"png", []byte(strings.Repeat("<svg>", 100)), damaged},
		"nothing":                                {"jpg", nil, damaged},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		img, err := thumb.Look(tt.ext, bytes.NewReader(tt.data))
		if err == nil && img.Memory > room {
			err = thumb.ErrTooLarge
		}
		if err == nil {
			_, err = img.Thumbnail(64)
		}
		runtime.ReadMemStats(&after)
		got := fine
		switch {
		case errors.Is(err, thumb.ErrTooLarge):
			got = tooLarge
		case errors.Is(err, thumb.ErrDamaged):
			got = damaged
		case err != nil:
			got = err.Error()
		}
		if used := after.TotalAlloc - before.TotalAlloc; got != tt.want || used > 16<<20 {
			t.Errorf("%s: got %s (%v) and %d KiB used, want %s and 16 MiB at most", what, got, err, used>>10, tt.want)
		}
	}
}
