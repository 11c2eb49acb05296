package leancloud

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
)

// journalFile has every answer of the run under way, one a line, in the order they came.
// It is only appended to, so whatever ends the process costs at most its last line, and
// a run goes on from what the journal says. At the end of a run it is folded into the
// lists of the folder and removed. dailyFile and lockFile lie beside it.
const (
	journalFile = "journal.jsonl"
	dailyFile   = "requests-today.json"
)

// The steps of a run.
const (
	stepRun           = "run"
	stepConversations = "conversations"
	stepWalk          = "walk"    // the history of the whole app
	stepHistory       = "history" // of one conversation; key: its objectId
	stepInfos         = "infos"   // key: objectId; empty: of the class as a whole
	stepUsers         = "users"
	stepSubscribers   = "subscribers" // key: objectId of a system conversation
	stepTold          = "told"        // messages to one subscriber; key: objectId:client
	stepInbound       = "inbound"
	stepBroadcasts    = "broadcasts" // key: objectId of a system conversation
)

// entry is a line of the journal: the rows of one answer, or that a step is done.
type entry struct {
	Step  string           `json:"step"`
	Key   string           `json:"key,omitzero"`
	Done  bool             `json:"done,omitzero"`
	Down  bool             `json:"down,omitzero"`  // a page of history, newest first
	Aside bool             `json:"aside,omitzero"` // a page of history that no other follows
	Rows  []jsontext.Value `json:"rows,omitzero"`
	Run   *run             `json:"run,omitzero"` // of stepRun, the first line
}

// run is what a run has to know after a kill.
type run struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	AppID   string `json:"app_id"`
	Server  string `json:"server"`
	Began   int64  `json:"began"`          // Unix milliseconds
	Since   int64  `json:"since,omitzero"` // the run before has all that is older
}

// journal is safe for concurrent use.
type journal struct {
	mu     sync.Mutex // guards what follows
	file   *os.File
	broken error // what was written last may be torn: nothing may follow it
}

// openJournal opens or makes the journal and calls was for each entry in it, oldest
// first. What is behind the last whole line was being written when a run was killed, and
// is cut off.
func openJournal(dir string, was func(entry) error) (*journal, error) {
	path := filepath.Join(dir, journalFile)
	whole, err := replay(path, was)
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
	return &journal{file: f}, nil
}

// replay reads a journal and returns the length of its whole lines.
func replay(path string, was func(entry) error) (whole int64, err error) {
	f, err := os.Open(path) //nolint:gosec // below the operator's own directory
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closing(f)
	in := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
		var e entry
		if err := json.Unmarshal(line, &e, lenient); err != nil {
			if _, err := in.Peek(1); errors.Is(err, io.EOF) {
				return whole, nil // a power cut can leave a last line that is not what was written
			}
			return 0, fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		if err := was(e); err != nil {
			return 0, err
		}
		whole += int64(len(line))
	}
}

// add appends an entry. A kill of the process loses nothing that add has written.
func (j *journal) add(e entry) error {
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

// appendEntry writes rows as they are, which json.Marshal would refuse for some.
func appendEntry(line []byte, e entry) ([]byte, error) {
	rows := e.Rows
	e.Rows = nil
	head, err := json.Marshal(e, lenient)
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

// failed says that nothing more can be written.
func (j *journal) failed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken != nil
}

func (j *journal) sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Sync()
}

// Close ends the journal for this process.
func (j *journal) Close() error { return j.file.Close() }

// replaceFile writes a small file so that there is always a whole one.
func replaceFile(path string, content []byte) error {
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

// closing closes a file that was read. An error of Close loses nothing then.
func closing(c io.Closer) { _ = c.Close() }
