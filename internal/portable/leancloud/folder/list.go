package folder

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// listWriter writes a list to another name, and renames it when it is complete.
type listWriter struct {
	path string
	file *os.File
	out  *bufio.Writer
	hash hash.Hash
	n    int64
}

// WriteList begins a list at path. It appears there when End is called.
func WriteList(path string) (*listWriter, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // below the operator's own directory
	if err != nil {
		return nil, err
	}
	return &listWriter{path: path, file: f, out: bufio.NewWriterSize(f, 1<<15), hash: sha256.New()}, nil
}

func (w *listWriter) Line(line []byte) error {
	w.n++
	_, _ = w.hash.Write(line)         // never fails
	_, _ = w.hash.Write([]byte{'\n'}) // never fails
	_, err := w.out.Write(line)
	if err != nil {
		return err
	}
	return w.out.WriteByte('\n')
}

// Value writes a record as a line. Raw rows in it are not changed.
func (w *listWriter) Value(v any) error {
	line, err := json.Marshal(v, Lenient, jsontext.PreserveRawStrings(true))
	if err != nil {
		return err
	}
	return w.Line(line)
}

// End completes the list. It does not sync: there may be a million lists, and the caller syncs the
// file system once.
func (w *listWriter) End() (List, error) {
	if err := errors.Join(w.out.Flush(), w.file.Close()); err != nil {
		return List{}, err
	}
	return List{Lines: w.n, SHA256: hex.EncodeToString(w.hash.Sum(nil))}, os.Rename(w.path+".part", w.path)
}

// Drop removes an incomplete list.
func (w *listWriter) Drop() {
	_ = w.file.Close()
	_ = os.Remove(w.path + ".part")
}

// TextLines are the lines of a text file; the last may lack its line break. A line is only valid
// until the next one.
func TextLines(file string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(file) //nolint:gosec // named by the operator
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = f.Close() }() // an error loses nothing
		in := bufio.NewReaderSize(f, 1<<16)
		for {
			line, err := in.ReadBytes('\n')
			if len(line) > 0 && !yield(bytes.TrimSuffix(line, []byte{'\n'}), nil) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// ReplaceFile replaces a small file in one step, so that a kill leaves the old or the new content.
func ReplaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // below the operator's own directory
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
