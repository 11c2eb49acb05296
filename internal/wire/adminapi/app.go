package adminapi

import (
	"time"
	"unicode/utf8"

	"github.com/skein-im/skein"
)

// Bounds of apps in the Admin API.
const (
	DefaultAppsLimit = 100
	MaxAppsLimit     = 500
)

// NewApp is the request of app.create.
type NewApp struct {
	AppID    string   `json:"app_id" need:"1" en:"1..64 of A-Z a-z 0-9 - _" zh:"1..64 个 A-Z a-z 0-9 - _"`
	Name     string   `json:"name" prose:"1" en:"shown to people, at most 100 characters; absent: the app_id" zh:"显示名称，最多 100 个字符；省略为 app_id"`
	Settings Settings `json:"settings" en:"absent ones have their default" zh:"省略的设置取默认值"`
}

// Permit refuses settings that the caller may not choose.
func (r NewApp) Permit(o *skein.OperatorAccount) error { return r.Settings.Permit(o, "") }

// App names one app.
type App struct {
	AppID string `json:"app_id" need:"1" en:"the app" zh:"应用"`
}

// InApp is the app in which the caller needs its role.
func (r App) InApp() string { return r.AppID }

// ListApps is the request of app.list.
type ListApps struct {
	After string `json:"after" en:"only apps behind this app_id: next_after of the previous page" zh:"只返回此 app_id 之后的应用：上一页的 next_after"`
	Limit *int64 `json:"limit" en:"1..500; absent: 100" zh:"1..500；省略为 100"`
}

// Page checks the request. Errors: skein.ErrMalformed.
func (r ListApps) Page() (limit int, err error) {
	switch {
	case len(r.After) > 256:
		return 0, skein.Malformed("after", "at most 256 bytes")
	case r.Limit == nil:
		return DefaultAppsLimit, nil
	case *r.Limit < 1 || *r.Limit > MaxAppsLimit:
		return 0, skein.Malformed("limit", "must be 1 to 500")
	}
	return int(*r.Limit), nil
}

// UpdateApp is the request of app.update.
type UpdateApp struct {
	AppID    string   `json:"app_id" need:"1" en:"the app" zh:"应用"`
	Name     *string  `json:"name" prose:"1" en:"new name, 1..100 characters; absent: as it is" zh:"新名称，1..100 个字符；省略则不变"`
	Settings Settings `json:"settings" en:"those to change; absent ones stay as they are" zh:"要修改的设置；省略的保持不变"`
}

// InApp is the app in which the caller needs its role.
func (r UpdateApp) InApp() string { return r.AppID }

// Permit refuses settings that the caller may not change.
func (r UpdateApp) Permit(o *skein.OperatorAccount) error { return r.Settings.Permit(o, r.AppID) }

// NewAppKey is the request of app.key.create.
type NewAppKey struct {
	AppID    string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	KeyName  string `json:"key_name" need:"1" en:"1..64 of A-Z a-z 0-9 - _ . @" zh:"1..64 个 A-Z a-z 0-9 - _ . @"`
	TTL      *int64 `json:"ttl" en:"seconds until the key expires, 60 to 315360000; absent: never" zh:"密钥有效秒数，60 至 315360000；省略为永不过期"`
	Replaces string `json:"replaces" en:"name of an older key that expires after grace; absent: none" zh:"被替换的旧密钥名称，于 grace 后失效；省略为无"`
	Grace    *int64 `json:"grace" en:"seconds that the older key stays valid, 0 to 2592000; absent: 1 day" zh:"旧密钥继续有效的秒数，0 至 2592000；省略为 1 天"`
}

// InApp is the app in which the caller needs its role.
func (r NewAppKey) InApp() string { return r.AppID }

// AppKey names one key of an app.
type AppKey struct {
	AppID   string `json:"app_id" need:"1" en:"the app" zh:"应用"`
	KeyName string `json:"key_name" need:"1" en:"the key" zh:"密钥名称"`
}

// InApp is the app in which the caller needs its role.
func (r AppKey) InApp() string { return r.AppID }

// AppLine is an app in a list.
type AppLine struct {
	AppID     string `json:"app_id" en:"the app" zh:"应用"`
	Name      string `json:"name" en:"shown to people" zh:"显示名称"`
	Created   int64  `json:"created" en:"Unix ms" zh:"创建时间，Unix 毫秒"`
	TokenAuth bool   `json:"token_auth" en:"whether a call needs a key or a token" zh:"调用是否需要密钥或令牌"`
}

// Apps is the answer of app.list.
type Apps struct {
	Data      []AppLine `json:"data" en:"apps in which the caller has a role, by app_id" zh:"调用者有角色的应用，按 app_id 排序"`
	NextAfter *string   `json:"next_after" en:"send it as after to get the next page; null at the end" zh:"作为 after 取下一页；到末尾为 null"`
}

