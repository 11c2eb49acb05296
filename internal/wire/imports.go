package wire

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// MaxImported bounds the users of one user.import.
const MaxImported = 500

// ImportUsers is the request of user.import.
type ImportUsers struct {
	Users []NewUser `json:"users" need:"1" en:"1..500 users" zh:"1..500 个用户"`
}

// NewUser is one user to be registered.
type NewUser struct {
	ClientID ClientID       `json:"client_id" need:"1" en:"as in user.create" zh:"同 user.create"`
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
		u.fault = malformed(err)
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

// ImportAnswer is the answer of user.import.
type ImportAnswer struct {
	Created int            `json:"created" en:"how many were registered" zh:"新注册的数量"`
	Existed int            `json:"existed" en:"how many were there with the same ext" zh:"已存在且 ext 相同的数量"`
	Refused int            `json:"refused" en:"how many were not registered" zh:"未注册的数量"`
	Users   []ImportedUser `json:"users" en:"what became of each, in the order of the request" zh:"每个用户的结果，顺序同请求"`
}

// ImportedUser is what became of one user.
type ImportedUser struct {
	ClientID string `json:"client_id" en:"the user; empty where it cannot be read" zh:"用户 id；无法读取时为空"`
	Result   string `json:"result" en:"created, existed or refused" zh:"created（已注册）、existed（已存在）或 refused（被拒）"`
	Code     int    `json:"code" en:"0, or why it was refused: a code of user.create" zh:"0，或被拒原因：user.create 的错误码"`
	Message  string `json:"message" en:"the text of the code" zh:"错误码的文本"`
}

// Add notes what became of a user.
func (a *ImportAnswer) Add(client ClientID, created bool, err error, lang Lang) {
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
