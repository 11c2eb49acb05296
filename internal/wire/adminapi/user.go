package adminapi

import (
	"cmp"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// User names one user of an app.
type User struct {
	AppID    string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID string `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
}

// InApp is the app in which the caller needs its role.
func (r User) InApp() string { return r.AppID }

// Check checks the ids. Errors: skein.ErrMalformed, skein.ErrInvalidClientID.
func (r User) Check() error { return checkUser(r.AppID, r.ClientID) }

func checkUser(app, client string) error {
	if !skein.ValidClientID(client, true) {
		return cmp.Or(CheckApp(app), skein.About(skein.ErrInvalidClientID, "client_id"))
	}
	return CheckApp(app)
}

// UserSession names one session of a user.
type UserSession struct {
	AppID     string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID  string `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	SessionID string `json:"session_id" need:"1" en:"the session, as user.session.list names it" zh:"会话连接 id，见 user.session.list"`
}

// InApp is the app in which the caller needs its role.
func (r UserSession) InApp() string { return r.AppID }

// Check checks the ids. Errors: as of User.
func (r UserSession) Check() error { return checkUser(r.AppID, r.ClientID) }

// LogoutUser is the request of user.logout.
type LogoutUser struct {
	AppID    string  `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID string  `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	DeviceID *string `json:"device_id" en:"only this device; absent: all" zh:"只下线此设备；省略为全部设备"`
}

// InApp is the app in which the caller needs its role.
func (r LogoutUser) InApp() string { return r.AppID }

// Device checks the request; empty: all devices. Errors: as of User; skein.ErrMalformed.
func (r LogoutUser) Device() (string, error) {
	if err := checkUser(r.AppID, r.ClientID); err != nil || r.DeviceID == nil {
		return "", err
	}
	if n := utf8.RuneCountInString(*r.DeviceID); n < 1 || n > skein.MaxIDLength {
		return "", skein.Malformed("device_id", "must be 1 to 64 characters")
	}
	return *r.DeviceID, nil
}

// EraseUser is the request of user.erase.
type EraseUser struct {
	AppID    string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID string `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	Messages string `json:"messages" en:"erase: the content of the user's messages is erased too; keep: it stays. Absent: erase" zh:"erase：同时擦除其消息内容；keep：保留。省略为 erase"`
}

// InApp is the app in which the caller needs its role.
func (r EraseUser) InApp() string { return r.AppID }

// Erase checks the request. Errors: as of User; skein.ErrMalformed.
func (r EraseUser) Erase() (bool, error) {
	word := cmp.Or(r.Messages, "erase")
	if word != "erase" && word != "keep" {
		return false, cmp.Or(checkUser(r.AppID, r.ClientID), skein.Malformed("messages", "must be erase or keep"))
	}
	return word == "erase", checkUser(r.AppID, r.ClientID)
}

// ExportUser is the request of user.export.
type ExportUser struct {
	AppID    string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID string `json:"client_id" need:"1" en:"the user" zh:"用户 id"`
	Reason   string `json:"reason" need:"1" prose:"1" en:"why, such as the number of a ticket; at most 500 characters, kept in the audit log" zh:"原因，例如工单号；最多 500 个字符，记入审计日志"`
}

// InApp is the app in which the caller needs its role.
func (r ExportUser) InApp() string { return r.AppID }

// Check checks the request. Errors: as of User; skein.ErrMalformed.
func (r ExportUser) Check() error {
	if utf8.RuneCountInString(r.Reason) > 500 {
		return cmp.Or(checkUser(r.AppID, r.ClientID), skein.Malformed("reason", "at most 500 characters"))
	}
	return checkUser(r.AppID, r.ClientID)
}

// UserSessionInfo is one session as answered.
type UserSessionInfo struct {
	SessionID  string `json:"session_id" en:"the session" zh:"会话连接 id"`
	DeviceID   string `json:"device_id" en:"its device" zh:"设备 id"`
	DeviceType string `json:"device_type" en:"other, ios, android, web, desktop or mini" zh:"other、ios、android、web、desktop 或 mini"`
}

// UserSessions is the answer of user.session.list.
type UserSessions struct {
	Data []UserSessionInfo `json:"data" en:"the user's sessions on all nodes, the newest login first" zh:"该用户在所有节点上的连接，最近登录的在前"`
}

// Erasure is the answer of user.erase: what went with the user.
type Erasure struct {
	Sessions      int  `json:"sessions" en:"sessions that ended" zh:"断开的连接数"`
	Conversations int  `json:"conversations" en:"conversations that the user left" zh:"退出的会话数"`
	Messages      int  `json:"messages" en:"messages whose content was erased until this answer" zh:"返回时已擦除内容的消息数"`
	Reactions     int  `json:"reactions" en:"reactions to messages of others that were removed until this answer" zh:"返回时已移除的表情回应数"`
	Complete      bool `json:"complete" en:"false: more messages and reactions are erased in the background; the webhook event user.erased says when that is done" zh:"false 表示其余消息与表情回应正在后台擦除，完成时有 webhook 事件 user.erased"`
}

// UserExport is the answer of user.export. Each list has the records of the list of that name in a portable
// folder.
type UserExport struct {
	Format        string           `json:"format" en:"skein-portable" zh:"skein-portable"`
	Version       int              `json:"version" en:"of the format" zh:"格式版本"`
	Time          int64            `json:"time" en:"the moment that the export shows, Unix ms" zh:"导出所反映的时刻，Unix 毫秒"`
	Clients       []jsontext.Value `json:"clients" en:"the user" zh:"该用户"`
	Conversations []jsontext.Value `json:"conversations" en:"the conversations of the following lists" zh:"以下各列表涉及的会话"`
	Members       []jsontext.Value `json:"members" en:"the user as a member" zh:"该用户的成员记录"`
	Messages      []jsontext.Value `json:"messages" en:"what the user sent and what it can see in its conversations" zh:"该用户发送的消息及其在会话中可见的消息"`
	Changes       []jsontext.Value `json:"changes" en:"the user's edits, recalls, reactions and pins" zh:"该用户的编辑、撤回、表情回应与置顶"`
	Files         []jsontext.Value `json:"files" en:"the files that the user uploaded, without their content" zh:"该用户上传的文件，不含内容"`
}
