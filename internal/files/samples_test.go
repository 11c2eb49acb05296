package files

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"unicode/utf16"
)

// samples are the first bytes of real files of every kind, as the programs that
// people use write them.
func samples(t testing.TB) map[string][]sample {
	t.Helper()
	return map[string][]sample{
		"png":  {{"of image/png", encodedImage(t, func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) })}},
		"jpg":  {{"of image/jpeg", encodedImage(t, func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) })}},
		"gif":  {{"of image/gif", encodedImage(t, func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) })}},
		"webp": {{"lossless, one pixel", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")}},
		"heic": {
			{"of an iPhone", box("ftyp", "heic", "\x00\x00\x00\x00", "mif1", "heic")},
			{"with the general brand first", box("ftyp", "mif1", "\x00\x00\x00\x00", "mif1", "heic", "miaf")},
			{"of ten bits", box("ftyp", "heix", "\x00\x00\x00\x00", "mif1", "heix")},
			{"a sequence", box("ftyp", "hevc", "\x00\x00\x00\x00", "msf1", "hevc", "heic")},
		},
		"mp3": {
			{"with a tag", []byte("ID3\x04\x00\x00\x00\x00\x00\x23TSSE\x00\x00\x00\x0f\x00\x00\x03Lavf58.29.100\x00")},
			{"of bare frames", repeated("\xff\xfb\x90\x64\x00\x0f\xf0\x00\x00\x69\x00\x00\x00\x08", 417, 5)},
			{"after zero bytes", append(make([]byte, 64), repeated("\xff\xfb\x90\x64\x00\x0f\xf0\x00\x00\x69\x00\x00\x00\x08", 417, 8)...)},
		},
		"m4a": {{"of iOS", box("ftyp", "M4A ", "\x00\x00\x00\x00", "M4A ", "mp42", "isom")}, {"a book", box("ftyp", "M4B ", "\x00\x00\x02\x00", "M4A ", "mp42", "isom")}},
		"aac": {
			{"MPEG-4 without checksum", repeated("\xff\xf1\x50\x80\x02\x1f\xfc\xde\x02\x00", 16, 3)},
			{"MPEG-4 with checksum", repeated("\xff\xf0\x50\x80\x02\x1f\xfc\xde\x02\x00", 16, 3)},
			{"MPEG-2", repeated("\xff\xf9\x50\x80\x02\x1f\xfc\xde\x02\x00", 16, 3)},
			{"one frame", repeated("\xff\xf1\x50\x80\x02\x1f\xfc\xde\x02\x00", 16, 1)},
		},
		"amr": {
			{"narrow band", []byte("#!AMR\n\x3c\x91\x17\x16\xbe\x66\x78\x00\x00\x01\xe7\xaf\x00\x00\x00\x80")},
			{"wide band", []byte("#!AMR-WB\n\x44\x28\x0e\x1e\x42\x9f\x00\x00\x00\x00")},
		},
		"wav": {{"PCM", []byte("RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x08\x00\x00")}},
		"ogg": {
			{"Opus", oggPage("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")},
			{"Vorbis", oggPage("\x01vorbis\x00\x00\x00\x00\x01\x44\xac\x00\x00\x00\x00\x00\x00\x80\xb5\x01\x00\x00\x00\x00\x00\xb8\x01")},
		},
		"mp4": {
			{"of Android", box("ftyp", "mp42", "\x00\x00\x00\x00", "isom", "mp42")},
			{"of ffmpeg", box("ftyp", "isom", "\x00\x00\x02\x00", "isom", "iso2", "avc1", "mp41")},
			{"of a Sony camera", box("ftyp", "MSNV", "\x01\x20\x00\x00", "MSNV", "mp42", "isom")},
			{"in pieces for streaming", box("ftyp", "dash", "\x00\x00\x00\x00", "iso6", "avc1", "mp41")},
			{"of newer ffmpeg", box("ftyp", "iso5", "\x00\x00\x02\x00", "iso5", "iso6", "mp41")},
			{"of Sony's professional cameras", box("ftyp", "XAVC", "\x01\x00\x1f\xff", "XAVC", "mp42", "iso2")},
			{"with a brand of its own first", box("ftyp", "what", "\x00\x00\x00\x00", "what", "isom")},
			{"of iTunes", box("ftyp", "M4V ", "\x00\x00\x00\x01", "M4V ", "M4A ", "mp42", "isom")},
		},
		"mov": {
			{"of an iPhone", append(box("ftyp", "qt  ", "\x00\x00\x00\x00", "qt  "), "\x00\x00\x00\x08wide\x00\x00\x10\x00mdat"...)},
			{"of old cameras", append([]byte("\x00\x00\x00\x08wide"), "\x00\x00\x10\x00mdat\x00\x00"...)},
		},
		"webm": {{"of a browser", []byte("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02")}},
		"pdf": {
			{"plain", []byte("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")},
			{"with scripts in its forms", []byte("%PDF-1.7\n1 0 obj\n<</S/JavaScript/JS(<script>)>>\nendobj\n")},
			{"with a byte order mark", []byte("\xef\xbb\xbf%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")},
		},
		"txt": {
			{"one letter", []byte("a")},
			{"ASCII", []byte("dear diary,\r\n\tnothing happened.\n")},
			{"Chinese in UTF-8", []byte("今天天气不错，适合出门。")},
			{"Chinese in GBK", []byte("\xbd\xf1\xcc\xec\xcc\xec\xc6\xf8\xb2\xbb\xb4\xed\xa3\xac\xca\xca\xba\xcf\xb3\xf6\xc3\xc5\xa1\xa3\r\n")},
			{"UTF-8 with a byte order mark", []byte("\xef\xbb\xbf今天")},
			{"UTF-16 of Windows", utf16Text(binary.LittleEndian, "今天天气不错 hello\r\n")},
			{"UTF-16 big-endian", utf16Text(binary.BigEndian, "今天天气不错 hello\n")},
			{"JSON", []byte(`{"a": [1, 2, 3], "b": {"c": "d"}}`)},
			{"a table", []byte("name,age,city\nann,30,oslo\nbob,31,rome\ncid,32,bonn\n")},
			{"subtitles", []byte("1\n00:02:16,612 --> 00:02:19,376\nSenator, we're making\nour final approach.\n")},
			{"that mentions PDF", []byte("every such file begins with %PDF-1.4, says the standard")},
			{"that begins like a bitmap", []byte("BM25 is a ranking function used by search engines")},
			{"that loves", []byte("<3 you all")},
			{"with generics", []byte("List<Object> all = new ArrayList<>();")},
			{"with coloured lines", []byte("\x1b[32mok\x1b[0m  files 0.3s\n")},
			{"long", []byte(strings.Repeat("all work and no play makes jack a dull boy\n", 10_000))},
		},
		"zip": {
			{"with files", zipOf(t, "a.txt", "b/c.txt")},
			{"without files", zipOf(t)},
			{"with a folder called word", zipOf(t, "word/list.txt")},
			{"with the sources of a Java program", zipOf(t, "app/META-INF/MANIFEST.MF", "app/Main.java")},
		},
		"docx": {
			{"of Word", zipOf(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml", "docProps/core.xml")},
			{"with its list of types at the end, as Google writes it", zipOf(t, "word/document.xml", padding, "[Content_Types].xml")},
		},
		"xlsx": {{"of Excel", zipOf(t, "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml")}},
		"pptx": {
			{"of PowerPoint", zipOf(t, "[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml")},
			{"with its slides far away", zipOf(t, "[Content_Types].xml", padding, "ppt/presentation.xml")},
		},
		"avif": {
			{"of a browser", box("ftyp", "avif", "\x00\x00\x00\x00", "avif", "mif1", "miaf")},
			{"with the general brand first", box("ftyp", "mif1", "\x00\x00\x00\x00", "mif1", "avif", "miaf")},
		},
		"bmp":  {{"one pixel", []byte("BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x18\x00\x00\x00\x00\x00\x04\x00\x00\x00")}},
		"flac": {{"of ffmpeg", []byte("fLaC\x00\x00\x00\x22\x12\x00\x12\x00\x00\x00\x0e\x00\x00\x10")}},
		"3gp": {
			{"of Android", box("ftyp", "3gp4", "\x00\x00\x00\x00", "isom", "3gp4")},
			{"of a Japanese phone", box("ftyp", "3g2a", "\x00\x01\x00\x00", "3g2a")},
			{"for streaming", box("ftyp", "3gr6", "\x00\x00\x00\x00", "3gr6", "isom")},
		},
		"doc": {{"of Word", compoundOf(0, "Root Entry", "1Table", "\x05SummaryInformation", "Data", "WordDocument")}},
		"xls": {{"of Excel", compoundOf(0, "Root Entry", "Workbook")}, {"of Excel 5", compoundOf(0, "Root Entry", "Book")}},
		"ppt": {{"of PowerPoint, with its directory far away", compoundOf(3*sniffed/512, "Root Entry", "Pictures", "PowerPoint Document")}},
		"mkv": {{"of ffmpeg", []byte("\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x88matroska\x42\x87\x81\x04")}},
		"avi": {{"of a camera", []byte("RIFF\x00\x10\x00\x00AVI LIST\x7e\x00\x00\x00hdrlavih")}},
		"7z":  {{"of 7-Zip", []byte("7z\xbc\xaf\x27\x1c\x00\x04\x5b\x1c\x4e\x2a")}},
		"rar": {{"of WinRAR", []byte("Rar!\x1a\x07\x01\x00\x33\x92\xb5\xe5")}},
	}
}

type sample struct {
	what string
	data []byte
}

// padding stands in zipOf for more bytes than are looked at.
const padding = "docProps/thumbnail.bin"

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		method := zip.Deflate
		content := []byte("hello")
		if name == padding {
			method, content = zip.Store, make([]byte, 3*sniffed)
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		f.Write(content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodedImage(t testing.TB, encode func(*bytes.Buffer, image.Image) error) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// box is a box of an ISO media file, with something behind it.
func box(name string, parts ...string) []byte {
	content := strings.Join(parts, "")
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))
	return append(append(append(b, name...), content...), "\x00\x00\x00\x08free"...)
}

// compoundOf is a compound file whose directory stands in a sector and has entries.
func compoundOf(sector int, names ...string) []byte {
	b := make([]byte, 512*(sector+1)+128*len(names))
	copy(b, compoundFile)
	binary.LittleEndian.PutUint16(b[30:], 9)
	binary.LittleEndian.PutUint32(b[48:], uint32(sector))
	for i, name := range names {
		entry := b[512*(sector+1)+128*i:]
		for j, unit := range utf16.Encode([]rune(name + "\x00")) {
			binary.LittleEndian.PutUint16(entry[2*j:], unit)
		}
		binary.LittleEndian.PutUint16(entry[64:], uint16(2*len(name)+2))
	}
	return b
}

// repeated is count frames of size bytes that begin with head.
func repeated(head string, size, count int) []byte {
	frame := append([]byte(head), make([]byte, size-len(head))...)
	return bytes.Repeat(frame, count)
}

func oggPage(packet string) []byte {
	return append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x9a\x7d\x00\x00\x01\x13"), packet+strings.Repeat("\x00", 16)...)
}

func utf16Text(order binary.AppendByteOrder, text string) []byte {
	b := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}
