package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// tell is the extension that a whole file gets; empty: refused.
func tell(data []byte) (string, error) {
	k, err := sniff(data[:min(len(data), sniffed)])
	if err == nil && k == archive {
		k, err = archiveKind(data[:min(len(data), sniffed)], data[max(0, len(data)-sniffed):])
	}
	if err == nil && k == compound {
		k, err = compoundKind(bytes.NewReader(data))
	}
	if err != nil {
		return "", err
	}
	return k.ext, nil
}

func TestEveryKindIsToldByItsContent(t *testing.T) {
	all := samples(t)
	for _, k := range kinds {
		if len(all[k.ext]) == 0 {
			t.Errorf("%s has no sample", k.ext)
		}
		for _, s := range all[k.ext] {
			if got, err := tell(s.data); got != k.ext {
				t.Errorf("%s %s: got %q, %v (begins %q)", k.ext, s.what, got, err, s.data[:min(len(s.data), 24)])
			}
		}
	}
}

func TestAFileOnThisMachineGetsTheExtensionThatSaveWouldGiveIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	extension := func(data []byte) (string, error) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return Extension(path)
	}
	for ext, list := range samples(t) {
		for _, s := range list {
			if got, err := extension(s.data); got != ext {
				t.Errorf("%s %s: got %q, %v", ext, s.what, got, err)
			}
		}
	}
	for what, data := range refusals {
		if got, err := extension(data); !errors.Is(err, skein.ErrFileType) {
			t.Errorf("%s: got %q, %v", what, got, err)
		}
	}
	if got, err := extension(nil); !errors.Is(err, skein.ErrMalformed) {
		t.Errorf("nothing: got %q, %v", got, err)
	}
}

func TestTheDefaultTypesAreTheDocumentedOnes(t *testing.T) {
	const documented = "png jpg gif webp heic mp3 m4a aac amr wav ogg mp4 mov webm pdf txt zip docx xlsx pptx"
	if got := strings.Join(DefaultTypes, " "); got != documented {
		t.Errorf("got %s, want %s", got, documented)
	}
	for _, ext := range DefaultTypes {
		if kindOf(ext) == nil {
			t.Errorf("%s is no kind", ext)
		}
	}
}

