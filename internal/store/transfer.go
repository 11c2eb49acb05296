package store

import (
	"context"

	"github.com/skein-im/skein"
)

// Transfer exports an app record by record and imports one, with ids, times, order,
// seqs and positions kept. Package portable writes and reads the records as files.
type Transfer interface {
	// Export passes sink all records of an app as they are at one moment, and returns
	// that moment: the app, the clients, then each conversation with its members, messages
	// and changes, and last the files. It leaves out unknown conversations, and messages of
	// a client whose erasure is under way. Its memory is bounded. Writes go on meanwhile;
	// the engine may have to keep the rows they replace until the export ends. Files that
	// are removed during the export may be missing.
	//
	// With a client it exports that client's data: the client, its memberships with their
	// conversations and the messages it may see there, its messages elsewhere, its own
	// changes and the files it uploaded. Seqs then have gaps. Errors: ErrUnknownApp,
	// ErrUnknownClient, those of sink.
	Export(ctx context.Context, app, client string, sink Sink) (at skein.Millis, err error)
	// Import stores some records in one transaction and returns a result for each, in
	// their order. A record whose id exists already is returned as Have, and nothing
	// changes. Nobody is notified: the commit hook is not called and the feed passes
	// imported messages over; Sync shows them.
	//
	// A conversation is unknown to every other method until its End, so that it appears at
	// once. Its members, messages by seq and changes by change_seq come between the two, in
	// one call or many. Purge removes a conversation that has had no End for a week. Into a
	// conversation that is known already an import may add members, and messages and
	// changes behind its last ones. Errors: ErrUnknownApp.
	Import(ctx context.Context, app string, records []any) ([]Imported, error)
}

// Imported is the result of one record. Both fields are unset if it was stored.
type Imported struct {
	Have any   // the record with the same id, as Export returns it; nothing was changed
	Err  error // a *skein.Fault: why it was refused; nothing was changed
}

// Sink receives the records of an Export. It must not keep what they point to.
type Sink interface {
	// Begin comes first, with about how many messages will come.
	Begin(app AppRecord, messages int64) error
	// Record takes a *ClientRecord, *ConversationRecord, *MemberRecord, *MessageRecord,
	// *ChangeRecord or *UploadRecord.
	Record(record any) error
}

// The records. Unknown is a JSON object of fields that only others know; nil: none.
type (
	// AppRecord is an app; Import takes its Unknown alone.
	AppRecord struct {
		skein.App

		Unknown []byte
	}
	// ClientRecord is a client, also what is left of a deleted one.
	ClientRecord struct {
		skein.Client

		Unknown []byte
	}
	// ConversationRecord is a conversation without what follows it.
	ConversationRecord struct {
		skein.Conversation

		Sanctions []Sanction
		Unknown   []byte
	}
	// Sanction is what is in force against a client who is not a member.
	Sanction struct {
		Client                  string
		BannedUntil, MutedUntil skein.Millis
	}
	// MemberRecord is a member of a conversation.
	MemberRecord struct {
		skein.Member

		Conv    skein.ID
		Adder   string // the client who added it; empty: the backend, or itself
		Unknown []byte
	}
	// MessageRecord is a message. Its Body.Mentions and so on are as stored, its
	// Reactions unset: Reacted has them all.
	MessageRecord struct {
		skein.Message

		Hash     []byte // of what was first sent; nil: of the content as it is, or no ClientMsgID
		ByServer bool   // the backend sent it
		Former   bool   // a former holder of the sender's id said it
		Reacted  []ReactionRecord
		Hidden   []string // who deleted it for itself
		Unknown  []byte
	}
	// ReactionRecord is one emoji of one client, set by a change.
	ReactionRecord struct {
		Emoji, Client string
		Change        int64
	}
	// ChangeRecord is a line of the log of changes.
	ChangeRecord struct {
		Conv    skein.ID
		Seq     int64 // change_seq
		Kind    skein.ChangeKind
		Message int64 // seq
		By      string
		At      skein.Millis
		Emoji   string
		On      bool
		Unknown []byte
	}
	// UploadRecord is a file.
	UploadRecord struct {
		skein.Upload

		Unknown []byte
	}
	// End says that all of a conversation has come. LastSeq and Changes must be the
	// seqs of its last message and change. With Abandon the conversation is removed
	// again, unless it was known before.
	End struct {
		Conv             skein.ID
		LastSeq, Changes int64
		Abandon          bool
	}
)
