package folder

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The folder of a dump. Lists are JSON Lines. A raw line is one object as LeanCloud answered it,
// without the white space between tokens. Numbers of any size, escapes such as \u0000 and unknown
// fields are unchanged. Nothing in a raw line is checked: data may be a string or an object,
// from-ip null, ack-at absent.
//
// If LeanCloud had no data for a list, the list may be missing.
const (
	// ManifestFile is written last: a folder without one is incomplete.
	ManifestFile = "manifest.json"

	// ConversationsFile has the raw rows of the class _Conversation, by objectId:
	// groups, private conversations, chat rooms (tr) and system conversations (sys).
	// A conversation that has messages but no row is not in it.
	ConversationsFile = "conversations.jsonl"

	// MemberInfosFile has a MemberInfo a line, by conversation, then by client.
	MemberInfosFile = "member_infos.jsonl"

	// UsersFile has the raw rows of the class _User, by objectId.
	UsersFile = "users.jsonl"

	// ClientsFile has a Client a line, by id: every client id that appears.
	ClientsFile = "clients.jsonl"

	// MessagesDir has one list of raw messages a conversation, see MessagesFile:
	// oldest first, by timestamp and then by the bytes of msg-id. Each msg-id appears once.
	// If a list was read again, it has the last answer for each message.
	MessagesDir = "messages"

	// SystemDir has the same for system conversations: SystemFile. The messages to all
	// clients are in one list: they have a conv-id for each client, the MD5 of
	// "CONVERSATION:CLIENT", and name the conversation in their field to. They are
	// ordered by timestamp, msg-id, conv-id.
	SystemDir = "system"

	// SubscribersFile has the raw rows {timestamp, subscriber, conv_id} of the
	// subscribers of all system conversations, by conv_id, then by subscriber.
	SubscribersFile = SystemDir + "/subscribers.jsonl"

	// InboundFile has the raw rows of the class _SysMessage, by objectId: the messages that
	// clients sent to system conversations.
	InboundFile = SystemDir + "/inbound.jsonl"

	// BroadcastsFile has a Broadcast a line: broadcasts that have not expired.
	BroadcastsFile = SystemDir + "/broadcasts.jsonl"

	// ProofFile has a Proof a line, by conversation.
	ProofFile = "proof.jsonl"

	// FilesFile has a File a line, by link; the content is below FilesDir.
	FilesFile = "files.jsonl"
	FilesDir  = "files"
)

// Names and numbers of the format.
const (
	Format  = "skein-leancloud-dump"
	Version = 1
)

// Manifest says what the folder contains.
type Manifest struct {
	Format  string `json:"format"`  // Format
	Version int    `json:"version"` // Version
	AppID   string `json:"app_id"`
	Server  string `json:"server"`
	Time    int64  `json:"time"` // when the run that wrote it began, Unix milliseconds

	// Complete: every request was answered. Otherwise Holes has what is missing, and also
	// what only looks wrong.
	Complete bool   `json:"complete"`
	Holes    []Hole `json:"holes,omitzero"`

	Lists    map[string]List `json:"lists"` // by file name; not the lists of messages
	Messages Messages        `json:"messages"`
	Files    Files           `json:"files"`
}

// List is the manifest's entry about a list.
type List struct {
	Lines  int64  `json:"lines"`
	SHA256 string `json:"sha256"` // of the whole list, in hexadecimal
}

// Messages are the totals of all lists of messages.
type Messages struct {
	Conversations int64 `json:"conversations"` // that have messages
	Count         int64 `json:"count"`
	Duplicates    int64 `json:"duplicates"` // msg-ids that appear more than once in a conversation, at different times
	Oldest        int64 `json:"oldest,omitzero"`
	Newest        int64 `json:"newest,omitzero"`
	WholeApp      bool  `json:"whole_app"` // the history of the app as a whole was read to its end
}

// Add adds the figures of one conversation.
func (m *Messages) Add(p Proof) {
	if p.Count == 0 {
		return
	}
	m.Conversations++
	m.Count += p.Count
	m.Duplicates += p.Duplicates
	m.Newest = max(m.Newest, p.Newest)
	if m.Oldest == 0 || p.Oldest < m.Oldest {
		m.Oldest = p.Oldest
	}
}

