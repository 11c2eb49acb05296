package wire

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// ImportAnswer is the answer of user.import.
type ImportAnswer struct {
	Created int            `json:"created" en:"users that were registered" zh:"新注册的数量"`
	Existed int            `json:"existed" en:"users that existed with the same ext" zh:"已存在且 ext 相同的数量"`
	Refused int            `json:"refused" en:"users that were refused" zh:"未注册的数量"`
	Users   []ImportedUser `json:"users" en:"the result for each user, in the order of the request" zh:"每个用户的结果，顺序同请求"`
}

// ImportedUser is what became of one user.
type ImportedUser struct {
	ClientID string `json:"client_id" en:"the user; empty if it cannot be read" zh:"用户 id；无法读取时为空"`
	Result   string `json:"result" en:"created, existed or refused" zh:"created（已注册）、existed（已存在）或 refused（被拒）"`
	Code     int    `json:"code" en:"0, or why it was refused: a code of user.create" zh:"0，或被拒原因：user.create 的错误码"`
	Message  string `json:"message" en:"the text of the code" zh:"错误码的文本"`
}

// Add notes what became of a user.
func (a *ImportAnswer) Add(client strict.ID, created bool, err error, lang Lang) {
	user := ImportedUser{ClientID: string(client), Result: "existed", Message: "ok"}
	switch {
	case err != nil:
		user.Result, user.Code, user.Message = "refused", CodeOf(err).Code, Text(err, lang)
		a.Refused++
	case created:
		user.Result = "created"
		a.Created++
	default:
		a.Existed++
	}
	a.Users = append(a.Users, user)
}

// Users is the answer of user.get_many.
type Users struct {
	Data    []User   `json:"data" en:"the users in the order of the request, each once" zh:"按请求顺序返回，重复的只返回一次"`
	Unknown []string `json:"unknown" en:"ids of users that do not exist, in the order of the request" zh:"不存在的用户 id，按请求顺序"`
}

// AddByWords are the choices of add_by by their names.
var AddByWords = map[string]skein.AddBy{"anyone": skein.AddByAnyone, "known": skein.AddByKnown, "nobody": skein.AddByNobody}

// addByText is a choice as answered; nil: none.
func addByText(choice skein.AddBy) *string {
	for name, a := range AddByWords {
		if a == choice {
			return &name
		}
	}
	return nil
}

// Token is the answer of user.token.
type Token struct {
	Token   string `json:"token" en:"signed JWT, HS256" zh:"已签名的 JWT（HS256）"`
	Expires int64  `json:"expires" en:"Unix ms" zh:"过期时间，Unix 毫秒"`
}

// User is one user as answered.
type User struct {
	ClientID    string         `json:"client_id" en:"the user" zh:"用户 id"`
	Ext         jsontext.Value `json:"ext" en:"the JSON of your own; every client of the app can read it with user.get and user.get_many" zh:"扩展 JSON；应用内任何用户都可通过 user.get、user.get_many 读取"`
	CTime       string         `json:"ctime" en:"created, YYYY-MM-DD HH:MM:SS in the server's --timezone" zh:"创建时间"`
	MTime       *string        `json:"mtime" en:"last change; null: never" zh:"最后变更时间；从未变更为 null"`
	CTimeMS     int64          `json:"ctime_ms" en:"ctime in Unix ms" zh:"ctime 的 Unix 毫秒"`
	MTimeMS     *int64         `json:"mtime_ms" en:"mtime in Unix ms" zh:"mtime 的 Unix 毫秒"`
	Banned      strict.Flag    `json:"banned" en:"1 while banned" zh:"封禁中为 1"`
	BannedUntil *int64         `json:"banned_until" en:"end of the ban, Unix ms; null: not banned, or permanently" zh:"封禁截止，Unix 毫秒；未封禁或永久为 null"`
	BanReason   *string        `json:"ban_reason" en:"reason of the ban, for the backend only" zh:"封禁原因，仅服务端可见"`
	AddBy       *string        `json:"add_by" en:"see user.update; null: the setting of the app applies, or another user asks" zh:"见 user.update；null 表示按应用设置，或查询的是他人"`
}

// UserOf writes a client for a caller with times in zone; only the backend sees
// the reason of a ban, and only the backend and the user itself see add_by.
func UserOf(c skein.Client, now skein.Millis, zone *time.Location, by skein.Actor) User {
	u := User{
		ClientID: c.ID, Ext: rawOf(c.Ext),
		CTime: clock(c.Created, zone), CTimeMS: int64(c.Created),
		Banned: strict.Flag(c.Banned(now)),
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
