// Package thumb makes thumbnails of images. It decides from the first bytes of an image what
// decoding costs, so that an image which claims to be huge takes no memory. It knows no file,
// cache or caller.
package thumb

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// Bounds of the images that are decoded.
const (
	MaxPixels = 40_000_000
	MaxSide   = 1<<16 - 1 // pixels
)

// Errors. ErrDamaged wraps what the decoder found.
var (
	ErrTooLarge = errors.New("the image has more than 40 megapixels, or needs too much memory")
	ErrDamaged  = errors.New("the image cannot be decoded")
)

// widths are the widths of thumbnails. There are few, so that few are made of each image.
var widths = []int{64, 160, 320, 640, 1280}

// Widths are the widths of thumbnails in pixels, ascending.
func Widths() []int { return slices.Clone(widths) }

// Bounds of the width that callers may ask for.
const (
	MinWidth = 64
	MaxWidth = 1280
)

// Round is the smallest width of a thumbnail that is at least w.
func Round(w int) int {
	at, _ := slices.BinarySearch(widths, w)
	return widths[min(at, len(widths)-1)]
}

// format is a format of images.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formats are the formats by the extension of uploads. Of an animated GIF the first frame counts.
var formats = map[string]format{
	"png":  {png.DecodeConfig, png.Decode},
	"jpg":  {jpeg.DecodeConfig, jpeg.Decode},
	"gif":  {gif.DecodeConfig, gif.Decode},
	"webp": {webp.DecodeConfig, webp.Decode},
	"bmp":  {bmp.DecodeConfig, bmp.Decode},
}

// Has reports whether there are thumbnails of files with an extension.
func Has(ext string) bool { _, ok := formats[ext]; return ok }

// headSize is how many bytes at the start of an image are looked at before it is decoded.
const headSize = 64 << 10

// Image is an image that was looked at and not decoded.
type Image struct {
	Width, Height int   // pixels, as stored
	Memory        int64 // bytes that decoding takes at most, about

	format  format
	jpeg    bool
	content io.Reader
	turned  orientation
}

// Look reads the start of an image with an extension that Has accepts. Errors: ErrTooLarge,
// ErrDamaged, those of content.
func Look(ext string, content io.Reader) (*Image, error) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	i := &Image{format: formats[ext], jpeg: ext == "jpg", turned: upright}
	var config image.Config
	// The markers before the size may be longer than head: then the rest is read too, and kept.
	rest := new(bytes.Buffer)
	if config, err = i.format.config(io.MultiReader(bytes.NewReader(head), io.TeeReader(io.LimitReader(content, maxMarkers), rest))); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	i.content = io.MultiReader(bytes.NewReader(head), rest, content)
	i.Width, i.Height = config.Width, config.Height
	if i.Width <= 0 || i.Height <= 0 {
		return nil, ErrDamaged
	}
	if max(i.Width, i.Height) > MaxSide || i.Width > MaxPixels/i.Height {
		return nil, ErrTooLarge
	}
	i.Memory = int64(i.Width) * int64(i.Height) * bytesAPixel(ext, config.ColorModel, slices.Concat(head, rest.Bytes()))
	if i.jpeg {
		i.turned = orientationOf(head)
	}
	return i, nil
}

// maxMarkers bounds what may come before the size of an image, beside the head: profiles and
// previews of cameras.
const maxMarkers = 4 << 20

// tallest is the height of a thumbnail, at most, by its width: screenshots of pages are very tall.
const tallest = 4

// Thumbnail decodes the image and returns it no wider than width, upright, as a JPEG, or as a PNG
// if it is transparent. It is never larger than the image. Errors: ErrDamaged, those of the content.
func (i *Image) Thumbnail(width int) (thumbnail []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // a fault of a decoder must not end the server
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	in := &counted{from: i.content, jpeg: i.jpeg}
	img, err := i.format.decode(in)
	if in.err != nil {
		return nil, in.err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if max(w, h) > MaxSide || min(w, h) == 0 {
		return nil, ErrDamaged
	}
	if i.turned.swaps() {
		w, h = h, w
	}
	ratio := min(1, float64(width)/float64(w), tallest*float64(width)/float64(h))
	small := i.turned.apply(shrink(img, ratio))
	var out bytes.Buffer
	if small.Opaque() {
		err = jpeg.Encode(&out, small, &jpeg.Options{Quality: 80})
	} else {
		err = png.Encode(&out, small)
	}
	return out.Bytes(), err
}

// ContentType is the type of a thumbnail.
func ContentType(thumbnail []byte) string {
	if bytes.HasPrefix(thumbnail, []byte("\x89PNG")) {
		return "image/png"
	}
	return "image/jpeg"
}

// maxScans bounds the scans of a JPEG. Each goes over the whole image, however few bytes it has;
// cameras and programs write about ten.
const maxScans = 100

// counted ends reading at the scan of a JPEG that is too many, and keeps the error of the content.
type counted struct {
	from  io.Reader
	jpeg  bool // content of other formats may look like scans
	last  byte
	scans int
	err   error
}

var errScans = fmt.Errorf("%w: too many scans", ErrDamaged)

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	for _, b := range p[:n] {
		if c.jpeg && c.last == 0xff && b == startOfScan {
			if c.scans++; c.scans > maxScans {
				return 0, errScans
			}
		}
		c.last = b
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}
