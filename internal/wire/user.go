package wire

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// CreateUser is the request of user.create.
type CreateUser struct {
	ClientID ClientID       `json:"client_id" need:"1" en:"1..64 letters and digits" zh:"1..64 个字母或数字"`
	Ext      jsontext.Value `json:"ext" en:"any JSON, at most 16 KiB" zh:"任意 JSON，最大 16 KiB"`
}

// UserRequest names one user.
type UserRequest struct {
	ClientID ClientID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
}

// MaxUsers bounds the users of one user.get_many.
const MaxUsers = 200

// ManyUsers is the request of user.get_many.
type ManyUsers struct {
	ClientIDs []ClientID `json:"client_ids" need:"1" en:"1..200 users" zh:"1..200 个用户"`
}

// Clients checks the list and collapses duplicates. Errors: skein.ErrMissing, those of
// ClientIDs.
func (r ManyUsers) Clients(relaxed bool) ([]string, error) {
	if len(r.ClientIDs) == 0 {
		return nil, skein.Missing("client_ids")
	}
	return ClientIDs("client_ids", r.ClientIDs, MaxUsers, relaxed)
}

// Users is the answer of user.get_many.
type Users struct {
	Data    []User   `json:"data" en:"in the order asked, each once" zh:"按请求顺序返回，重复的只返回一次"`
	Unknown []string `json:"unknown" en:"the ids of no user, in the order asked" zh:"不存在的用户 id，按请求顺序"`
}

// ListUsers is the request of user.list.
type ListUsers struct {
	Where jsontext.Value `json:"where" en:"[[\"client_id\",\"in\",[…]]] or [[\"client_id\",\"=\",…]]" zh:"[[\"client_id\",\"in\",[…]]] 或 [[\"client_id\",\"=\",…]]"`

	PageRequest
}

// IDs reads the where of user.list: client_id with = or in, or nothing (nil).
func (r ListUsers) IDs() ([]string, error) {
	if nonNull(r.Where) == nil {
		return nil, nil
	}
	where, err := ParseWhere(r.Where, time.UTC)
	if err != nil || len(where) == 0 {
		return nil, err
	}
	if c := where[0]; len(where) == 1 && c.Field == skein.FieldMember && (c.Op == skein.Eq || c.Op == skein.In) {
		ids := make([]string, 0, len(c.Values))
		for _, v := range c.Values {
			id, _ := v.(string) // ParseWhere makes ids strings
			ids = append(ids, id)
		}
		return ids, nil
	}
	return nil, skein.Malformed("where", "must be one condition on client_id with = or in")
}

// UpdateUser is the request of user.update.
type UpdateUser struct {
	ClientID ClientID       `json:"client_id" en:"the user; a client may leave itself out" zh:"用户 id；客户端调用时可省略"`
	Ext      jsontext.Value `json:"ext" en:"replaces the whole; null clears it; absent leaves it" zh:"整体替换；null 清空；省略不变"`
	AddBy    GivenText      `json:"add_by" en:"which clients may add it to conversations: anyone, known or nobody; null or empty: as the app says; absent leaves it" zh:"哪些用户可将其加入会话：anyone（任何人）、known（认识的）或 nobody（无人）；null 或空按应用设置；省略不变"`
}

// addBys are the choices of add_by by their names.
var addBys = map[string]skein.AddBy{"anyone": skein.AddByAnyone, "known": skein.AddByKnown, "nobody": skein.AddByNobody}

// AddBy reads a choice; null or empty: none.
func AddBy(field string, g GivenText) (skein.AddBy, error) {
	choice, ok := addBys[g.Text]
	if !ok && g.Text != "" {
		return 0, skein.Malformed(field, "must be anyone, known or nobody")
	}
	return choice, nil
}

// addByText is a choice as answered; nil: none.
func addByText(choice skein.AddBy) *string {
	for name, a := range addBys {
		if a == choice {
			return &name
		}
	}
	return nil
}

// DeleteUser is the request of user.delete.
type DeleteUser struct {
	ClientID ClientID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	Messages string   `json:"messages" en:"keep (default) or erase: what becomes of its messages" zh:"keep（默认）或 erase：是否擦除其消息内容"`
}

// Erase reports whether the user's messages go too.
func (r DeleteUser) Erase() (bool, error) {
	switch r.Messages {
	case "", "keep":
		return false, nil
	case "erase":
		return true, nil
	}
	return false, skein.Malformed("messages", "must be keep or erase")
}

// BanUser is the request of user.ban.
type BanUser struct {
	ClientID ClientID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	Until    *int64   `json:"until" en:"Unix ms; absent: without a term" zh:"封禁截止，Unix 毫秒；省略为永久"`
	Reason   string   `json:"reason" prose:"1" en:"at most 256 bytes" zh:"原因，最多 256 字节"`
}

