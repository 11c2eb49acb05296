package thumb

import (
	"image"
	"image/draw"
)

// shrink makes an image smaller; ratio is at most 1. Each pixel is the mean of the area that it
// covers. One row of the image at a time is converted, so that it takes little memory.
func shrink(in image.Image, ratio float64) *image.RGBA {
	b := in.Bounds()
	w, h := scaled(b.Dx(), ratio), scaled(b.Dy(), ratio)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	columns := spans(b.Dx(), w)
	sum, narrow := make([]float32, 4*w), make([]float32, 4*w)
	to := 0
	for y, s := range spans(b.Dy(), h) {
		draw.Draw(row, row.Rect, in, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
		narrowRow(narrow, row.Pix, columns)
		for i, v := range narrow {
			sum[i] += v * s.here
		}
		if !s.last {
			continue
		}
		store(out.Pix[to*out.Stride:], sum)
		to++
		for i, v := range narrow {
			sum[i] = v * s.next
		}
	}
	return out
}

func scaled(n int, ratio float64) int { return max(1, int(float64(n)*ratio+0.5)) }

// span says how a pixel of a row of n counts in a row of fewer pixels.
type span struct {
	to         int     // the pixel that it is in
	here, next float32 // its share in that pixel, and in the one that follows
	last       bool    // no later pixel is in that pixel
}

// spans are the spans of n pixels that become few.
func spans(n, few int) []span {
	all := make([]span, n)
	ratio := float64(few) / float64(n)
	for i := range all {
		from, end := float64(i)*ratio, float64(i+1)*ratio
		to := min(int(from), few-1)
		s := span{to: to, here: float32(end - from)}
		if edge := float64(to + 1); end >= edge || i == n-1 {
			s.last = true
			if to < few-1 {
				s.here, s.next = float32(edge-from), float32(max(0, end-edge))
			}
		}
		all[i] = s
	}
	return all
}

// narrowRow writes a row of pixels as the fewer pixels of spans.
func narrowRow(dst []float32, pix []uint8, columns []span) {
	clear(dst)
	for x, s := range columns {
		p := pix[4*x : 4*x+4 : 4*x+4]
		d := dst[4*s.to : 4*s.to+4 : 4*s.to+4]
		for c := range 4 {
			d[c] += float32(p[c]) * s.here
		}
		if s.next > 0 {
			d := dst[4*s.to+4 : 4*s.to+8 : 4*s.to+8]
			for c := range 4 {
				d[c] += float32(p[c]) * s.next
			}
		}
	}
}

func store(dst []uint8, sum []float32) {
	for i, v := range sum {
		dst[i] = uint8(min(v+0.5, 255))
	}
}
