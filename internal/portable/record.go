// Package portable reads and writes an app as a folder of JSON Lines. Export writes it and import
// reads it, with any engine and any converter. docs/portable.md describes the folder for people
// who read or write one without this code.
//
// A record is one line and can be checked alone. Times are Unix milliseconds. Zero, an empty text
// and an absent field all mean that there is no value. conv_id and msg_id are 32 lower-case
// hexadecimal digits, as in the API. Unknown has the fields that this version does not know.
package portable

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Version of the format. A reader refuses a folder of a newer one.
const Version = 1

// Client is a line of clients.jsonl, in order of creation.
type Client struct {
	ID          string           `json:"client_id"`
	Ext         jsontext.Value   `json:"ext,omitzero"` // any JSON
	Created     int64            `json:"ctime"`
	Updated     int64            `json:"mtime,omitzero"`
	BannedUntil int64            `json:"banned_until,omitzero"` // 9007199254740991: for ever
	BanReason   string           `json:"ban_reason,omitzero"`
	Cut         int64            `json:"cut,omitzero"` // tokens issued at or before this time are refused
	DeviceCuts  map[string]int64 `json:"device_cuts,omitempty"`
	AddBy       string           `json:"add_by,omitzero"` // which clients may add it: anyone, known, nobody; absent: the app's setting
	Seen        int64            `json:"last_seen,omitzero"`
	Deleted     bool             `json:"deleted,omitzero"` // a deleted client: only its id and its cut are left

	Unknown jsontext.Value `json:",embed"`
}

// Conversation is a line of conversations.jsonl, in order of creation.
type Conversation struct {
	ID         skein.ID       `json:"conv_id"`
	Type       int            `json:"conv_type"` // 1 private, 2 temporary, 3 group, 4 chat room
	Creator    string         `json:"creator,omitzero"`
	Extend     jsontext.Value `json:"conv_extend,omitzero"` // any JSON
	MuteAll    bool           `json:"mute_all,omitzero"`
	LastSeq    int64          `json:"last_seq,omitzero"`    // seq of its newest message
	LastChange int64          `json:"last_change,omitzero"` // change_seq of its newest change
	Created    int64          `json:"ctime"`
	Updated    int64          `json:"mtime,omitzero"`
	Active     int64          `json:"active,omitzero"` // last message, update or creation; absent: derived from these
	TTL        int64          `json:"ttl,omitzero"`    // milliseconds; type 2 only
	Sanctions  []Sanction     `json:"sanctions,omitempty"`

	Unknown jsontext.Value `json:",embed"`
}

// Sanction is a ban or a mute of a client who is not a member.
type Sanction struct {
	Client      string `json:"client_id"`
	BannedUntil int64  `json:"banned_until,omitzero"` // until then it may not join by itself
	MutedUntil  int64  `json:"muted_until,omitzero"`

	Unknown jsontext.Value `json:",embed"` // must be empty
}

// Member is a line of members.jsonl, by conversation in the order of
// conversations.jsonl, then in order of joining.
type Member struct {
	Conv        skein.ID `json:"conv_id"`
	Client      string   `json:"client_id"`
	Role        string   `json:"role,omitzero"` // owner, admin; absent: member
	Nickname    string   `json:"nickname,omitzero"`
	Adder       string   `json:"added_by,omitzero"` // the client who added it; absent: the backend, or itself
	Joined      int64    `json:"join_time"`
	JoinSeq     int64    `json:"join_seq"` // seq of the first message after it joined, from 1
	MutedUntil  int64    `json:"mute_until,omitzero"`
	ReadSeq     int64    `json:"read_seq,omitzero"`
	ReceivedSeq int64    `json:"received_seq,omitzero"`
	SentSeq     int64    `json:"sent_seq,omitzero"`    // its own newest message
	ClearedSeq  int64    `json:"cleared_seq,omitzero"` // it cleared its history up to here
	Pinned      int64    `json:"pin,omitzero"`         // when it pinned the conversation
	Muted       bool     `json:"muted,omitzero"`       // no notifications
	Archived    bool     `json:"archived,omitzero"`
	UnreadMark  bool     `json:"unread_mark,omitzero"` // it marked the conversation as unread
	Draft       string   `json:"draft,omitzero"`

	Unknown jsontext.Value `json:",embed"`
}