// Term checks the end of the ban.
func (r BanUser) Term(now skein.Millis) (skein.Millis, error) {
	if len(r.Reason) > 256 {
		return 0, skein.Malformed("reason", "at most 256 bytes")
	}
	if r.Until == nil {
		return skein.Forever, nil
	}
	until := skein.Millis(*r.Until)
	if until <= now || until > skein.Forever {
		return 0, skein.Malformed("until", "must be a future time in Unix milliseconds")
	}
	return until, nil
}

// LogoutUser is the request of user.logout.
type LogoutUser struct {
	ClientID ClientID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	DeviceID ClientID `json:"device_id" en:"this device alone; absent: all" zh:"仅此设备；省略为全部设备"`
}

// IssueToken is the request of user.token.
type IssueToken struct {
	ClientID ClientID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	TTL      *int64   `json:"ttl" need:"1" en:"seconds, at most 90 days" zh:"有效秒数，最长 90 天"`
	DeviceID ClientID `json:"device_id" en:"valid on this device alone" zh:"仅在此设备有效"`
	Act      []string `json:"act" en:"the ops it allows; absent: all" zh:"允许的操作；省略为全部"`
}

// Device checks the device of the request; empty: all.
func (r LogoutUser) Device() (string, error) {
	return string(r.DeviceID), checkDeviceID(string(r.DeviceID))
}

// TokenTerms is what a token is asked to allow.
type TokenTerms struct {
	TTL     time.Duration
	Device  string   // empty: any
	Actions []string // nil: all
}

// Terms checks the request.
func (r IssueToken) Terms() (TokenTerms, error) {
	t := TokenTerms{Device: string(r.DeviceID), Actions: r.Act}
	if *r.TTL < 1 || *r.TTL > int64(skein.MaxTokenLife/time.Second) {
		return t, skein.Malformed("ttl", "must be 1 second to 90 days")
	}
	t.TTL = time.Duration(*r.TTL) * time.Second
	if len(r.Act) > skein.MaxTokenActions {
		return t, skein.Malformed("act", "at most 100")
	}
	return t, checkDeviceID(t.Device)
}

// Token is the answer of user.token.
type Token struct {
	Token   string `json:"token" en:"signed JWT, HS256" zh:"已签名的 JWT（HS256）"`
	Expires int64  `json:"expires" en:"Unix ms" zh:"过期时间，Unix 毫秒"`
}

// User is one user as answered.
type User struct {
	ClientID    string         `json:"client_id" en:"the user" zh:"用户 id"`
	Ext         jsontext.Value `json:"ext" en:"the developer's JSON; every client of the app may read it with user.get and user.get_many" zh:"扩展 JSON；应用内任何用户都可通过 user.get、user.get_many 读取"`
	CTime       string         `json:"ctime" en:"created, YYYY-MM-DD HH:MM:SS in the server's --timezone" zh:"创建时间"`
	MTime       *string        `json:"mtime" en:"last change; null: never" zh:"最后变更时间；从未变更为 null"`
	CTimeMS     int64          `json:"ctime_ms" en:"ctime in Unix ms" zh:"ctime 的 Unix 毫秒"`
	MTimeMS     *int64         `json:"mtime_ms" en:"mtime in Unix ms" zh:"mtime 的 Unix 毫秒"`
	Banned      Flag           `json:"banned" en:"1 while banned" zh:"封禁中为 1"`
	BannedUntil *int64         `json:"banned_until" en:"Unix ms; null: not banned, or without a term" zh:"封禁截止，Unix 毫秒；未封禁或永久为 null"`
	BanReason   *string        `json:"ban_reason" en:"for the server role alone" zh:"封禁原因，仅服务端可见"`
	AddBy       *string        `json:"add_by" en:"see user.update; null: as the app says, or the user is another" zh:"见 user.update；null 表示按应用设置，或查询的是他人"`
}

// UserOf writes a client for a caller with times in zone; the reason of a ban is for the
// server role alone, and who may add it for itself too.
func UserOf(c skein.Client, now skein.Millis, zone *time.Location, by skein.Actor) User {
	u := User{
		ClientID: c.ID, Ext: rawOf(c.Ext),
		CTime: clock(c.Created, zone), CTimeMS: int64(c.Created),
		Banned: Flag(c.Banned(now)),
	}
	u.MTime, u.MTimeMS = optionalClock(c.Updated, zone)
	if c.Banned(now) && c.BannedUntil != skein.Forever {
		until := int64(c.BannedUntil)
		u.BannedUntil = &until
	}
	if by.Server() && c.Banned(now) {
		u.BanReason = nullable(c.BanReason)
	}
	if by.Server() || by.Client == c.ID {
		u.AddBy = addByText(c.AddBy)
	}
	return u
}
