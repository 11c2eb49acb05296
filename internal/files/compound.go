package files

import (
	"encoding/binary"
	"io"
	"unicode/utf16"
)

// compoundFile is the signature of a compound file (MS-CFB section 2.2): the container of
// Office documents until 2007.
var compoundFile = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

// compoundKind tells the kind of an old Office document by the streams in its directory.
// It does not search for macros: these types are off by default, and the server serves
// them as downloads. Errors: skein.ErrFileType, skein.ErrUnavailable if the disk fails.
func compoundKind(file io.ReaderAt) (*kind, error) {
	const (
		shiftAt, directoryAt = 30, 48
		entrySize, lengthAt  = 128, 64
		most                 = 1 << 16 // bytes of the directory that are read
	)
	var header [512]byte
	if _, err := file.ReadAt(header[:], 0); err != nil {
		return nil, refused("damaged compound file")
	}
	shift := binary.LittleEndian.Uint16(header[shiftAt:])
	if shift != 9 && shift != 12 {
		return nil, refused("damaged compound file")
	}
	directory := make([]byte, most)
	first := int64(binary.LittleEndian.Uint32(header[directoryAt:]))
	n, err := file.ReadAt(directory, (first+1)<<shift)
	if err != nil && err != io.EOF {
		return nil, fault("read an upload", err)
	}
	for entry := directory[:n]; len(entry) >= entrySize; entry = entry[entrySize:] {
		length := int(binary.LittleEndian.Uint16(entry[lengthAt:]))
		if length < 2 || length > lengthAt {
			continue
		}
		units := make([]uint16, length/2-1) // without the final zero
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(entry[2*i:])
		}
		switch string(utf16.Decode(units)) {
		case "WordDocument":
			return kindOf("doc"), nil
		case "Workbook", "Book":
			return kindOf("xls"), nil
		case "PowerPoint Document":
			return kindOf("ppt"), nil
		}
	}
	return nil, refused("compound file without an Office document")
}
