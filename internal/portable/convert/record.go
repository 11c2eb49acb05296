package convert

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// Origin is where a record came from, for the report.
type Origin struct {
	At  string // such as "messages.jsonl:17"
	ID  string // its id in the source
	Raw []byte // what was read
}

// Conversation is a conversation of the source. Of Record only ID, Type, Creator, MuteAll,
// Created, Updated, Active, TTL and Unknown are used. Client ids may be any text.
type Conversation struct {
	Record  portable.Conversation
	Extend  []Field // of conv_extend, the most important first; what does not fit is left out
	Members []portable.Member
	Pair    bool // the source has one such conversation for two members: make it private

	Origin
}

// Standing is a client's role and restrictions in a conversation, which the source keeps apart
// from the list of members.
type Standing struct {
	Conv        skein.ID
	Client      string
	Role        string // owner or admin, or none
	Muted       bool   // do not disturb
	MutedUntil  int64  // may not send until
	BannedUntil int64  // may not join until

	Origin
}

// Message is a message of the source. Of Record only Conv, ID, Sender, ClientMsgID, Type, Text,
// Attr, URL, MentionAll, Mentions, ReplyTo, ByServer, Status, Created, Updated, Version and
// Unknown are used. Texts may be any bytes, client ids any text.
type Message struct {
	Record portable.Message

	// Tie orders messages of the same time. Records with the same Conv, Created and Tie are
	// copies of one message. The copy with the greatest Newest wins, then the last one.
	Tie    string
	Newest int64

	Mangled bool // reading its text has replaced invalid characters

	// Whole is the complete content in the source's form. If no type of Skein fits, it
	// becomes the attr of a message of OtherType.
	Whole jsontext.Value

	Received bool // the source knows that the receiver has it; used if there are two members
	Room     bool // sent to a chat room; used if the conversation itself is missing

	Origin
}

// OtherType is the type of a message that fits neither Skein's types nor the developer's. Its
// attr is the whole content.
const OtherType = 1<<31 - 1

// Changes that are made to a message. The report uses these texts.
const (
	textCharacters = "text: U+0000 and invalid characters replaced by U+FFFD"
	textCut        = "text: cut at 16 KiB; the whole is in this line"
	attrCharacters = "attr: U+0000 and invalid characters replaced by U+FFFD"
	attrAsText     = "attr: JSON that Skein does not take (depth over 31, a key twice or a number beyond a double), kept as a text"
	attrLost       = "attr: over 16 KiB, left out; the whole is in this line"
	urlMoved       = "url: not an http or https address, or over 2 KiB; all of the message is under attr"
	otherType      = "type: none of Skein's types fits; all of the message is under attr, its type is 2147483647"
)

// fit changes the message so that Skein accepts it. It returns the changes.
func (m *Message) fit() (changes []string) {
	r := &m.Record
	if r.Status > int(skein.StatusNormal) {
		m.Record = portable.Message{
			Conv: r.Conv, ID: r.ID, Sender: r.Sender, Type: skein.TypeText, Status: r.Status,
			Created: r.Created, Updated: r.Updated, Version: r.Version, ByServer: r.ByServer, Unknown: r.Unknown,
		}
		return nil
	}
	note := func(why string, is bool) {
		if is {
			changes = append(changes, why)
		}
	}
	var odd bool
	r.Text, odd = Text(r.Text)
	note(textCharacters, odd || m.Mangled)
	if len(r.Text) > skein.MaxText {
		r.Text = cut(r.Text, skein.MaxText)
		note(textCut, true)
	}
	if r.URL != "" && !validURL(r.Type, r.URL) {
		r.URL, r.Attr = "", m.Whole
		note(urlMoved, true)
	}
	if r.Type == 0 || r.Type < skein.TypeFile || r.Type > OtherType ||
		r.Type == skein.TypeText && skein.Blank(r.Text) || needsURL(r.Type) && r.URL == "" {
		r.Type, r.Attr = OtherType, m.Whole
		note(otherType, true)
	}
	var why []string
	r.Attr, why = fitAttr(r.Attr)
	changes = append(changes, why...)
	return changes
}

func fitAttr(v jsontext.Value) (attr jsontext.Value, changes []string) {
	if len(v) == 0 || v.Kind() == 'n' {
		return nil, nil
	}
	attr, odd, err := Compact(v)
	if err != nil {
		attr, odd = Quote(string(v)), false
		changes = append(changes, attrAsText)
	}
	if odd {
		changes = append(changes, attrCharacters)
	}
	if len(attr) > skein.MaxAttr {
		return nil, append(changes, attrLost)
	}
	return attr, changes
}

// lossy reports whether a change needs a line with the original record.
func lossy(why string) bool { return why != otherType }

// needsURL reports whether messages of a type have a url.
func needsURL(t int) bool {
	return t <= skein.TypeImage && t >= skein.TypeFile && t != skein.TypeLocation
}

// cut returns the longest prefix of s that has at most n bytes and no partial character.
func cut(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// validURL checks a url by the rule of msg.send, because programs open the url of these types
// without a check.
func validURL(t int, link string) bool {
	if _, odd := Text(link); odd || len(link) > skein.MaxURL {
		return false
	}
	if t >= skein.TypeText || strings.HasPrefix(link, skein.UploadsPath) {
		return true
	}
	if strings.ContainsFunc(link, func(r rune) bool { return unicode.IsControl(r) || r == '\\' || r == utf8.RuneError }) {
		return false
	}
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}
