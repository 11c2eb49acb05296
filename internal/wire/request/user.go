package request

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// MaxImported bounds the users of one user.import.
const MaxImported = 500

// ImportUsers is the request of user.import.
type ImportUsers struct {
	Users []NewUser `json:"users" need:"1" en:"1..500 users" zh:"1..500 个用户"`
}

// Check bounds the list. Errors: skein.ErrMalformed.
func (r ImportUsers) Check() error {
	switch {
	case len(r.Users) == 0:
		return skein.Malformed("users", "must not be empty")
	case len(r.Users) > MaxImported:
		return skein.Malformed("users", "at most 500")
	}
	return nil
}

// NewUser is one user to be registered.
type NewUser struct {
	ClientID strict.ID      `json:"client_id" need:"1" en:"as in user.create" zh:"同 user.create"`
	Ext      jsontext.Value `json:"ext,omitzero" en:"as in user.create" zh:"同 user.create"`

	fault error // why it cannot be read
}

// UnmarshalJSONFrom reads a user. One that cannot be read keeps no other from being so.
func (u *NewUser) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	type plain NewUser
	if err := json.Unmarshal(raw, (*plain)(u)); err != nil {
		u.fault = strict.Fault(err)
	}
	return nil
}

// Check is the ext of the user. Errors: skein.ErrMissing, skein.ErrInvalidClientID,
// skein.ErrMalformed.
func (u NewUser) Check(relaxed bool) (ext []byte, err error) {
	if u.fault != nil {
		return nil, u.fault
	}
	if u.ClientID == "" {
		return nil, skein.Missing("client_id")
	}
	if err := CheckClientID("client_id", u.ClientID, relaxed); err != nil {
		return nil, err
	}
	return Extension("ext", u.Ext)
}

// CreateUser is the request of user.create.
type CreateUser struct {
	ClientID strict.ID      `json:"client_id" need:"1" en:"1..64 letters and digits" zh:"1..64 个字母或数字"`
	Ext      jsontext.Value `json:"ext" en:"any JSON, at most 16 KiB" zh:"任意 JSON，最大 16 KiB"`
}

// User names one user.
type User struct {
	ClientID strict.ID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
}

// MaxUsers bounds the users of one user.get_many.
const MaxUsers = 200

// ManyUsers is the request of user.get_many.
type ManyUsers struct {
	ClientIDs []strict.ID `json:"client_ids" need:"1" en:"1..200 users" zh:"1..200 个用户"`
}

// Clients checks the list and collapses duplicates. Errors: skein.ErrMissing, those of
// ClientIDs.
func (r ManyUsers) Clients(relaxed bool) ([]string, error) {
	if len(r.ClientIDs) == 0 {
		return nil, skein.Missing("client_ids")
	}
	return ClientIDs("client_ids", r.ClientIDs, MaxUsers, relaxed)
}

// ListUsers is the request of user.list.
type ListUsers struct {
	Where jsontext.Value `json:"where" en:"[[\"client_id\",\"in\",[…]]] or [[\"client_id\",\"=\",…]]" zh:"[[\"client_id\",\"in\",[…]]] 或 [[\"client_id\",\"=\",…]]"`

	Paging
}

// IDs reads the where of user.list: client_id with = or in, or nothing (nil).
func (r ListUsers) IDs() ([]string, error) {
	if strict.NonNull(r.Where) == nil {
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
	ClientID strict.ID        `json:"client_id" en:"the user; a client that calls for itself may omit it" zh:"用户 id；客户端调用时可省略"`
	Ext      jsontext.Value   `json:"ext" en:"replaces the whole; null clears it; absent: unchanged" zh:"整体替换；null 清空；省略不变"`
	AddBy    strict.GivenText `json:"add_by" en:"which clients may add this one to conversations: anyone, known or nobody; null or empty: the setting of the app; absent: unchanged" zh:"哪些用户可将其加入会话：anyone（任何人）、known（认识的）或 nobody（无人）；null 或空按应用设置；省略不变"`
}

// AddBy reads a choice; null or empty: none.
func AddBy(field string, g strict.GivenText) (skein.AddBy, error) {
	choice, ok := wire.AddByWords[g.Text]
	if !ok && g.Text != "" {
		return 0, skein.Malformed(field, "must be anyone, known or nobody")
	}
	return choice, nil
}

// DeleteUser is the request of user.delete.
type DeleteUser struct {
	ClientID strict.ID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	Messages string    `json:"messages" en:"keep (default) or erase: whether to erase its messages" zh:"keep（默认）或 erase：是否擦除其消息内容"`
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
	ClientID strict.ID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	Until    *int64    `json:"until" en:"end of the ban, Unix ms; absent: permanent" zh:"封禁截止，Unix 毫秒；省略为永久"`
	Reason   string    `json:"reason" prose:"1" en:"at most 256 bytes" zh:"原因，最多 256 字节"`
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
	ClientID strict.ID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	DeviceID strict.ID `json:"device_id" en:"only this device; absent: all" zh:"仅此设备；省略为全部设备"`
}

// IssueToken is the request of user.token.
type IssueToken struct {
	ClientID strict.ID `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	TTL      *int64    `json:"ttl" need:"1" en:"seconds, at most 90 days" zh:"有效秒数，最长 90 天"`
	DeviceID strict.ID `json:"device_id" en:"the token is valid only on this device" zh:"仅在此设备有效"`
	Act      []string  `json:"act" en:"the ops that the token allows; absent: all" zh:"允许的操作；省略为全部"`
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
