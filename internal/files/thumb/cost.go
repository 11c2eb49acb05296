package thumb

import (
	"encoding/binary"
	"image/color"
)

// bytesAPixel is how much memory decoding takes for a pixel of an image with this start. The
// decoder of Go keeps the coefficients of a progressive JPEG, and the passes of an interlaced PNG,
// beside the image.
func bytesAPixel(ext string, model color.Model, head []byte) int64 {
	switch ext {
	case "jpg":
		return jpegCost(head)
	case "png":
		const interlace = 28 // offset of the byte in a PNG
		cost := modelCost(model)
		if len(head) > interlace && head[interlace] != 0 {
			cost *= 2
		}
		return cost
	case "webp":
		return 8 // a lossless one has its pixels and those before its transforms
	default:
		return modelCost(model)
	}
}

func modelCost(model color.Model) int64 {
	if _, ok := model.(color.Palette); ok {
		return 1
	}
	switch model {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	default:
		return 4
	}
}

// jpegCost is bytesAPixel of a JPEG. The coefficients of a progressive one take four bytes each.
func jpegCost(head []byte) int64 {
	const plain, coefficient = 1, 4
	for m := range markers(head) {
		if !m.isFrame() || len(m.data) < 6 {
			continue
		}
		const perComponent, sampling = 3, 7 // of the frame's header
		components := int64(m.data[5])
		samples := int64(0) // of four pixels, for all components
		var most int64 = 1
		for c := range components {
			if at := sampling + int(c)*perComponent; at < len(m.data) {
				most = max(most, int64(m.data[at]>>4)*int64(m.data[at]&15))
			}
		}
		for c := range components {
			if at := sampling + int(c)*perComponent; at < len(m.data) {
				samples += (4*int64(m.data[at]>>4)*int64(m.data[at]&15) + most - 1) / most
			}
		}
		cost := samples * plain
		if m.code == progressive {
			cost += samples * coefficient
		}
		if components == 4 { // CMYK and YCCK become an image of four bytes a pixel
			cost += 4 * 4
		}
		return (cost + 3) / 4
	}
	return 4 * (plain + coefficient)
}

// Markers of JPEG.
const (
	baseline    = 0xc0
	extended    = 0xc1
	progressive = 0xc2
	startOfScan = 0xda
	app1        = 0xe1
)

// marker is a segment of a JPEG.
type marker struct {
	code byte
	data []byte // without its length; cut at the end of the head
}

func (m marker) isFrame() bool {
	return m.code == baseline || m.code == extended || m.code == progressive
}

// markers are the segments before the first scan.
func markers(head []byte) func(yield func(marker) bool) {
	return func(yield func(marker) bool) {
		for at := 2; at+4 <= len(head) && head[at] == 0xff; {
			code := head[at+1]
			if code == 0xff { // a fill byte
				at++
				continue
			}
			length := int(binary.BigEndian.Uint16(head[at+2:]))
			if code == startOfScan || length < 2 {
				return
			}
			end := at + 2 + length
			if !yield(marker{code, head[at+4 : max(at+4, min(end, len(head)))]}) {
				return
			}
			at = end
		}
	}
}
