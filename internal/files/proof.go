package files

import (
	"bytes"
	"encoding/binary"
)

func isPNG(head []byte) bool {
	return len(head) >= 16 && string(head[12:16]) == "IHDR"
}

// isBMP checks for four zero bytes at offset 6: a text may also begin with "BM".
func isBMP(head []byte) bool {
	return len(head) >= 26 && binary.LittleEndian.Uint32(head[6:]) == 0
}

// isPDF checks that the signature comes first. PDF readers also accept it later in the
// file, which would let a web page pass as a PDF.
func isPDF(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(head, "\r\n"), []byte("%PDF-"))
}

// isAMR checks the signature of RFC 4867, section 5, with its line feed: without it the
// file may be a script.
func isAMR(head []byte) bool {
	return bytes.HasPrefix(head, []byte("#!AMR\n")) || bytes.HasPrefix(head, []byte("#!AMR-WB\n"))
}

// isMP3 checks for an ID3 tag or a frame header of MPEG audio layer III (ISO 11172-3
// section 2.4.2.3). Some encoders write zero bytes before the first frame.
func isMP3(head []byte) bool {
	if bytes.HasPrefix(head, []byte("ID3")) {
		return true
	}
	head = bytes.TrimLeft(head, "\x00")
	if len(head) < 4 {
		return false
	}
	const layerIII, reserved = 1, 1
	var (
		sync    = head[0] == 0xff && head[1]&0xe0 == 0xe0
		version = head[1] >> 3 & 3
		layer   = head[1] >> 1 & 3
		bitrate = head[2] >> 4
		rate    = head[2] >> 2 & 3
	)
	return sync && version != reserved && layer == layerIII && bitrate != 0 && bitrate != 15 && rate != 3
}

// isADTS checks for a frame of raw AAC (ISO 13818-7 section 6.2) and, if head is long
// enough, for a second frame directly after it.
func isADTS(head []byte) bool {
	size := adtsFrame(head)
	if size == 0 {
		return false
	}
	if size+7 > len(head) {
		return size >= len(head) || head[size] == 0xff
	}
	return adtsFrame(head[size:]) > 0
}

// adtsFrame is the length in bytes of the frame at the start of b; zero: there is none.
func adtsFrame(b []byte) int {
	const header, rates = 7, 13
	if len(b) < header || b[0] != 0xff || b[1]&0xf6 != 0xf0 || b[2]>>2&0xf >= rates {
		return 0
	}
	size := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5]>>5)
	if size < header {
		return 0
	}
	return size
}
