package leancloud

import (
	"cmp"
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// Reasons to leave out a row.
var (
	errNoID      = errors.New("no objectId")
	errNoClient  = errors.New("no clientId, or no conversation")
	errTemporary = errors.New("of a temporary conversation; it ended with its time, and LeanCloud keeps no row of it")
)

// Notes on messages that are taken over.
const (
	noteID      = "msg-id is not 22 characters of base64: msg_id is made from it"
	noteBinary  = "is binary: its base64 is under attr, its type is 2147483647"
	noteFile    = "its file is in the folder: url is the link to it in Skein; attr has the old link under _lcfile"
	noteEdited  = "was edited; LeanCloud has its last text alone"
	noteUnknown = "has fields that the converter does not know; they are kept under leancloud"
)

// conversationOf maps a row of _Conversation. If it is a system conversation, system is true and
// only the id and the origin are set.
func conversationOf(r row) (c convert.Conversation, system bool, err error) {
	fields, err := convert.ReadObject(r.raw)
	if err != nil {
		return c, false, err
	}
	name := idText(cmp.Or(fields.Get("objectId"), fields.Get("_id")))
	if name == "" {
		return c, false, errNoID
	}
	c.Origin = r.origin(name)
	id, exact := objectID(name)
	c.Record.ID = id
	if !exact {
		c.Record.Unknown = convert.Object(convert.Field{Name: unknownName, Value: convert.Object(convert.Field{Name: "objectId", Value: convert.Quote(name)})})
	}
	if convert.Truth(fields.Get("sys")) {
		return c, true, nil
	}
	c.Record.Created = cmp.Or(convert.Moment(fields.Get("createdAt")), bornAt(name))
	c.Record.Updated, c.Record.Active = convert.Moment(fields.Get("updatedAt")), convert.Moment(fields.Get("lm"))
	c.Record.Type = int(skein.Group)
	if convert.Truth(fields.Get("tr")) {
		c.Record.Type = int(skein.Room)
	}
	if creator := fields.Get("c"); creator != "" {
		c.Record.Creator = convert.ClientID(jsontext.Value(creator))
	}
	different := map[string]bool{}
	for _, id := range convert.ClientIDs(fields.Get("m")) {
		different[id] = true
		c.Members = append(c.Members, portable.Member{Client: id})
	}
	c.Pair = convert.Truth(fields.Get("unique")) && c.Record.Type == int(skein.Group) && (len(different) == 2 || len(c.Members) == 2)
	c.Extend = columns(fields)
	return c, false, nil
}

// builtIn are LeanCloud's own columns of _Conversation.
var builtIn = []string{"objectId", "_id", "createdAt", "updatedAt", "m", "mu", "c", "lm", "tr", "sys", "unique", "uniqueId", "ACL"}

// columns returns the fields of conv_extend: name, attr, then the app's columns by name.
func columns(fields convert.Fields) []convert.Field {
	first := []string{"attr", "name"}
	list := slices.DeleteFunc(slices.Clone(fields), func(f convert.Field) bool {
		return slices.Contains(builtIn, f.Name) || f.Value.Kind() == 'n'
	})
	slices.SortStableFunc(list, func(a, b convert.Field) int {
		return cmp.Or(cmp.Compare(slices.Index(first, b.Name), slices.Index(first, a.Name)), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// mutesOf returns the clients in mu, who want no notifications.
func mutesOf(c *convert.Conversation, r row) (list []convert.Standing) {
	fields, err := convert.ReadObject(r.raw)
	if err != nil {
		return nil
	}
	for _, id := range convert.ClientIDs(fields.Get("mu")) {
		list = append(list, convert.Standing{Conv: c.Record.ID, Client: id, Muted: true, Origin: convert.Origin{At: r.at, ID: c.ID}})
	}
	return list
}

// standingOf maps a line of member infos. Without a Role it is an ordinary member.
func standingOf(r row) (s convert.Standing, err error) {
	var info folder.MemberInfo
	if err := json.Unmarshal(r.raw, &info, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		return s, convert.ErrNoObject
	}
	fields, err := convert.ReadObject(info.Row)
	if err != nil {
		return s, err
	}
	client := fields.Get("clientId")
	if client == "" || info.Conv == "" {
		return s, errNoClient
	}
	s = convert.Standing{Client: convert.ClientID(jsontext.Value(client)), Origin: r.origin(idText(fields.Get("objectId")))}
	s.Conv, _ = objectID(info.Conv)
	switch role, _ := convert.String(fields.Get("role")); role {
	case "Owner":
		s.Role = skein.RoleOwner.String()
	case "Manager":
		s.Role = skein.RoleAdmin.String()
	}
	return s, nil
}

// messageOf maps a row of a history. link is dump.link.
func messageOf(r row, link func(url, id string) string) (m convert.Message, notes []string, err error) {
	fields, err := convert.ReadObject(r.raw)
	if err != nil {
		return m, nil, err
	}
	name, _ := convert.String(fields.Get("msg-id"))
	m.Origin, m.Tie = r.origin(name), name
	if m.Record.Conv, err = convOf(fields, r.conv); err != nil {
		return m, nil, err
	}
	note := func(text string, is bool) {
		if is {
			notes = append(notes, text)
		}
	}
	var exact bool
	m.Record.ID, exact = messageID(name)
	note(noteID, !exact && name != "")
	m.Record.Created, _ = convert.Integer(fields.Get("timestamp"))
	if from := fields.Get("from"); from != "" {
		m.Record.Sender = convert.ClientID(jsontext.Value(from))
	}
	m.Room = convert.Truth(fields.Get("is-room"))
	content(&m, fields, link)
	note(noteFile, strings.Contains(m.Record.URL, skein.UploadsPath))
	if acked, ok := convert.Integer(fields.Get("ack-at")); ok && acked > 0 {
		m.Received = true
	}
	unknown := further(&m, fields)
	note(noteBinary, convert.Truth(fields.Get("bin")))
	note(noteEdited, m.Record.Version > 1)
	note(noteUnknown, unknown != nil)
	if unknown != nil {
		m.Record.Unknown = convert.Object(convert.Field{Name: unknownName, Value: unknown})
	}
	return m, notes, nil
}

// unknownName is the field of a record for everything that Skein does not know.
const unknownName = "leancloud"

// convOf returns the conversation of a message: the one whose history has it, or else the one
// that to names, because conv-id can stand for a conversation and a client.
func convOf(fields convert.Fields, list string) (skein.ID, error) {
	to, _ := convert.String(fields.Get("to"))
	conv, _ := convert.String(fields.Get("conv-id"))
	for _, name := range []string{to, conv} {
		if strings.HasPrefix(name, "_tmp:") {
			return skein.ID{}, errTemporary
		}
	}
	for _, name := range []string{list, to, conv} {
		if id, exact := objectID(name); exact {
			return id, nil
		}
	}
	if name := cmp.Or(to, conv); name != "" {
		id, _ := objectID(name)
		return id, nil
	}
	return skein.ID{}, nil
}

// content maps the content of a message: data and bin.
func content(m *convert.Message, fields convert.Fields, link func(url, id string) string) {
	data := jsontext.Value(fields.Get("data"))
	if len(data) == 0 {
		data = jsontext.Value("null")
	}
	whole := []convert.Field{{Name: "data", Value: data}}
	if convert.Truth(fields.Get("bin")) {
		m.Whole = convert.Object(append([]convert.Field{{Name: "bin", Value: jsontext.Value("true")}}, whole...)...)
		m.Record.Type, m.Record.Attr = convert.OtherType, m.Whole
		return
	}
	said, isText := convert.String(string(data))
	m.Mangled = !data.IsValid()
	inner := data
	if isText {
		inner = jsontext.Value(said)
	}
	if typed, err := convert.ReadObject(inner); err == nil && typed.Get("_lctype") != "" && inner.IsValid(jsontext.AllowInvalidUTF8(true)) {
		m.Whole = inner
		typedContent(m, typed, link)
		return
	}
	if !isText && data.Kind() != 'n' {
		said = string(data)
	}
	m.Whole = convert.Object(whole...)
	m.Record.Type, m.Record.Text = skein.TypeText, said
}

// recalled is the _lctype of a recalled message.
const recalled = -127

// typedContent maps the fields of a typed message.
func typedContent(m *convert.Message, typed convert.Fields, link func(url, id string) string) {
	r := &m.Record
	kind, ok := convert.Integer(typed.Get("_lctype"))
	switch {
	case kind == recalled:
		r.Status, r.Type = int(skein.StatusRecalled), skein.TypeText
		return
	case ok && kind >= skein.TypeFile && kind <= math.MaxInt32:
		r.Type = int(kind)
	}
	said, isText := convert.String(typed.Get("_lctext"))
	r.Text = said
	m.Mangled = m.Mangled || isText && !jsontext.Value(typed.Get("_lctext")).IsValid()
	onlyLink := false
	if file, err := convert.ReadObject([]byte(typed.Get("_lcfile"))); err == nil {
		url, isURL := convert.String(file.Get("url"))
		id, _ := convert.String(file.Get("objId"))
		r.URL = cmp.Or(link(url, id), url)
		onlyLink = isURL && len(file) == 1 && r.URL == url
	}
	rest := slices.DeleteFunc(slices.Clone(typed), func(f convert.Field) bool {
		switch f.Name {
		case "_lctype", "_lcattrs":
			return true
		case "_lctext":
			return isText || f.Value.Kind() == 'n'
		case "_lcfile":
			return onlyLink || f.Value.Kind() == 'n'
		}
		return false
	})
	r.Attr = attr(jsontext.Value(typed.Get("_lcattrs")), rest)
}

// attr returns _lcattrs with the fields beside it added. If that is not possible, it returns an
// object that has both.
func attr(attrs jsontext.Value, rest convert.Fields) jsontext.Value {
	if len(attrs) == 0 || attrs.Kind() == 'n' {
		return convert.Object(rest...)
	}
	if len(rest) == 0 {
		return attrs
	}
	own, err := convert.ReadObject(attrs)
	if err != nil || slices.ContainsFunc(rest, func(f convert.Field) bool { return own.Get(f.Name) != "" }) {
		return convert.Object(append([]convert.Field{{Name: "_lcattrs", Value: attrs}}, rest...)...)
	}
	return convert.Object(append(own, rest...)...)
}

// withoutDashes maps the different spellings of APIs and exports to one name.
var withoutDashes = strings.NewReplacer("-", "", "_", "")

// further maps the fields that not every row has. It returns the unknown ones as an object, or
// nil.
func further(m *convert.Message, fields convert.Fields) jsontext.Value {
	r := &m.Record
	var unknown []convert.Field
	for _, f := range fields {
		switch f.Name {
		case "timestamp", "conv-id", "data", "from", "msg-id", "is-conv", "is-room", "to", "bin", "from-ip", "ack-at":
			continue
		}
		switch strings.ToLower(withoutDashes.Replace(f.Name)) {
		case "patchtimestamp", "patchat", "patchedat":
			if at, ok := convert.Integer(string(f.Value)); ok && at > r.Created {
				r.Updated, r.Version, m.Newest = at, 2, at
			}
		case "mentionall":
			r.MentionAll = convert.Truth(string(f.Value))
		case "mentionpids", "mentionclientids", "mentionlist":
			r.Mentions = append(r.Mentions, convert.ClientIDs(string(f.Value))...)
		default:
			unknown = append(unknown, f)
		}
	}
	if r.Status == int(skein.StatusRecalled) {
		r.Version, m.Newest = 0, math.MaxInt64
	}
	return convert.Object(unknown...)
}

// objectID returns the conv_id of a conversation: its objectId and eight zeros. For an id of
// another form it derives a conv_id from it, and exact is false.
func objectID(name string) (id skein.ID, exact bool) {
	const objectIDLength, convIDLength = 24, 32
	lower := strings.ToLower(name)
	if len(lower) == objectIDLength {
		lower += strings.Repeat("0", convIDLength-objectIDLength)
	}
	if id, err := skein.ParseID(lower); err == nil && !id.IsZero() {
		return id, true
	}
	return skein.NamedID(clientName, "conversation", name), false
}

// bornAt returns when an objectId was made, in milliseconds; zero if it does not say.
func bornAt(name string) int64 {
	if len(name) != 24 {
		return 0
	}
	seconds, err := strconv.ParseInt(name[:8], 16, 64)
	if err != nil {
		return 0
	}
	return seconds * 1000
}

var standardBase64 = strings.NewReplacer("-", "+", "_", "/")

// messageID returns the 16 bytes of a msg-id, whose base64 may use both alphabets. For an id of
// another form it derives one from it, and exact is false.
func messageID(name string) (id skein.ID, exact bool) {
	if name == "" {
		return skein.ID{}, false
	}
	const msgIDLength = 22
	standard := standardBase64.Replace(strings.TrimSuffix(name, "=="))
	raw, err := base64.RawStdEncoding.DecodeString(standard)
	if err == nil && len(standard) == msgIDLength && len(raw) == len(id) && skein.ID(raw) != (skein.ID{}) {
		return skein.ID(raw), true
	}
	return skein.NamedID(clientName, "message", name), false
}

// idText reads an id: a string, or the form that a backup of the database has.
func idText(v string) string {
	if s, ok := convert.String(v); ok {
		return s
	}
	fields, _ := convert.ReadObject([]byte(v))
	s, _ := convert.String(fields.Get("$oid"))
	return s
}
