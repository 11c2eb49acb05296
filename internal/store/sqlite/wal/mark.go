package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// mark says how far the log is synced: it names the last frame of the newest commit. SQLite
// reads a log up to the first damaged frame and drops the rest silently. After a crash that is
// right, because the rest was never synced; after damage it loses commits. The mark
// distinguishes the two; see docs/decisions/0015.
//
// It is written after each commit and never synced, so it may be behind the log but is never
// ahead of it.
type mark struct {
	salt   [2]uint32 // of the log; it changes whenever the log restarts
	frames uint32
	page   uint32 // in the last frame
	sum    uint32 // of that page
	at     time.Time
}

const (
	// MarkSuffix follows the store's name in the name of the mark.
	MarkSuffix = "-mark"
	markMagic  = "SkeinMk1"
	markBytes  = len(markMagic) + 5*4 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m mark) encode() []byte {
	b := append(make([]byte, 0, markBytes), markMagic...)
	for _, v := range [...]uint32{m.salt[0], m.salt[1], m.frames, m.page, m.sum} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(m.at.UnixMilli()))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readMark reads the mark beside the store at path. ok is false if there is none or it is torn,
// which says nothing about the log.
func readMark(path string) (m mark, ok bool, err error) {
	b, err := os.ReadFile(path + MarkSuffix) //nolint:gosec // the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	body := markBytes - 4
	if len(b) != markBytes || string(b[:len(markMagic)]) != markMagic ||
		crc32.Checksum(b[:body], castagnoli) != binary.BigEndian.Uint32(b[body:]) {
		return m, false, nil
	}
	at := len(markMagic)
	for _, v := range [...]*uint32{&m.salt[0], &m.salt[1], &m.frames, &m.page, &m.sum} {
		*v = binary.BigEndian.Uint32(b[at:])
		at += 4
	}
	m.at = time.UnixMilli(int64(binary.BigEndian.Uint64(b[at:])))
	return m, true, nil
}

// RemoveMark removes the mark of the store at path, if there is one.
func RemoveMark(path string) error {
	if err := os.Remove(path + MarkSuffix); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// NewMarker returns a Marker for the store at path.
func NewMarker(path string, log *slog.Logger) *Marker { return &Marker{path: path, log: log} }

// Marker writes the mark. Owned by the writer's loop.
type Marker struct {
	path  string
	log   *slog.Logger
	file  *os.File // nil: none yet
	frame []byte   // scratch
	off   bool     // the mark cannot be written; logged once
}

// Set records that the log is synced up to that many frames.
func (m *Marker) Set(log io.ReaderAt, frames int, now time.Time) {
	if m.off || frames == 0 {
		return
	}
	if err := m.write(log, frames, now); err != nil {
		m.off = true
		m.log.Warn("store cannot mark how far its log is synced: a damaged log is noticed less surely", slog.Any("error", err))
	}
}

func (m *Marker) write(log io.ReaderAt, frames int, now time.Time) (err error) {
	if m.file == nil {
		if m.file, err = os.OpenFile(m.path+MarkSuffix, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return err
		}
	}
	if m.frame == nil {
		header := make([]byte, logHeaderBytes)
		if _, err := log.ReadAt(header, 0); err != nil {
			return err
		}
		m.frame = make([]byte, frameHeaderBytes+int(binary.BigEndian.Uint32(header[8:])))
	}
	if _, err := log.ReadAt(m.frame, logHeaderBytes+int64(frames-1)*int64(len(m.frame))); err != nil {
		return err
	}
	f := frame(m.frame)
	_, err = m.file.WriteAt(mark{
		salt: f.salt(), frames: uint32(frames), page: f.page(), sum: crc32.Checksum(f.content(), castagnoli), at: now,
	}.encode(), 0)
	return err
}

// Close closes the mark, and removes it if the log is gone.
func (m *Marker) Close() error {
	if m.file == nil {
		return nil
	}
	err := m.file.Close()
	if _, gone := os.Stat(m.path + "-wal"); errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, RemoveMark(m.path))
	}
	return err
}