// Message is a line of messages.jsonl, by conversation in the order of
// conversations.jsonl, then by seq: 1, 2, 3 … without gaps.
type Message struct {
	Conv        skein.ID       `json:"conv_id"`
	Seq         int64          `json:"seq"`
	ID          skein.ID       `json:"msg_id"`
	Sender      string         `json:"client_id"`
	ClientMsgID string         `json:"client_msg_id,omitzero"`
	Hash        []byte         `json:"content_hash,omitempty"` // of the first content, in base64; only with client_msg_id, and if the content has changed since
	Type        int            `json:"type"`
	Text        string         `json:"text,omitzero"`
	Attr        jsontext.Value `json:"attr,omitzero"` // any JSON
	URL         string         `json:"url,omitzero"`
	MentionAll  bool           `json:"mention_all,omitzero"`
	Mentions    []string       `json:"mention_client_ids,omitempty"`
	ReplyTo     skein.ID       `json:"reply_to,omitzero"`
	NoSync      bool           `json:"no_sync,omitzero"`
	ByServer    bool           `json:"by_server,omitzero"`  // the backend sent it in the client's name
	Former      bool           `json:"former,omitzero"`     // the sender was deleted, and another client has the client_id now
	Status      int            `json:"msg_status,omitzero"` // 2 deleted, 3 recalled: it keeps its seq and has no content; absent: normal
	Created     int64          `json:"ctime"`
	Updated     int64          `json:"mtime,omitzero"`
	Version     int            `json:"version,omitzero"`    // absent: 1, as sent
	Changed     int64          `json:"change_seq,omitzero"` // newest change that everyone sees
	Pinned      int64          `json:"pin,omitzero"`        // when it was pinned
	Reactions   []Reaction     `json:"reactions,omitempty"`
	Hidden      []string       `json:"hidden_for,omitempty"` // members who deleted it for themselves

	Unknown jsontext.Value `json:",embed"`
}

// Reaction is one emoji of one client.
type Reaction struct {
	Emoji  string `json:"emoji"`
	Client string `json:"client_id"`
	Change int64  `json:"change_seq"` // of the change that set it; reactions are in this order

	Unknown jsontext.Value `json:",embed"` // must be empty
}

// Change is a line of changes.jsonl, by conversation in the order of
// conversations.jsonl, then by change_seq: 1, 2, 3 … without gaps.
type Change struct {
	Conv   skein.ID `json:"conv_id"`
	Seq    int64    `json:"change_seq"`
	Kind   string   `json:"kind"`               // edit, recall, react, pin, delete
	MsgSeq int64    `json:"seq"`                // of the changed message
	By     string   `json:"client_id,omitzero"` // absent: the app's backend
	At     int64    `json:"time"`
	Emoji  string   `json:"emoji,omitzero"` // react
	On     bool     `json:"on,omitzero"`    // react, pin: set, not removed

	Unknown jsontext.Value `json:",embed"`
}

// File is a line of files.jsonl; its content is files/NAME.
type File struct {
	Name    string `json:"name"`               // the part of the link after /storage/uploads/
	Title   string `json:"title,omitzero"`     // the name that the uploader gave it
	Client  string `json:"client_id,omitzero"` // the uploader; absent: the backend
	Created int64  `json:"ctime"`
	Size    int64  `json:"size"`   // bytes
	SHA256  string `json:"sha256"` // of the content, in hexadecimal

	Unknown jsontext.Value `json:",embed"`
}

// End says that a conversation is complete. It is in no list of the folder.
type End struct {
	Conv       skein.ID `json:"conv_id"`
	LastSeq    int64    `json:"last_seq"`
	LastChange int64    `json:"last_change"`
	Abandon    bool     `json:"abandon,omitzero"` // some records were refused: remove the conversation again
}
