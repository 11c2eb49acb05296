package wire

import (
	"cmp"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Limits of a frame.
const (
	MaxBody    = 256 << 10 // bytes of a frame or a REST body
	maxType    = 64        // bytes of a frame's type
	maxFrameID = 256       // bytes of a frame's id, as JSON
)

// Frame is one command of a socket. Data and ID are parts of the bytes it was read
// from.
type Frame struct {
	Type string
	Data []byte // raw JSON; nil: absent or null
	ID   []byte // raw JSON string; nil: absent or null
}

// maxFrameDepth is that of a body and of the frame around it, so that a frame's data
// may nest as deep as a body.
const maxFrameDepth = maxDepth + 1

// ParseFrame reads a command. Errors: skein.ErrMalformed, skein.ErrMissing. The
// frame's type and id are set even with an error where they could be read, so that
// the sender learns which of its commands failed.
func ParseFrame(b []byte) (Frame, error) {
	var parts frameParts // raw, so that a value of the wrong type does not hide the others
	if err := eachMember(b, maxFrameDepth, parts.see); err != nil {
		return salvage(b, err)
	}
	return parts.frame()
}

// frameParts are the members of a frame as they were written.
type frameParts struct{ typ, data, id jsontext.Value }

func (p *frameParts) see(name, value []byte) {
	switch string(name) {
	case "type":
		p.typ = value
	case "data":
		p.data = value
	case "id":
		p.id = value
	}
}

func (p *frameParts) frame() (Frame, error) {
	frame := Frame{Data: nonNull(p.data)}
	var typeErr, idErr error
	frame.Type, typeErr = frameType(p.typ)
	frame.ID, idErr = frameID(p.id)
	return frame, cmp.Or(idErr, typeErr, checkData(frame.Data))
}

// frameID is the id as it is answered. Errors: skein.ErrMalformed; the id is set all
// the same where a text can be made of it.
func frameID(raw jsontext.Value) ([]byte, error) {
	raw = nonNull(raw)
	_, odd := survey(raw)
	switch {
	case raw == nil:
		return nil, nil
	case len(raw) > maxFrameID:
		return nil, errFrameID
	case raw.Kind() == '0':
		return appendQuote(nil, string(raw)), errFrameID
	case raw.Kind() != '"':
		return nil, errFrameID
	case odd:
		text, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return appendQuote(nil, string(text)), skein.Malformed("id", "unpaired surrogate")
		}
	}
	return raw, nil
}

var errFrameID = skein.Malformed("id", "must be a string of at most 254 bytes")

// checkData refuses what is no object, except a list, which is for the op to judge: it
// may stand for an object with it inside.
func checkData(data jsontext.Value) error {
	if data == nil {
		return nil
	}
	most := maxDepth
	switch data.Kind() {
	case '{':
	case '[':
		most--
	default:
		return skein.Malformed("data", "must be an object")
	}
	if depth, _ := survey(data); depth > most {
		return tooDeep
	}
	return nil
}

func frameType(raw jsontext.Value) (string, error) {
	raw = nonNull(raw)
	if raw == nil {
		return "", skein.Missing("type")
	}
	if raw.Kind() != '"' {
		return "", skein.Malformed("type", "must be a string")
	}
	var room [maxType]byte
	name, err := jsontext.AppendUnquote(room[:0], raw)
	switch {
	case err != nil:
		return "", skein.Malformed("type", "must be a string")
	case len(name) == 0:
		return "", skein.Missing("type")
	case len(name) > maxType:
		return "", skein.Malformed("type", "at most 64 bytes")
	}
	return string(name), nil
}

func nonNull(v jsontext.Value) jsontext.Value {
	if v.Kind() == 'n' || len(v) == 0 {
		return nil
	}
	return v
}

// AppendSuccess appends the answer to a command; data is JSON, id as in Frame.
func AppendSuccess(dst []byte, typ string, id, data []byte) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendQuote(dst, typ+".success")
	dst = append(dst, `,"msg":"success","data":`...)
	dst = appendRaw(dst, data)
	return appendFrameID(dst, id)
}

