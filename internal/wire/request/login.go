package request

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Login is the data of login.
type Login struct {
	AppID      strict.ID      `json:"app_id" need:"1" en:"the app" zh:"应用"`
	ClientID   strict.ID      `json:"client_id" need:"1" en:"who logs in" zh:"登录的用户"`
	DeviceID   strict.ID      `json:"device_id" need:"1" en:"this device; 1..64 characters, chosen by the client program" zh:"设备 id，1..64 个字符，由客户端程序决定"`
	DeviceType string         `json:"device_type" en:"ios, android, web, desktop, mini or other; default other" zh:"设备类型：ios android web desktop mini other；省略为 other"`
	Token      string         `json:"token" en:"JWT; required if the app has token authentication on" zh:"JWT，应用开启 token 验证时必填"`
	Ext        jsontext.Value `json:"ext" en:"any JSON, stored when the first login registers the client; it does not change an existing client, see user.update" zh:"任意 JSON，首次登录注册用户时保存；已存在的用户不受影响，见 user.update"`
	Resume     strict.Flag    `json:"resume" en:"1: resume an earlier login; keeps its age. Refused with 4013 if a newer login has replaced it" zh:"为 1 时恢复先前的登录，新旧仍以先前登录为准；已被更新的登录取代时返回 4013"`
	Generation string         `json:"generation" en:"with resume: generation of the earlier login.success; absent: the login counts as the oldest" zh:"配合 resume：取自先前登录的 login.success；省略则视为最旧"`
	Lang       string         `json:"lang" en:"zh or en: language of error texts on this socket; default: Accept-Language of the connection" zh:"zh 或 en：本连接错误文本的语言；省略则按连接的 Accept-Language"`
}

// DecodeLogin reads and checks the data of login.
func DecodeLogin(data []byte) (Login, error) {
	var in Login
	if err := strict.Decode(data, &in); err != nil {
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