// Files counts the files that messages link to.
type Files struct {
	Asked bool  `json:"asked"` // the dump was asked to fetch them
	Kept  int64 `json:"kept"`
	Lost  int64 `json:"lost"` // see File.Error
	Bytes int64 `json:"bytes"`
}

// Hole is something that is, or may be, missing in the folder.
type Hole struct {
	Conv string `json:"conv_id,omitzero"` // empty: of the whole app
	What string `json:"what"`
	// Doubt: nothing failed, but two answers disagree.
	Doubt bool `json:"doubt,omitzero"`
}

// MemberInfo is one row of member-infos; the raw row need not name its conversation.
type MemberInfo struct {
	Conv string         `json:"conv_id"`
	Row  jsontext.Value `json:"row"` // {clientId, objectId, role: Owner, Manager or Member}
}

// Broadcast is one broadcast of a system conversation.
type Broadcast struct {
	Conv string         `json:"conv_id"`
	Row  jsontext.Value `json:"row"`
}

// Client is a client id and where it appears: "m", "mu", "c", "info", "from",
// "subscriber".
type Client struct {
	ID string   `json:"client_id"`
	In []string `json:"in"`
}

// Proof describes the messages of one conversation in the folder.
type Proof struct {
	Conv       string `json:"conv_id"`
	Kind       string `json:"kind"` // "conversation", "room", "system", or "unknown": it has no row
	Count      int64  `json:"count"`
	Oldest     int64  `json:"oldest,omitzero"`
	OldestID   string `json:"oldest_id,omitzero"`
	Newest     int64  `json:"newest,omitzero"`
	NewestID   string `json:"newest_id,omitzero"`
	SHA256     string `json:"sha256,omitzero"`     // of its list of messages, in hexadecimal
	Duplicates int64  `json:"duplicates,omitzero"` // as in Messages
	// Checked: the history of the conversation itself was read to its end, and if the
	// history of the whole app was read too, both have the same messages.
	Checked bool `json:"checked,omitzero"`
}

// File is one link, and its content or why it could not be downloaded.
type File struct {
	URL    string `json:"url"`             // as it appears
	ID     string `json:"id,omitzero"`     // objectId of its row in _File, if known
	Name   string `json:"name,omitzero"`   // the name that its sender gave it
	Path   string `json:"path,omitzero"`   // its content, below the folder; empty: there is none
	Size   int64  `json:"size,omitzero"`   // bytes
	SHA256 string `json:"sha256,omitzero"` // of the content, in hexadecimal
	From   string `json:"from,omitzero"`   // the address that answered, if it is not URL
	Error  string `json:"error,omitzero"`  // why there is no content
}

// Path returns the path of a file of the folder. name has slashes.
func Path(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

// MessagesFile is the list of messages of a conversation, below the folder, with slashes.
func MessagesFile(conv string) string {
	name := fileName(conv)
	return path.Join(MessagesDir, name[len(name)-2:], name+".jsonl")
}

// SystemFile is the list of messages of a system conversation, below the folder.
func SystemFile(conv string) string {
	name := fileName(conv)
	return path.Join(SystemDir, "messages", name+".jsonl")
}

// fileName is the id if that is a safe file name on every system, and its hash otherwise.
func fileName(id string) string {
	safe := len(id) >= 2 && len(id) <= 64
	for _, c := range id {
		safe = safe && strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyz", c)
	}
	if safe {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "x" + hex.EncodeToString(sum[:])
}

// Lines reads a list line by line. A list that does not exist has no lines. A line is valid until
// the next one.
func Lines(file string) iter.Seq2[jsontext.Value, error] {
	return func(yield func(jsontext.Value, error) bool) {
		f, err := os.Open(file) //nolint:gosec // below the operator's own directory
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = f.Close() }() // an error loses nothing
		in := bufio.NewReaderSize(f, 1<<16)
		var long []byte
		for n := 1; ; n++ {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) {
				long = append(long[:0], line...)
				var rest []byte
				rest, err = in.ReadBytes('\n')
				long = append(long, rest...)
				line = long
			}
			if errors.Is(err, io.EOF) && len(line) == 0 {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("%s: line %d: %w", file, n, NoEOF(err)))
				return
			}
			if !yield(jsontext.Value(line[:len(line)-1]), nil) {
				return
			}
		}
	}
}

// NoEOF turns io.EOF into io.ErrUnexpectedEOF, for a line or record that was cut off.
func NoEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
