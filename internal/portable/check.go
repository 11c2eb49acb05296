package portable

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Checks of a single record. They return a *skein.Fault that names the field, or nil. They allow
// the relaxed alphabet in client ids; import applies the app's own.

func (c *Client) fault() error {
	var f faults
	f.client("client_id", c.ID)
	f.keptJSON("ext", c.Ext, skein.MaxExtend)
	f.text("ban_reason", c.BanReason)
	_, known := addBys[c.AddBy]
	f.when(!known, "add_by", "must be anyone, known or nobody, or absent")
	f.unknown(c.Unknown)
	f.moment("ctime", c.Created)
	f.moments(moments{{"mtime", c.Updated}, {"banned_until", c.BannedUntil}, {"cut", c.Cut}, {"last_seen", c.Seen}})
	f.when(len(c.DeviceCuts) > skein.MaxDeviceCuts, "device_cuts", "at most 100")
	for _, cut := range c.DeviceCuts {
		f.moments(moments{{"device_cuts", cut}})
	}
	return f.first
}

func (c *Conversation) fault() error {
	var f faults
	f.when(c.ID.IsZero(), "conv_id", "missing")
	f.when(!skein.ConvType(c.Type).Valid() || c.Type > int(skein.Room), "conv_type", "must be 1, 2, 3 or 4")
	if c.Creator != "" {
		f.client("creator", c.Creator)
	}
	f.keptJSON("conv_extend", c.Extend, skein.MaxExtend)
	f.when(c.LastSeq < 0 || c.LastSeq > maxTime, "last_seq", "out of range")
	f.when(c.LastChange < 0 || c.LastChange > maxTime, "last_change", "out of range")
	f.moment("ctime", c.Created)
	f.moments(moments{{"mtime", c.Updated}, {"active", c.Active}, {"ttl", c.TTL}})
	temporary := skein.ConvType(c.Type) == skein.Temporary
	f.when(temporary != (c.TTL > 0), "ttl", "milliseconds, with conv_type 2 alone")
	f.when(c.TTL > skein.MaxTTL.Milliseconds(), "ttl", "at most a year")
	f.unknown(c.Unknown)
	var sanctioned []string
	for _, one := range c.Sanctions {
		sanctioned = append(sanctioned, one.Client)
	}
	f.when(!ascending(sanctioned), "sanctions", "must be in order of client_id, each once")
	for _, s := range c.Sanctions {
		f.client("sanctions.client_id", s.Client)
		f.moments(moments{{"sanctions.banned_until", s.BannedUntil}, {"sanctions.muted_until", s.MutedUntil}})
		f.known("sanctions", s.Unknown)
	}
	return f.first
}

func (m *Member) fault() error {
	var f faults
	f.when(m.Conv.IsZero(), "conv_id", "missing")
	f.client("client_id", m.Client)
	f.when(m.Role != "" && m.Role != skein.RoleAdmin.String() && m.Role != skein.RoleOwner.String(), "role", "must be owner or admin, or absent")
	f.when(len(m.Nickname) > skein.MaxNickname, "nickname", "at most 128 bytes")
	f.when(len(m.Draft) > skein.MaxDraft, "draft", "at most 4 KiB")
	if m.Adder != "" {
		f.client("added_by", m.Adder)
	}
	f.text("nickname", m.Nickname)
	f.text("draft", m.Draft)
	f.unknown(m.Unknown)
	f.moment("join_time", m.Joined)
	f.when(m.JoinSeq < 1 || m.JoinSeq > maxTime, "join_seq", "from 1")
	f.moments(moments{
		{"mute_until", m.MutedUntil}, {"pin", m.Pinned},
		{"read_seq", m.ReadSeq}, {"received_seq", m.ReceivedSeq}, {"sent_seq", m.SentSeq}, {"cleared_seq", m.ClearedSeq},
	})
	return f.first
}

func (m *Message) fault() error {
	var f faults
	f.when(m.Conv.IsZero(), "conv_id", "missing")
	f.when(m.ID.IsZero(), "msg_id", "missing")
	f.when(m.Seq < 1 || m.Seq > maxTime, "seq", "from 1")
	f.client("client_id", m.Sender)
	f.when(len(m.ClientMsgID) > 4*skein.MaxIDLength || utf8.RuneCountInString(m.ClientMsgID) > skein.MaxIDLength, "client_msg_id", "at most 64 characters")
	f.when(len(m.Hash) != 0 && len(m.Hash) != hashLength, "content_hash", "must be 16 bytes")
	f.moment("ctime", m.Created)
	f.moments(moments{{"mtime", m.Updated}, {"pin", m.Pinned}, {"change_seq", m.Changed}})
	f.when(m.Version < 0 || m.Version > 1<<31-1, "version", "out of range")
	f.when(m.Status < 0 || m.Status > int(skein.StatusRecalled), "msg_status", "must be 2 or 3, or absent")
	f.when(m.Type == 0 || m.Type < skein.TypeFile || m.Type > 1<<31-1, "type", "must be -1 to -6, or 1 to 2147483647")
	f.keptJSON("attr", m.Attr, skein.MaxAttr)
	f.text("text", m.Text)
	f.text("url", m.URL)
	f.text("client_msg_id", m.ClientMsgID)
	f.unknown(m.Unknown)
	if m.Status > int(skein.StatusNormal) {
		says := m.Text != "" || m.Attr != nil || m.URL != "" || m.MentionAll || m.Mentions != nil || m.Pinned != 0 || m.Reactions != nil || m.Hash != nil
		f.when(says, "msg_status", "one that is deleted or recalled has no text, attr, url, mentions, pin, reactions or content_hash")
	} else if f.first == nil {
		f.first = skein.Body{Type: m.Type, Text: m.Text, Attr: m.Attr, URL: m.URL, Mentions: m.Mentions}.Fault()
	}
	for _, id := range m.Mentions {
		f.client("mention_client_ids", id)
	}
	for _, id := range m.Hidden {
		f.client("hidden_for", id)
	}
	f.when(!ascending(m.Hidden), "hidden_for", "must be in order, each once")
	f.reactions(m.Reactions)
	return f.first
}

