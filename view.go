package skein

// View is a conversation as one of its members sees it.
type View struct {
	Conversation
	Member Member
	// Peer is the other one of a private conversation; empty: it is none, or the other
	// one was deleted.
	Peer string

	// Mentions counts the messages after Member.Read that mention the member, by
	// name or with everyone; a recalled or deleted one mentions nobody.
	Mentions int64
	// Silent counts the messages after Member.Read that say nothing to the member: they
	// were recalled or erased, or it deleted them for itself.
	Silent int64
	// Last is the newest message, blank where the member deleted it for itself; nil:
	// there is none, or the member has cleared it.
	Last *Message
	// Floor is the seq up to which the member sees nothing, and Rights what it may do.
	// The use cases set them: they depend on the settings of the app.
	Floor  int64
	Rights Rights
}

// Rights are what a member may do in its conversation.
type Rights struct {
	Send, MentionAll, Pin       bool
	Add, Remove, SetRole, Leave bool // members
	EditInfo, Delete, MuteAll   bool // the conversation
}

// Unread counts the messages after what the member has read that say something to it.
// It is derived when it is asked for, never kept.
func (v View) Unread() int64 { return max(0, v.LastSeq-v.Member.Read()-v.Silent) }

// UnreadTotal sums up what a client has not read in its conversations.
type UnreadTotal struct {
	Unread        int64 // View.Unread of all
	Mentions      int64
	Conversations int // in which anything is unread, or that it marked as unread
}

// Receipt is up to where a client has read or received in a conversation.
type Receipt struct {
	Conv ID
	Seq  int64
}

// ViewQuery asks for the conversations of a client: those it pinned first, then by
// newest activity.
type ViewQuery struct {
	Archived bool // only those it archived; else only the others
	Offset   int
	Limit    int
	After    Cursor // start after this place instead of at Offset; zero: from the start
}

// ViewPage is one page of views.
type ViewPage struct {
	Views []View
	Total int    // of that kind, archived or not
	Next  Cursor // place after the last item; zero when nothing follows
}

// SyncCursor is a place in what happens to a client's conversations. Its meaning
// is the store's; callers only carry it back. Zero is the beginning.
type SyncCursor struct {
	Epoch int64 // of the store; another one: what the client knows may be of another history
	Since int64
	Upto  int64
	Key   int64
}

// IsZero reports whether the cursor is the beginning.
func (c SyncCursor) IsZero() bool { return c == SyncCursor{} }

// SyncPage is one page of what has changed for a client.
type SyncPage struct {
	Views []View // of which anything is different: messages, changes, members, positions, marks
	Gone  []ID   // conversations it is in no more
	Next  SyncCursor
	Done  bool // nothing follows now; Next is where to begin the next time
	// Reset: the cursor is of another history than the store's, which was restored
	// from a backup, say. The client drops what it has and begins anew; nothing
	// else is set but Next.Epoch.
	Reset bool
}

// Sighting is when a client was last online.
type Sighting struct {
	App, Client string
	At          Millis
}
