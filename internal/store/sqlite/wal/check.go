// Package wal knows SQLite's write-ahead log from outside: it marks how far the log is synced,
// and checks before the store is opened that every answered write can be read from the log.
package wal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"time"
)

// The format of the log: a header, then frames. A frame is a header and a page. See
// https://sqlite.org/fileformat2.html#the_write_ahead_log.
const (
	logHeaderBytes   = 32
	frameHeaderBytes = 24
	logMagic         = 0x377f0682 // if the lowest bit is set, checksums are of big-endian words
)

// frame is one frame of a log.
type frame []byte

func (f frame) page() uint32 { return binary.BigEndian.Uint32(f) }

// commits is the size of the database in pages if the frame ends a commit, else zero.
func (f frame) commits() uint32 { return binary.BigEndian.Uint32(f[4:]) }

func (f frame) salt() [2]uint32 { return twoWords(f[8:]) }
func (f frame) sum() [2]uint32  { return twoWords(f[16:]) }
func (f frame) content() []byte { return f[frameHeaderBytes:] }

// follows reports whether the frame is intact and was written after a frame with that checksum.
func (f frame) follows(sum [2]uint32, order binary.ByteOrder) bool {
	return logSum(logSum(sum, f[:8], order), f.content(), order) == f.sum()
}