// AppendFailure appends the error answer to a command; with an empty typ, to a
// frame that could not be read as one.
func AppendFailure(dst []byte, typ string, id []byte, err error, lang Lang) []byte {
	name := "error"
	if typ != "" {
		name = typ + ".error"
	}
	dst = append(dst, `{"type":`...)
	dst = appendQuote(dst, name)
	dst = append(dst, `,"msg":`...)
	dst = appendQuote(dst, Text(err, lang))
	dst = append(dst, `,"code":`...)
	dst = strconv.AppendInt(dst, int64(CodeOf(err).Code), 10)
	dst = append(dst, `,"data":null`...)
	if wait := retryAfter(err); wait != 0 {
		dst = append(dst, `,"retry_after_ms":`...)
		dst = strconv.AppendInt(dst, max(1, wait.Milliseconds()), 10)
	}
	return appendFrameID(dst, id)
}

// AppendPong appends the answer to ping.
func AppendPong(dst, id []byte, now skein.Millis) []byte {
	dst = append(dst, `{"type":"pong","data":{"time":`...)
	dst = strconv.AppendInt(dst, int64(now), 10)
	dst = append(dst, '}')
	return appendFrameID(dst, id)
}

// AppendKick appends logout.kick, the last frame of a session that is ended.
func AppendKick(dst []byte, now skein.Millis, reason string) []byte {
	dst = append(dst, `{"type":"`+skein.EventKick+`","data":{"time":`...)
	dst = strconv.AppendInt(dst, int64(now), 10)
	dst = append(dst, `,"reason":`...)
	dst = appendQuote(dst, reason)
	return append(dst, "}}"...)
}

func appendFrameID(dst, id []byte) []byte {
	if id != nil {
		dst = append(dst, `,"id":`...)
		dst = append(dst, id...)
	}
	return append(dst, '}')
}

