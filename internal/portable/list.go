package portable

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// encoding gives equal records equal bytes and does not change JSON inside a record.
var encoding = json.JoinOptions(json.Deterministic(true), jsontext.PreserveRawStrings(true))

// list writes one list. The same lines give the same bytes.
type list struct {
	file  *os.File
	buf   *bufio.Writer
	zip   *gzip.Writer
	sum   hash.Hash
	lines int64
}

func createList(dir, name string) (*list, error) {
	f, err := os.OpenFile(filepath.Join(dir, name+".jsonl.gz"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator's own
	if err != nil {
		return nil, err
	}
	l := &list{file: f, buf: bufio.NewWriterSize(f, 64<<10), sum: sha256.New()}
	l.zip, err = gzip.NewWriterLevel(l.buf, gzip.BestSpeed)
	return l, err
}

// Marshal returns the JSON of a record. Equal records give equal bytes.
func Marshal(record any) ([]byte, error) { return json.Marshal(record, encoding) }

// Encode returns the line of a record, with its end. It refuses a line longer than
// MaxLine.
func Encode(record any) ([]byte, error) {
	line, err := Marshal(record)
	if err != nil {
		return nil, err
	}
	if len(line) >= MaxLine {
		return nil, errLongLine
	}
	return append(line, '\n'), nil
}

var errLongLine = errors.New("is longer than 1 MiB")

// write adds a line.
func (l *list) write(line []byte) error {
	_, _ = l.sum.Write(line) // a hash never fails
	l.lines++
	_, err := l.zip.Write(line)
	return err
}

// close syncs the list to the disk and returns its line in the manifest.
func (l *list) close() (List, error) {
	err := errors.Join(l.zip.Close(), l.buf.Flush(), l.file.Sync(), l.file.Close())
	return List{Lines: l.lines, SHA256: hex.EncodeToString(l.sum.Sum(nil))}, err
}