func twoWords(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// logSum is SQLite's checksum of b, continued from s.
func logSum(s [2]uint32, b []byte, order binary.ByteOrder) [2]uint32 {
	for ; len(b) >= 8; b = b[8:] {
		s[0] += order.Uint32(b) + s[1]
		s[1] += order.Uint32(b[4:]) + s[0]
	}
	return s
}

// LossError says that the log beside a store lacks answered writes.
type LossError struct {
	Path   string
	Offset int64     // in the log: it cannot be read from here on
	Pages  int64     // committed pages that are lost, at least
	Last   time.Time // of the newest known commit; zero: not known
}

func (e *LossError) Error() string {
	until := ""
	if !e.Last.IsZero() {
		until = ", the newest of " + e.Last.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("the log of %s is damaged at byte %d: at least %d pages of writes that were answered cannot be read%s", e.Path, e.Offset, e.Pages, until)
}

// logCheck reads the log beside a store that no process has open.
type logCheck struct {
	path string
	file *os.File
	db   *os.File

	page  int64 // size in bytes
	order binary.ByteOrder
	salt  [2]uint32
	whole bool      // the header is intact
	sum   [2]uint32 // of the header
	buf   *bufio.Reader
	frame frame

	committed int64  // frames that SQLite would read
	size      uint32 // of the database after these frames, in pages
	beyond    map[uint32]bool
}

// Check returns a *LossError if the log lacks committed pages or has some that SQLite would not
// read. It changes nothing.
func Check(path string) (err error) {
	m, marked, err := readMark(path)
	if err != nil {
		return err
	}
	l := &logCheck{path: path, beyond: make(map[uint32]bool)}
	if l.db, err = os.Open(path); err != nil { //nolint:gosec // the operator's own
		return err
	}
	defer func() { err = errors.Join(err, l.db.Close()) }()
	l.file, err = os.Open(path + "-wal") //nolint:gosec // the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return l.without(m, marked)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.file.Close()) }()
	if err := l.readHeader(); err != nil {
		return err
	}
	if l.page == 0 {
		return l.without(m, marked)
	}
	if !l.whole {
		return l.headless(m, marked)
	}
	if err := l.walk(m); err != nil {
		return err
	}
	switch {
	case !marked:
		return nil
	case m.salt == l.salt:
		if l.committed < int64(m.frames) {
			return l.loss(int64(m.frames)-l.committed, m)
		}
		return nil
	case int32(l.salt[0]-m.salt[0]) > 0: // salts go round
		return nil // the log has restarted since, after all of it was moved into the file
	default:
		return l.without(m, marked)
	}
}

func (l *logCheck) loss(pages int64, m mark) error {
	e := &LossError{Path: l.path, Pages: pages, Last: m.at}
	if l.page > 0 && l.whole {
		e.Offset = logHeaderBytes + l.committed*(frameHeaderBytes+l.page)
	}
	return e
}

// without handles a log that is missing or is older than the mark. Nothing is lost if the
// marked page was moved into the file.
func (l *logCheck) without(m mark, marked bool) error {
	if !marked {
		return nil
	}
	page, err := l.pageSize()
	if err != nil {
		return err
	}
	content := make([]byte, page)
	_, err = l.db.ReadAt(content, int64(m.page-1)*page)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err == nil && crc32.Checksum(content, castagnoli) == m.sum {
		return nil
	}
	return l.loss(int64(m.frames), m)
}

// pageSize is the page size of the database.
func (l *logCheck) pageSize() (int64, error) {
	header := make([]byte, 18)
	if _, err := l.db.ReadAt(header, 0); err != nil {
		return 0, err
	}
	if size := int64(binary.BigEndian.Uint16(header[16:])); size > 1 {
		return size, nil
	}
	return 1 << 16, nil
}

// readHeader leaves page zero if no complete frame follows the header.
func (l *logCheck) readHeader() error {
	page, err := l.pageSize()
	if err != nil {
		return err
	}
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < logHeaderBytes+frameHeaderBytes+page {
		return nil
	}
	header := make([]byte, logHeaderBytes)
	if _, err := l.file.ReadAt(header, 0); err != nil {
		return err
	}
	l.page, l.frame = page, make(frame, frameHeaderBytes+page)
	l.order = binary.LittleEndian
	magic := binary.BigEndian.Uint32(header)
	if magic&1 == 1 {
		l.order = binary.BigEndian
	}
	l.salt, l.sum = twoWords(header[16:]), twoWords(header[24:])
	l.whole = magic&^1 == logMagic && logSum([2]uint32{}, header[:24], l.order) == l.sum &&
		int64(binary.BigEndian.Uint32(header[8:])) == page
	l.rewind(0)
	return nil
}

// rewind makes next return the frame after that many.
func (l *logCheck) rewind(frames int64) {
	from := logHeaderBytes + frames*int64(len(l.frame))
	l.buf = bufio.NewReaderSize(io.NewSectionReader(l.file, from, 1<<62), 1<<20)
}

// next reads the next frame. It returns false at the end of the log.
func (l *logCheck) next() (bool, error) {
	_, err := io.ReadFull(l.buf, l.frame)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return err == nil, err
}

// walk reads the frames as SQLite does, up to the first damaged one. Then it looks for proof
// that frames behind it were committed.
func (l *logCheck) walk(m mark) error {
	info, err := l.db.Stat()
	if err != nil {
		return err
	}
	pages := uint32(info.Size() / l.page)
	sum, read := l.sum, int64(0)
	var open []uint32 // pages past the end of the file in the commit being read
	for {
		more, err := l.next()
		if err != nil {
			return err
		}
		if !more || l.frame.salt() != l.salt || !l.frame.follows(sum, l.order) {
			break
		}
		sum = l.frame.sum()
		read++
		if l.frame.page() > pages {
			open = append(open, l.frame.page())
		}
		if size := l.frame.commits(); size > 0 {
			l.committed, l.size = read, size
			for _, page := range open {
				l.beyond[page] = true
			}
			open = open[:0]
		}
	}
	if err := l.fits(pages); err != nil {
		return err
	}
	l.rewind(read)
	lost, err := l.proven()
	if err == nil && lost > 0 {
		return l.loss(lost, m)
	}
	return err
}

// fits returns an error unless the log has each page past the end of the file.
func (l *logCheck) fits(pages uint32) error {
	const lockByte = 1 << 30 // the page with this byte is never written
	missing := 0
	for page := pages + 1; page <= l.size && missing == 0; page++ {
		if !l.beyond[page] && int64(page) != lockByte/l.page+1 {
			missing++
		}
	}
	if missing > 0 {
		return fmt.Errorf("%s is damaged: it was cut short, to %d of %d pages", l.path, pages, l.size)
	}
	return nil
}

// proven counts the frames behind a damaged one that were certainly committed. A commit is
// synced before the next one begins, so a commit that another frame follows had been synced.
// The last commit proves nothing: perhaps it was never synced. Frames left behind by a failed
// commit do not continue a commit.
func (l *logCheck) proven() (frames int64, err error) {
	var sum [2]uint32
	known, ended := false, false
	for seen := int64(1); ; seen++ {
		more, err := l.next()
		if err != nil || !more {
			return frames, err
		}
		if l.frame.salt() != l.salt {
			known, ended = false, false
			continue
		}
		whole := known && l.frame.follows(sum, l.order)
		if whole && ended {
			frames = seen - 1
		}
		ended = whole && l.frame.commits() > 0
		sum, known = l.frame.sum(), true
	}
}

// headless handles a log with a damaged header, of which SQLite reads nothing. A header may be
// torn without loss when the log restarts, after all of it was moved into the file.
func (l *logCheck) headless(m mark, marked bool) error {
	for _, order := range [...]binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		l.order = order
		l.rewind(0)
		lost, err := l.notMoved()
		if err != nil {
			return err
		}
		if lost > 0 {
			return l.loss(lost, m)
		}
	}
	return l.without(m, marked)
}

// notMoved counts the pages of the log's commits that the file does not have.
func (l *logCheck) notMoved() (pages int64, err error) {
	newest, err := l.newestPages()
	content := make([]byte, l.page)
	for page, sum := range newest {
		if _, e := l.db.ReadAt(content, int64(page-1)*l.page); e != nil && !errors.Is(e, io.EOF) {
			return 0, e
		} else if e != nil || crc32.Checksum(content, castagnoli) != sum {
			pages++
		}
	}
	return pages, err
}

// newestPages returns the checksums of the newest committed pages in a log with a damaged
// header, as far as its frames follow each other.
func (l *logCheck) newestPages() (map[uint32]uint32, error) {
	newest, open := make(map[uint32]uint32), make(map[uint32]uint32)
	var sum [2]uint32
	for read := 0; ; read++ {
		more, err := l.next()
		if err != nil {
			return nil, err
		}
		if read == 0 {
			l.salt = l.frame.salt()
		}
		if !more || l.frame.salt() != l.salt || read > 0 && !l.frame.follows(sum, l.order) {
			return newest, nil
		}
		sum = l.frame.sum()
		open[l.frame.page()] = crc32.Checksum(l.frame.content(), castagnoli)
		if l.frame.commits() > 0 && read > 0 { // the first frame has nothing to be checked against
			maps.Copy(newest, open)
			clear(open)
		}
	}
}