// LoginRequest is the data of login.
type LoginRequest struct {
	AppID      ClientID       `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID   ClientID       `json:"client_id" need:"1" en:"who logs in" zh:"登录的用户"`
	DeviceID   ClientID       `json:"device_id" need:"1" en:"this device; 1..64 characters, chosen by the client program" zh:"设备 id，1..64 个字符，由客户端程序决定"`
	DeviceType string         `json:"device_type" en:"ios android web desktop mini other; absent: other" zh:"设备类型：ios android web desktop mini other；省略为 other"`
	Token      string         `json:"token" en:"JWT, where the app asks for one" zh:"JWT，应用开启 token 验证时必填"`
	Ext        jsontext.Value `json:"ext" en:"any JSON, kept with the client when its first login registers it; a client that exists keeps its ext, see user.update" zh:"任意 JSON，首次登录注册用户时保存；已存在的用户不受影响，见 user.update"`
	Resume     Flag           `json:"resume" en:"1: resume an earlier login; keeps its age. Refused with 4013 if a newer login has replaced it" zh:"为 1 时恢复先前的登录，新旧仍以先前登录为准；已被更新的登录取代时返回 4013"`
	Generation string         `json:"generation" en:"with resume: from login.success of the login it goes on with; absent: older than any other" zh:"配合 resume：取自先前登录的 login.success；省略则视为最旧"`
	Lang       string         `json:"lang" en:"zh or en: the language of error texts on this socket; else as Accept-Language of the connection says" zh:"zh 或 en：本连接错误文本的语言；省略则按连接的 Accept-Language"`
}

// LoginAnswer is the data of login.success.
type LoginAnswer struct {
	Time       int64  `json:"time" en:"server time, Unix ms" zh:"服务器时间，Unix 毫秒"`
	SessionID  string `json:"session_id" en:"names this session" zh:"会话连接 id"`
	Generation string `json:"generation" en:"how new this login is; hand it back with resume when you reconnect" zh:"本次登录的新旧标识，重连时配合 resume 传回"`
	HeartbeatS int    `json:"heartbeat_s" en:"the server pings this often" zh:"服务器 ping 间隔（秒）"`
	Limits     Limits `json:"limits" en:"what holds for the client, so that it offers only what is allowed" zh:"对该用户生效的限制，客户端据此决定可用的功能"`
}

// Limits are what holds for the clients of an app.
type Limits struct {
	EditWindowS      *int     `json:"edit_window_s" en:"seconds after sending in which a sender may edit; null: no limit" zh:"发送者可编辑的秒数；null 为不限"`
	RecallWindowS    *int     `json:"recall_window_s" en:"seconds after sending in which a sender may recall; null: no limit" zh:"发送者可撤回的秒数；null 为不限"`
	MaxTextBytes     int      `json:"max_text_bytes" en:"of a message's text, in UTF-8" zh:"消息文本的最大字节数（UTF-8）"`
	MaxFrameBytes    int64    `json:"max_frame_bytes" en:"of a frame, or of a REST body" zh:"单帧或 REST 请求体的最大字节数"`
	MaxFileBytes     int64    `json:"max_file_bytes" en:"of an upload" zh:"上传文件的最大字节数"`
	FileTypes        []string `json:"file_types" en:"extensions that may be uploaded" zh:"可上传的扩展名"`
	MaxMembers       int      `json:"max_members" en:"of a group" zh:"群成员数上限"`
	MaxConversations int      `json:"max_conversations" en:"that a client may be in" zh:"每个用户的会话数上限"`
	SendRate         *int     `json:"send_rate" en:"messages a second; null: no limit" zh:"每秒消息数；null 为不限"`
	SendBurst        int      `json:"send_burst" en:"messages at once" zh:"突发消息数"`
}

// LimitsOf are those of an app; frame bounds a frame, and types are what may be uploaded
// where the app lists none.
func LimitsOf(s skein.Settings, frame int64, types []string) Limits {
	s = s.WithDefaults()
	if s.FileTypes != nil {
		types = s.FileTypes
	}
	return Limits{
		EditWindowS: unlessNegative(s.EditWindow), RecallWindowS: unlessNegative(s.RecallWindow), MaxTextBytes: skein.MaxText, MaxFrameBytes: frame,
		MaxFileBytes: s.MaxFileBytes, FileTypes: append([]string{}, types...), MaxMembers: s.MaxMembers,
		MaxConversations: s.MaxConversations, SendRate: unlessNegative(s.SendRate), SendBurst: s.SendBurst,
	}
}

// unlessNegative is nil for a negative number.
func unlessNegative(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// DecodeLogin reads and checks the data of login.
func DecodeLogin(data []byte) (LoginRequest, error) {
	var in LoginRequest
	if err := Decode(data, &in); err != nil {
		return in, err
	}
	if _, known := skein.ParseDeviceType(in.DeviceType); !known {
		return in, skein.Malformed("device_type", "must be ios, android, web, desktop, mini or other")
	}
	if in.Generation != "" {
		if _, err := skein.ParseID(in.Generation); err != nil {
			return in, skein.Malformed("generation", "must be 32 lower-case hexadecimal digits")
		}
	}
	if err := checkDeviceID(string(in.DeviceID)); err != nil {
		return in, err
	}
	var err error
	in.Ext, err = Extension("ext", in.Ext)
	return in, err
}

// Append appends the answer as JSON.
func (a LoginAnswer) Append(dst []byte) []byte {
	out, _ := json.Marshal(a) // strings and integers: it cannot fail
	return append(dst, out...)
}

// Pong is the data of pong.
type Pong struct {
	Time int64 `json:"time" en:"server time, Unix ms" zh:"服务器时间，Unix 毫秒"`
}

// Kick is the data of logout.kick.
type Kick struct {
	Time   int64  `json:"time" en:"server time, Unix ms" zh:"服务器时间，Unix 毫秒"`
	Reason string `json:"reason" en:"replaced, device_limit, device_type, token_expired, banned, logged_out or deleted" zh:"replaced、device_limit、device_type、token_expired、banned、logged_out 或 deleted"`
}
