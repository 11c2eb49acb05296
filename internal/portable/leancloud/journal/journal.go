package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// File has every answer of the current run, one a line, in the order of arrival. Lines are only
// appended, so a crash loses at most the last line, and the next run continues from the journal.
// At the end of a run the journal is merged into the lists of the folder and removed.
const File = "journal.jsonl"

// The steps of a run.
const (
	StepRun           = "run"
	StepConversations = "conversations"
	StepWalk          = "walk"    // the history of the whole app
	StepHistory       = "history" // of one conversation; key: its objectId
	StepInfos         = "infos"   // key: objectId; empty: of the class as a whole
	StepUsers         = "users"
	StepSubscribers   = "subscribers" // key: objectId of a system conversation
	StepTold          = "told"        // messages to one subscriber; key: objectId:client
	StepInbound       = "inbound"
	StepBroadcasts    = "broadcasts" // key: objectId of a system conversation
)

// Entry is a line of the journal: the rows of one answer, or that a step is done.
type Entry struct {
	Step  string           `json:"step"`
	Key   string           `json:"key,omitzero"`
	Done  bool             `json:"done,omitzero"`
	Down  bool             `json:"down,omitzero"`  // a page of history, newest first
	Aside bool             `json:"aside,omitzero"` // a page of history that no other page follows
	Rows  []jsontext.Value `json:"rows,omitzero"`
	Run   *Run             `json:"run,omitzero"` // of stepRun, the first line
}

// Run describes the current run, for one that continues it after a kill.
type Run struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	AppID   string `json:"app_id"`
	Server  string `json:"server"`
	Began   int64  `json:"began"`          // Unix milliseconds
	Since   int64  `json:"since,omitzero"` // an earlier run has everything older
}

// Journal is safe for concurrent use.
type Journal struct {
	mu     sync.Mutex // guards what follows
	file   *os.File
	broken error // the last write may be torn: nothing may follow it
}

// Open opens or creates the journal and calls was for each entry in it, oldest first. It cuts off
// an incomplete last line, which was being written when a run was killed.
func Open(dir string, was func(Entry) error) (*Journal, error) {
	path := filepath.Join(dir, File)
	whole, err := Replay(path, was)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // below the operator's own directory
	if err != nil {
		return nil, err
	}
	err = f.Truncate(whole)
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Journal{file: f}, nil
}

// Replay reads a journal and returns the length of its complete lines.
func Replay(path string, was func(Entry) error) (whole int64, err error) {
	f, err := os.Open(path) //nolint:gosec // below the operator's own directory
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // an error loses nothing
	in := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
		var e Entry
		if err := json.Unmarshal(line, &e, folder.Lenient); err != nil {
			if _, err := in.Peek(1); errors.Is(err, io.EOF) {
				return whole, nil // a power cut can leave a damaged last line
			}
			return 0, fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		if err := was(e); err != nil {
			return 0, err
		}
		whole += int64(len(line))
	}
}

// Add appends an entry. A kill of the process loses nothing that Add has written.
func (j *Journal) Add(e Entry) error {
	line, err := appendEntry(nil, e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	if _, err := j.file.Write(line); err != nil {
		j.broken = fmt.Errorf("write the journal: %w", err)
	}
	return j.broken
}

// appendEntry writes rows unchanged. json.Marshal would refuse some of them.
func appendEntry(line []byte, e Entry) ([]byte, error) {
	rows := e.Rows
	e.Rows = nil
	head, err := json.Marshal(e, folder.Lenient)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return append(append(line, head...), '\n'), nil
	}
	line = append(line, head[:len(head)-1]...)
	line = append(line, `,"rows":[`...)
	for i, raw := range rows {
		if i > 0 {
			line = append(line, ',')
		}
		if bytes.IndexByte(raw, '\n') >= 0 {
			return nil, errors.New("a row with a line break")
		}
		line = append(line, raw...)
	}
	return append(line, "]}\n"...), nil
}

// Failed reports that nothing more can be written.
func (j *Journal) Failed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken != nil
}

// Sync syncs the journal.
func (j *Journal) Sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Sync()
}

// Close ends the journal for this process.
func (j *Journal) Close() error { return j.file.Close() }