// ascending reports whether texts are in ascending order without duplicates.
func ascending(texts []string) bool {
	for i := range texts {
		if i > 0 && texts[i] <= texts[i-1] {
			return false
		}
	}
	return true
}

// hashLength is the length of Message.Hash in bytes.
const hashLength = 16

func (f *faults) reactions(list []Reaction) {
	if len(list) == 0 {
		return
	}
	var last int64
	emoji, set := map[string]bool{}, map[[2]string]bool{}
	for _, r := range list {
		f.when(!skein.ValidEmoji(r.Emoji), "reactions.emoji", "1 to 64 bytes of text that can be seen")
		f.client("reactions.client_id", r.Client)
		f.when(set[[2]string{r.Emoji, r.Client}], "reactions", "has an emoji of a client twice")
		set[[2]string{r.Emoji, r.Client}] = true
		f.when(r.Change <= last, "reactions.change_seq", "must ascend")
		f.known("reactions", r.Unknown)
		last, emoji[r.Emoji] = r.Change, true
	}
	f.when(len(emoji) > skein.MaxReactions, "reactions", "at most 20 different emoji")
}

func (c *Change) fault() error {
	var f faults
	f.when(c.Conv.IsZero(), "conv_id", "missing")
	f.when(c.Seq < 1 || c.Seq > maxTime, "change_seq", "from 1")
	f.when(c.MsgSeq < 1 || c.MsgSeq > maxTime, "seq", "from 1")
	f.when(kinds[c.Kind] == skein.ChangeNone, "kind", "must be edit, recall, react, pin or delete")
	if c.By != "" {
		f.client("client_id", c.By)
	}
	f.moment("time", c.At)
	f.unknown(c.Unknown)
	f.when((c.Kind == "react") != (c.Emoji != ""), "emoji", "with kind react alone")
	f.when(c.Emoji != "" && !skein.ValidEmoji(c.Emoji), "emoji", "1 to 64 bytes of text that can be seen")
	return f.first
}

// kinds are the words of Change.Kind.
var kinds = map[string]skein.ChangeKind{
	"edit": skein.ChangeEdit, "recall": skein.ChangeRecall, "react": skein.ChangeReact, "pin": skein.ChangePin, "delete": skein.ChangeHide,
}

func (v *File) fault() error {
	var f faults
	f.when(!namePattern.MatchString(v.Name), "name", "must be 32 lower-case hexadecimal digits, a dot and an extension of 2 to 4 of a-z 0-9")
	f.when(skein.FileTitle(v.Title) != v.Title, "title", "must be a file's name without a path, at most 255 bytes")
	if v.Client != "" {
		f.client("client_id", v.Client)
	}
	f.moment("ctime", v.Created)
	f.unknown(v.Unknown)
	f.when(v.Size < 0 || v.Size > maxTime, "size", "out of range")
	sum, err := hex.DecodeString(v.SHA256)
	f.when(err != nil || len(sum) != 32, "sha256", "must be 64 hexadecimal digits")
	return f.first
}

// addBys are the words of Client.AddBy.
var addBys = map[string]skein.AddBy{"": skein.AddByDefault, "anyone": skein.AddByAnyone, "known": skein.AddByKnown, "nobody": skein.AddByNobody}

// faults keeps the first fault.
type faults struct{ first error }

func (f *faults) when(wrong bool, field, detail string) {
	if wrong && f.first == nil {
		f.first = skein.Malformed(field, detail)
	}
}

func (f *faults) client(field, id string) {
	f.when(!skein.ValidClientID(id, true), field, "must be 1 to 64 of A-Z a-z 0-9 _ - . @ :")
}

// text checks that JSON can represent a text.
func (f *faults) text(field, s string) { f.when(!utf8.ValidString(s), field, "is not UTF-8") }

// unknown checks that the unknown fields are a JSON object.
func (f *faults) unknown(v jsontext.Value) {
	f.when(len(v) > 0 && v.Kind() != '{', "unknown fields", "must be a JSON object")
	f.keptJSON("unknown fields", v, MaxLine)
}

// known refuses unknown fields where none can be stored.
func (f *faults) known(field string, unknown jsontext.Value) {
	f.when(len(unknown) > len("{}"), field, "has a field that this version does not know; keep such fields beside it, not in it")
}

func (f *faults) moment(field string, t int64) {
	f.when(t <= 0 || t > maxTime, field, "must be Unix milliseconds, above 0")
}

type moments []struct {
	field string
	value int64
}

// moments checks times that may be zero.
func (f *faults) moments(all moments) {
	for _, m := range all {
		f.when(m.value < 0 || m.value > maxTime, m.field, "out of range")
	}
}

// keptJSON checks JSON inside a record: it must be valid and not too deep.
func (f *faults) keptJSON(field string, v jsontext.Value, most int) {
	switch {
	case len(v) == 0 || f.first != nil:
	case len(v) > most:
		f.when(true, field, "at most "+strconv.Itoa(most>>10)+" KiB")
	case !v.IsValid():
		f.when(true, field, "is not valid JSON: one value in UTF-8, without duplicate names")
	case depth(v) >= maxDepth:
		f.when(true, field, "nests deeper than "+strconv.Itoa(maxDepth-1))
	}
}

// depth returns how deep valid JSON nests.
func depth(v jsontext.Value) (deepest int) {
	now, inText := 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
