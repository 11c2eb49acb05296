package portable

import (
	"regexp"

	"github.com/skein-im/skein"
)

// The folder has app.json, manifest.json, files/ and one list for each kind of record. A list is
// NAME.jsonl.gz (gzip, RFC 1952), or NAME.jsonl, which is easier to write for people and other
// programs.
const (
	ManifestFile  = "manifest.json"
	AppFile       = "app.json"
	Clients       = "clients"
	Conversations = "conversations"
	Members       = "members"
	Messages      = "messages"
	Changes       = "changes"
	Files         = "files" // the list, and the folder of the files' content
)

// Format is what Manifest.Format says.
const Format = "skein-portable"

// MaxLine bounds a line, in bytes.
const MaxLine = 1 << 20

// maxDepth is how deep the JSON of a line may nest, as in the API.
const maxDepth = 32

// lists are the names of all lists, in the order in which they are read.
var lists = []string{Clients, Conversations, Members, Messages, Changes, Files}

// Manifest says what the folder contains. It is written last, so a folder without a manifest is
// incomplete.
type Manifest struct {
	Format   string          `json:"format"`  // "skein-portable"
	Version  int             `json:"version"` // see Version
	Source   string          `json:"source"`  // the program and the source, such as "skein 0.4.0" or "LeanCloud IM"
	AppID    string          `json:"app_id"`
	ClientID string          `json:"client_id,omitzero"` // set: the folder has the data of this client only
	Time     int64           `json:"time"`               // the time of the data, Unix milliseconds
	Lists    map[string]List `json:"lists"`              // by name of the list
	App      string          `json:"app_sha256"`         // of app.json, in hexadecimal
	Bytes    int64           `json:"file_bytes"`         // of all of files/
}

// List is the manifest's entry about a list.
type List struct {
	Lines  int64  `json:"lines"`
	SHA256 string `json:"sha256"` // of the uncompressed lines, in hexadecimal
}

// namePattern matches every allowed file name. None of them leads out of the folder.
var namePattern = regexp.MustCompile(`^[0-9a-f]{32}\.[0-9a-z]{2,4}$`)

// maxTime is the greatest time, 9007199254740991. It means that there is no end.
const maxTime = int64(skein.Forever)