var refusals = map[string][]byte{
	"a page":                             []byte("<!DOCTYPE html><html><body>hi</body></html>"),
	"a page after blank lines":           []byte("\n\n  \t<HTML><body>hi"),
	"a page behind a byte order mark":    []byte("\xef\xbb\xbf<html>"),
	"a page in UTF-16":                   utf16Text(binary.LittleEndian, "<html><script>alert(1)</script>"),
	"a page after a comment":             []byte("<!-- innocent --><script>alert(1)</script>"),
	"a tag that HTML does not know":      []byte("<foo onclick=alert(1)>"),
	"a closing tag":                      []byte("</p><script>"),
	"a text with a script":               []byte("dear all,\n\nplease read\n<ScRiPt src=//evil.example></script>"),
	"a text with a script, further down": []byte(strings.Repeat("x ", 2000) + "<script>"),
	"a text with a script in UTF-16":     utf16Text(binary.BigEndian, "dear all <script>alert(1)</script>"),
	"a text with an SVG":                 []byte("hello <svg onload=alert(1)>"),
	"an SVG":                             []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
	"an SVG with its declaration":        []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`),
	"XML":                                []byte(`<?xml version="1.0"?><note/>`),
	"a feed":                             []byte(`<rss version="2.0"><channel/></rss>`),
	"PHP":                                []byte("<?php system($_GET['c']);"),
	"a text with PHP":                    []byte("GIF89 <?php system($_GET['c']);"),
	"a shell script":                     []byte("#!/bin/sh\nrm -rf /\n"),
	"a script that claims to be AMR":     []byte("#!AMR/../../bin/sh\n"),
	"a Python script":                    []byte("#!/usr/bin/env python3\nprint(1)\n"),
	"PostScript":                         []byte("%!PS-Adobe-3.0\n%%Title: x\n"),
	"rich text":                          []byte(`{\rtf1\ansi hello}`),
	"a page that claims to be a PDF":     []byte("<html><!-- %PDF-1.4 --><script>alert(1)</script>"),
	"a page with music behind it":        append([]byte("<script>alert(1)</script>"), repeated("\xff\xfb\x90\x64\x00\x0f\xf0", 417, 8)...),
	"a Windows program":                  append([]byte("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"), make([]byte, 256)...),
	"a Linux program":                    append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00"), make([]byte, 64)...),
	"a Mac program":                      append([]byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01\x03\x00\x00\x00\x02\x00\x00\x00"), make([]byte, 64)...),
	"WebAssembly":                        []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60"),
	"a Java class":                       []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34\x00\x1d"),
	"Flash":                              []byte("CWS\x0a\x00\x01\x00\x00x\x9c"),
	"two bytes of an AAC header":         append([]byte("\xff\xf1"), bytes.Repeat([]byte{0xff}, 64)...),
	"bytes":                              []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08"),
	"a text with a zero byte":            []byte("hello\x00world"),
	"a byte order mark before bytes":     []byte("\xff\xfe\x01\x00\x02\x00\x03\x00"),
	"a byte order mark alone":            []byte("\xff\xfe"),
	"a box of brands that never ends":    []byte("\x00\xff\xff\xffftypisom\x00\x00\x00\x00isom"),
}

func TestWhatCouldRunIsRefused(t *testing.T) {
	every := map[string][]byte{
		"a Java archive":           zipOf(t, "META-INF/MANIFEST.MF", "Main.class"),
		"an Android app":           zipOf(t, "AndroidManifest.xml", "classes.dex", "resources.arsc"),
		"an iOS app":               zipOf(t, "Payload/Game.app/Info.plist"),
		"an app behind a picture":  zipOf(t, padding, "classes.dex"),
		"a document with macros":   zipOf(t, "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
		"a camera's raw picture":   box("ftyp", "crx ", "\x00\x00\x00\x01", "crx ", "isom"),
		"an installer":             compoundOf(0, "Root Entry", "\u4840\u3b3f"),
		"a compound file cut off":  compoundOf(0, "Root Entry", "WordDocument")[:300],
		"a photo of another codec": box("ftyp", "mif1", "\x00\x00\x00\x00", "mif1", "vvic"),
	}
	maps.Copy(every, refusals)
	for name, data := range every {
		got, err := tell(data)
		var fault *skein.Fault
		if !errors.Is(err, skein.ErrFileType) || !errors.As(err, &fault) || fault.Field != "file" {
			t.Errorf("%s: got %q, %v; want a skein.ErrFileType about file (begins %q)", name, got, err, data[:min(len(data), 24)])
		}
	}
}

// FuzzSniff holds, for any bytes, that what is kept as text has neither a zero byte
// nor a script near its beginning, that a page stays a page whatever follows, and
// that the extension is one that Handler serves.
func FuzzSniff(f *testing.F) {
	for _, list := range samples(f) {
		for _, s := range list {
			if len(s.data) < 4<<10 {
				f.Add(s.data)
			}
		}
	}
	for _, data := range refusals {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ext, err := tell(data)
		if again, _ := tell(slices.Clone(data)); again != ext {
			t.Fatalf("told as %q, then as %q", ext, again)
		}
		if err != nil && !errors.Is(err, skein.ErrFileType) {
			t.Fatalf("error of another kind: %v", err)
		}
		if err == nil && !namePattern.MatchString(strings.Repeat("0", 32)+"."+ext) {
			t.Fatalf("%q is never served", ext)
		}
		if ext == "txt" && !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
			near := bytes.ToLower(data[:min(len(data), 1024)])
			if bytes.ContainsAny(near, "\x00\x7f") || bytes.Contains(near, []byte("<script")) {
				t.Fatalf("kept as text: %q", near)
			}
		}
		if got, err := tell(append([]byte("<html>"), data...)); err == nil {
			t.Fatalf("a page was taken for %s", got)
		}
	})
}
