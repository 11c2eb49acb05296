package files

import "encoding/binary"

// kindsByBrand are the brands of ISO media files, ISO 14496-12 section 4.3, as
// registered at mp4ra.org, with the extension of each. The general brands mif1 and msf1
// are not listed: the brands after them name the codec.
var kindsByBrand = map[string]string{
	"isom": "mp4", "iso2": "mp4", "iso3": "mp4", "iso4": "mp4", "iso5": "mp4", "iso6": "mp4", "iso7": "mp4", "iso8": "mp4", "iso9": "mp4",
	"isoa": "mp4", "isob": "mp4", "isoc": "mp4",
	"mp41": "mp4", "mp42": "mp4", "mp71": "mp4", "avc1": "mp4", "hvc1": "mp4", "hev1": "mp4", "av01": "mp4",
	"MSNV": "mp4", "NDSC": "mp4", "NDSH": "mp4", "NDSM": "mp4", "NDSP": "mp4", "NDSS": "mp4", "NDXC": "mp4", "NDXH": "mp4", "NDXM": "mp4", "NDXP": "mp4", "NDXS": "mp4",
	"dash": "mp4", "msdh": "mp4", "cmfc": "mp4", "cmf2": "mp4", "XAVC": "mp4", "mmp4": "mp4", "F4V ": "mp4", "f4v ": "mp4",
	"M4V ": "mp4", "M4VH": "mp4", "M4VP": "mp4", "CAEP": "mp4", "caqv": "mp4",
	"M4A ": "m4a", "M4B ": "m4a", "M4P ": "m4a", "F4A ": "m4a", "F4B ": "m4a",
	"qt  ": "mov",
	"3gp1": "3gp", "3gp2": "3gp", "3gp3": "3gp", "3gp4": "3gp", "3gp5": "3gp", "3gp6": "3gp", "3gp7": "3gp", "3gp8": "3gp", "3gp9": "3gp",
	"3ge6": "3gp", "3ge7": "3gp", "3ge9": "3gp", "3gf9": "3gp", "3gg6": "3gp", "3gg9": "3gp", "3gh9": "3gp", "3gm9": "3gp", "3gr6": "3gp", "3gr9": "3gp",
	"3gs6": "3gp", "3gs9": "3gp", "3gt9": "3gp", "3g2a": "3gp", "3g2b": "3gp", "3g2c": "3gp", "KDDI": "3gp",
	"heic": "heic", "heix": "heic", "heim": "heic", "heis": "heic", "hevc": "heic", "hevx": "heic", "hevm": "heic", "hevs": "heic",
	"avif": "avif", "avis": "avif",
}

// brandKind is the kind of an ISO media file, by its first known brand; nil if no brand is
// known or it is no such file. Canon's raw format "crx " is no kind, although it also
// lists general brands.
func brandKind(head []byte) *kind {
	list := brands(head)
	for i := 0; i+4 <= len(list); i += 4 {
		brand := string(list[i : i+4])
		if brand == "crx " {
			return nil
		}
		if ext, known := kindsByBrand[brand]; known && i != 4 {
			return kindOf(ext)
		}
	}
	return nil
}

// brands returns the four-byte brands of an ISO media file: the major brand, then four
// bytes of version, then the compatible brands. It is nil for other files.
func brands(head []byte) []byte {
	const header, most = 8, 1 << 10
	if len(head) < header+4 || string(head[4:8]) != "ftyp" {
		return nil
	}
	size := binary.BigEndian.Uint32(head)
	if size < header+4 || size > most {
		return nil
	}
	return head[header:min(int(size), len(head))]
}
