package thumb

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how an image is stored, by the values of EXIF.
type orientation uint16

const (
	upright     orientation = 1
	transposed  orientation = 5 // from here on width and height are swapped
	lastOfThem  orientation = 8
	orientedTag             = 0x0112
)

func (o orientation) swaps() bool { return o >= transposed }

// orientationOf reads the EXIF of a JPEG; what cannot be read is upright.
func orientationOf(head []byte) orientation {
	for m := range markers(head) {
		if exif, ok := bytes.CutPrefix(m.data, []byte("Exif\x00\x00")); ok && m.code == app1 {
			return orientationIn(exif)
		}
	}
	return upright
}

// orientationIn reads the first directory of a TIFF.
func orientationIn(tiff []byte) orientation {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	const entry, value = 12, 8
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entry {
			return upright
		}
		if order.Uint16(entries) == orientedTag {
			if o := orientation(order.Uint16(entries[value:])); upright <= o && o <= lastOfThem {
				return o
			}
			return upright
		}
		entries = entries[entry:]
	}
	return upright
}

// apply turns a stored image upright.
func (o orientation) apply(in *image.RGBA) *image.RGBA {
	if o == upright {
		return in
	}
	w, h := in.Rect.Dx(), in.Rect.Dy()
	outW, outH := w, h
	if o.swaps() {
		outW, outH = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, outW, outH))
	for y := range outH {
		for x := range outW {
			fromX, fromY := o.source(x, y, w, h)
			copy(out.Pix[out.PixOffset(x, y):][:4], in.Pix[in.PixOffset(fromX, fromY):][:4])
		}
	}
	return out
}

// source is the pixel of an image of w × h that x, y of the upright one shows.
func (o orientation) source(x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	default:
		return x, y
	}
}
