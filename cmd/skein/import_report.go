package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/portable/importer"
)

// importReport is the file of --report; without one it prints the first refusals.
type importReport struct {
	file   *os.File
	buf    *bufio.Writer
	shown  int
	silent int
}

// maxShown is how many refusals are printed where there is no file for them.
const maxShown = 20

func (c *importCmd) openReport() (*importReport, error) {
	if c.Report == "" {
		return &importReport{}, nil
	}
	f, err := os.OpenFile(c.Report, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, datadir.PrivateFile)
	if err != nil {
		return nil, err
	}
	return &importReport{file: f, buf: bufio.NewWriter(f)}, nil
}

func (r *importReport) add(e importer.Entry) error {
	if r.file != nil {
		return r.write(e)
	}
	if r.shown++; r.shown > maxShown {
		r.silent++
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s: line %d: refused: %s\n", e.List, e.Line, e.Reason)
	return nil
}

func (r *importReport) sum(s importer.Summary) error {
	if r.file == nil {
		return nil
	}
	return r.write(s)
}

func (r *importReport) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = r.buf.Write(append(line, '\n'))
	return err
}

func (r *importReport) close() error {
	if r.silent > 0 {
		fmt.Fprintf(os.Stderr, "and %d more; --report FILE has them all\n", r.silent)
	}
	if r.file == nil {
		return nil
	}
	return errors.Join(r.buf.Flush(), r.file.Sync(), r.file.Close())
}