// AppView is one app as answered, without its secrets.
type AppView struct {
	AppID    string   `json:"app_id" en:"the app" zh:"应用"`
	Name     string   `json:"name" en:"shown to people" zh:"显示名称"`
	Created  int64    `json:"created" en:"Unix ms" zh:"创建时间，Unix 毫秒"`
	Settings Settings `json:"settings" en:"all settings" zh:"全部设置"`
}

// KeyInfo is one key of an app as answered, without the key itself.
type KeyInfo struct {
	KeyName string `json:"key_name" en:"the key" zh:"密钥名称"`
	Created int64  `json:"created" en:"Unix ms" zh:"创建时间，Unix 毫秒"`
	Expires *int64 `json:"expires" en:"Unix ms; null: never" zh:"过期时间，Unix 毫秒；null 为永不"`

	LastUsed *int64 `json:"last_used" en:"when a call last showed the key, Unix ms, known to about a minute; null: never, or not for 400 days" zh:"最近一次被使用的时间，Unix 毫秒，精度约一分钟；null 为从未或 400 天内未使用"`
}

// Keys is the answer of app.key.list.
type Keys struct {
	Data []KeyInfo `json:"data" en:"the keys, oldest first; expired ones are left out" zh:"密钥，按创建先后；不含已过期的"`
}

// IssuedApp is a new app.
type IssuedApp struct {
	AppView

	AppKey      string `json:"app_key" en:"the first key, named default; the server keeps only its hash and cannot show it again" zh:"首个密钥，名为 default；服务器只保存其哈希，无法再次显示"`
	TokenSecret string `json:"token_secret" en:"secret that signs the tokens of the app's clients" zh:"签发该应用用户令牌的密钥"`
}

// IssuedKey is a new key.
type IssuedKey struct {
	AppID   string `json:"app_id" en:"the app" zh:"应用"`
	KeyName string `json:"key_name" en:"the key" zh:"密钥名称"`
	AppKey  string `json:"app_key" en:"the key itself; the server keeps only its hash and cannot show it again" zh:"密钥本身；服务器只保存其哈希，无法再次显示"`
	Expires *int64 `json:"expires" en:"Unix ms; null: never" zh:"过期时间，Unix 毫秒；null 为永不"`
}

// AppOf writes an app.
func AppOf(a skein.App) AppView {
	return AppView{AppID: a.ID, Name: a.Name, Created: int64(a.Created), Settings: SettingsOf(a.Settings)}
}

// AppLineOf writes an app of a list.
func AppLineOf(a skein.App) AppLine {
	return AppLine{AppID: a.ID, Name: a.Name, Created: int64(a.Created), TokenAuth: !a.Settings.Open}
}

// KeysOf writes the keys of an app. uses says when keys of these names were last used: perhaps an
// earlier key of the same name.
func KeysOf(a skein.App, uses map[string]skein.Millis, now skein.Millis) Keys {
	keys := Keys{Data: []KeyInfo{}}
	for _, k := range a.Keys {
		if k.Expires != 0 && k.Expires <= now {
			continue
		}
		var used *int64
		if at := uses[k.Name]; at >= k.Created {
			used = millisOrNull(at)
		}
		keys.Data = append(keys.Data, KeyInfo{k.Name, int64(k.Created), millisOrNull(k.Expires), used})
	}
	return keys
}

// KeyOf writes a new key.
func KeyOf(app string, k skein.AppKey, plain string) IssuedKey {
	return IssuedKey{AppID: app, KeyName: k.Name, AppKey: plain, Expires: millisOrNull(k.Expires)}
}

func millisOrNull(m skein.Millis) *int64 {
	if m == 0 {
		return nil
	}
	n := int64(m)
	return &n
}

// CheckApp checks the id of an app. Errors: skein.ErrMalformed.
func CheckApp(id string) error {
	if !skein.ValidAppID(id) {
		return skein.Malformed("app_id", "must be 1 to 64 of A-Z a-z 0-9 - _")
	}
	return nil
}

// CheckAppName checks what an app is called. Errors: skein.ErrMalformed.
func CheckAppName(name string) error {
	if n := utf8.RuneCountInString(name); n < 1 || n > skein.MaxAppName {
		return skein.Malformed("name", "must be 1 to 100 characters")
	}
	return nil
}

// KeyLife checks how long a key is to live; zero: for ever. Errors: skein.ErrMalformed.
func KeyLife(ttl *int64) (time.Duration, error) {
	const most = 10 * 365 * 24 * 60 * 60
	if ttl == nil {
		return 0, nil
	}
	if *ttl < 60 || *ttl > most {
		return 0, skein.Malformed("ttl", "must be 60 to 315360000 seconds")
	}
	return time.Duration(*ttl) * time.Second, nil
}
