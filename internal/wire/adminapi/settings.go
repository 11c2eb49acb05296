package adminapi

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/skein-im/skein"
)

// Settings are the settings of an app: those to change in a request, all of them in an answer. This struct is the table of
// settings: its tags make the JSON, the checks, the reference, and the flags of the commands. A new setting is a line here and a field of
// skein.Settings.
//
//   - of: the field of skein.Settings; ! turns a switch around
//   - default: what holds where nothing is set (zero for a number): a value; "--flag", the server's; or words in both languages, "no limit|不限"
//   - range: least and most of a number, beside zero: "1..100"; -1 as the least means no limit
//   - size: most bytes of a text that may be anything
//   - words: the values of a text in the order of the numbers that stand for them, from 1; of two words for a switch, no and yes
//   - who: the role that may change it: "admin" and "owner" in the app, "installation" an admin of the installation
type Settings struct {
	TokenAuth        *bool     `json:"token_auth,omitzero" of:"!Open" default:"true" who:"owner" en:"whether a call needs a key or a token; if not, everybody has the server role" zh:"调用是否需要密钥或令牌；否则任何人都拥有服务端权限"`
	RelaxedClientIDs *bool     `json:"relaxed_client_ids,omitzero" of:"RelaxedClientIDs" default:"false" who:"admin" en:"whether client ids may hold _ - . @ : too" zh:"client_id 是否还可含 _ - . @ :"`
	AutoRegister     *bool     `json:"auto_register,omitzero" of:"!NoAutoRegister" default:"true" who:"admin" en:"whether the first login of an unknown client registers it" zh:"未知用户首次登录时是否自动注册"`
	MembersMayInvite *bool     `json:"members_may_invite,omitzero" of:"MembersMayInvite" default:"false" who:"admin" en:"whether any member of a group may add members, not only owner and admins" zh:"群内任何成员是否都可加人，而不仅是群主与管理员"`
	AddBy            *string   `json:"add_by,omitzero" of:"AddBy" words:"anyone known nobody" default:"anyone" who:"admin" en:"which clients may add a client that chose nothing to conversations; known: those with whom it has exchanged private messages" zh:"哪些用户可以把未作选择的用户加入会话；known 指与其互发过私信者"`
	MentionAll       *bool     `json:"members_may_mention_all,omitzero" of:"!ManagersMentionAll" default:"true" who:"admin" en:"whether any member of a group or chat room may mention everyone, not only owner and admins" zh:"群或聊天室内任何成员是否都可 @所有人，而不仅是群主与管理员"`
	PrivateHistory   *bool     `json:"private_history,omitzero" of:"PrivateHistory" default:"false" who:"admin" en:"whether members see only what was said after they joined" zh:"成员是否只能看到加入之后的消息"`
	OnePerDeviceType *bool     `json:"one_per_device_type,omitzero" of:"OnePerDeviceType" default:"false" who:"admin" en:"whether a login ends the client's other sessions on devices of the same type" zh:"登录时是否结束该用户同类设备上的其他会话"`
	Presence         *bool     `json:"presence,omitzero" of:"!HidePresence" default:"true" who:"admin" en:"whether clients may ask who is online" zh:"用户是否可以查询谁在线"`
	LastSeen         *bool     `json:"last_seen,omitzero" of:"LastSeen" default:"false" who:"admin" en:"whether presence tells when a client was last online" zh:"在线状态是否包含最后在线时间"`
	MaxDevices       *int64    `json:"max_devices,omitzero" of:"MaxDevices" range:"1..1000" default:"10" who:"admin" en:"most devices of a client that are online" zh:"每个用户同时在线的设备数上限"`
	MaxSockets       *int64    `json:"max_sockets,omitzero" of:"MaxSockets" range:"1..1000000000" default:"the app's share of the node|该应用在节点中的份额" who:"installation" en:"most logged-in sockets on each node" zh:"每个节点上已登录连接数上限"`
	MaxMembers       *int64    `json:"max_members,omitzero" of:"MaxMembers" range:"1..1000000000" default:"--max-members" who:"installation" en:"most members of a group" zh:"群成员数上限"`
	MaxConversations *int64    `json:"max_conversations,omitzero" of:"MaxConversations" range:"1..1000000000" default:"--max-conversations" who:"installation" en:"most conversations of a client" zh:"每个用户的会话数上限"`
	SendRate         *int64    `json:"send_rate,omitzero" of:"SendRate" range:"-1..1000000000" default:"--send-rate" who:"installation" en:"messages that a client may send a second" zh:"每个用户每秒可发送的消息数"`
	SendBurst        *int64    `json:"send_burst,omitzero" of:"SendBurst" range:"1..1000000000" default:"--send-burst" who:"installation" en:"messages that a client may send at once" zh:"每个用户可一次突发的消息数"`
	RESTRate         *int64    `json:"rest_rate,omitzero" of:"RESTRate" range:"-1..1000000000" default:"--rest-rate" who:"installation" en:"REST calls a second, for each app key and each client" zh:"每秒 REST 调用数，按每个密钥与每个用户分别计算"`
	CommandRate      *int64    `json:"command_rate,omitzero" of:"CommandRate" range:"-1..1000000000" default:"100" who:"installation" en:"socket commands a second, for each session" zh:"每个连接每秒的命令数"`
	LoginRate        *int64    `json:"login_rate,omitzero" of:"LoginRate" range:"-1..1000000000" default:"--login-rate" who:"installation" en:"failed logins a minute, for each client from one address" zh:"每个用户在同一地址每分钟可失败的登录次数"`
	EditWindow       *int64    `json:"edit_window,omitzero" of:"EditWindow" range:"-1..1000000000" default:"86400" who:"admin" en:"seconds in which a sender may edit a message" zh:"发送者可编辑消息的秒数"`
	RecallWindow     *int64    `json:"recall_window,omitzero" of:"RecallWindow" range:"-1..1000000000" default:"120" who:"admin" en:"seconds in which a sender may recall a message" zh:"发送者可撤回消息的秒数"`
	AllowedOrigins   *[]string `json:"allowed_origins,omitzero" of:"AllowedOrigins" default:"none|无" who:"admin" en:"web pages that may call the app, at most 100: exact origins such as https://example.com, or all below a name, *.example.com" zh:"允许调用该应用的网页来源，最多 100 个：如 https://example.com，或某域名下全部 *.example.com"`
	FileTypes        *[]string `json:"file_types,omitzero" of:"FileTypes" default:"the usual ones|常用类型" who:"admin" en:"file name extensions that may be uploaded, at most 200" zh:"允许上传的文件扩展名，最多 200 个"`
	MaxFileBytes     *int64    `json:"max_file_bytes,omitzero" of:"MaxFileBytes" range:"1..1099511627776" default:"104857600" who:"installation" en:"largest upload in bytes" zh:"单个上传文件的字节数上限"`
	MaxStorageBytes  *int64    `json:"max_storage_bytes,omitzero" of:"MaxStorageBytes" range:"1..1125899906842624" default:"no limit|不限" who:"installation" en:"most bytes of all uploads together; messages are not counted. The event app.quota_warning tells of 80 %" zh:"全部上传文件的字节数上限；不含消息。用至 80 % 时发出 app.quota_warning 事件"`
	QuotaMessages    *int64    `json:"quota_messages,omitzero" of:"QuotaMessages" range:"1..1125899906842624" default:"none|无" who:"installation" en:"messages a day (UTC); the event app.quota_warning tells of 80 %, and nothing is refused" zh:"每日（UTC）消息数配额，用至 80 % 时发出 app.quota_warning 事件；不拒绝任何消息"`
	QuotaDeliveries  *int64    `json:"quota_deliveries,omitzero" of:"QuotaDeliveries" range:"1..1125899906842624" default:"none|无" who:"installation" en:"frames a day (UTC) to sockets of the app; the event app.quota_warning tells of 80 %, and nothing is refused" zh:"每日（UTC）推送帧数配额，用至 80 % 时发出 app.quota_warning 事件；不拒绝任何推送"`
	QuotaConnections *int64    `json:"quota_connections,omitzero" of:"QuotaConnections" range:"1..1000000000" default:"none|无" who:"installation" en:"logged-in sockets on all nodes; the event app.quota_warning tells of 80 %, and nothing is refused: max_sockets refuses" zh:"全部节点上已登录连接数配额，达到 80 % 时发出 app.quota_warning 事件；不拒绝连接，拒绝由 max_sockets 决定"`
	FileAccess       *string   `json:"file_access,omitzero" of:"PrivateFiles" words:"public signed" default:"public" who:"admin" en:"who may open an upload: public, whoever has its link; signed, whoever has a signed link that has not expired, and who reads what names the file gets a new link" zh:"谁可打开上传文件：public 持有链接者；signed 持有未过期签名链接者，读取引用该文件的内容时得到新链接"`
	FileLinkLife     *int64    `json:"file_link_life,omitzero" of:"FileLinkLife" range:"60..604800" default:"3600" who:"admin" en:"seconds after which a signed link expires" zh:"签名链接的有效秒数"`
	JWKS             *string   `json:"jwks,omitzero" of:"JWKS" size:"16384" default:"none|无" who:"admin" en:"keys that verify tokens (RS256, ES256, EdDSA) beside the token secret: the https URL of a JSON Web Key Set, or the set itself" zh:"除 token secret 外用于验证 token（RS256、ES256、EdDSA）的公钥：JSON Web Key Set 的 https 地址，或其 JSON 本身"`
	TokenIssuer      *string   `json:"token_issuer,omitzero" of:"TokenIssuer" size:"1024" default:"not checked|不检查" who:"admin" en:"iss that tokens verified by jwks must have" zh:"由 jwks 验证的 token 必须具有的 iss"`
	TokenAudience    *string   `json:"token_audience,omitzero" of:"TokenAudience" size:"1024" default:"not checked|不检查" who:"admin" en:"aud that tokens verified by jwks must have; with it they need no claim app" zh:"由 jwks 验证的 token 必须具有的 aud；设置后 token 可不含 app"`
}

// Setting is one line of the table.
type Setting struct {
	Name      string // in JSON
	Default   string // of the tag
	Who       string // of the tag
	Words     []string
	Type      reflect.Type // of the field: a pointer
	EN, ZH    string
	field, of int  // in Settings, in skein.Settings
	inverted  bool // see the tag "of"
	toggle    bool // the field of skein.Settings is a switch
	least     int64
	most      int64 // zero: the setting is no number
	size      int   // zero: the setting is no free text
	numeric   int64 // the default of a number; zero: in words
	Unlimited bool  // -1 means no limit
}

// AllSettings is the table.
var AllSettings = func() []Setting {
	own, stored := reflect.TypeFor[Settings](), reflect.TypeFor[skein.Settings]()
	all := make([]Setting, 0, own.NumField())
	for i := range own.NumField() {
		f := own.Field(i)
		s := Setting{Default: f.Tag.Get("default"), Who: f.Tag.Get("who"), Words: strings.Fields(f.Tag.Get("words")), Type: f.Type, EN: f.Tag.Get("en"), ZH: f.Tag.Get("zh"), field: i}
		s.Name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
		of, inverted := strings.CutPrefix(f.Tag.Get("of"), "!")
		target, ok := stored.FieldByName(of)
		if !ok {
			panic("setting " + s.Name + ": no field " + of)
		}
		s.of, s.inverted, s.toggle = target.Index[0], inverted, target.Type.Kind() == reflect.Bool
		s.size, _ = strconv.Atoi(f.Tag.Get("size"))
		if least, most, bounded := strings.Cut(f.Tag.Get("range"), ".."); bounded {
			s.least, s.most = number(s.Name, least), number(s.Name, most)
			s.Unlimited = s.least < 0
			s.numeric, _ = strconv.ParseInt(s.Default, 10, 64) // zero where it is words
		}
		all = append(all, s)
	}
	return all
}()

func number(setting, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("setting " + setting + ": " + err.Error())
	}
	return n
}

// SettingsOf writes the settings of an app. A number that is not set is written as its default
// if that is a number, and else as zero.
func SettingsOf(stored skein.Settings) Settings {
	var s Settings
	own, from := reflect.ValueOf(&s).Elem(), reflect.ValueOf(stored)
	for _, line := range AllSettings {
		value := reflect.New(line.Type.Elem())
		to, is := value.Elem(), from.Field(line.of)
		switch {
		case to.Kind() == reflect.Bool:
			to.SetBool(is.Bool() != line.inverted)
		case is.Kind() == reflect.Bool:
			to.SetString(line.Words[yes(is.Bool())])
		case line.size > 0:
			to.SetString(is.String())
		case to.Kind() == reflect.String:
			to.SetString(line.Words[max(is.Int(), 1)-1])
		case to.Kind() == reflect.Slice && is.IsNil() && line.Name == "file_types":
			continue // the default has no list: it is absent
		case to.Kind() == reflect.Slice:
			to.Set(reflect.AppendSlice(reflect.MakeSlice(to.Type(), 0, is.Len()), is))
		default:
			to.SetInt(cmp.Or(is.Int(), line.numeric))
		}
		own.Field(line.field).Set(value)
	}
	return s
}

// Change is what the given settings do to those of an app. Errors: skein.ErrMalformed, naming the
// setting and its bounds.
func (s Settings) Change() (func(*skein.Settings), error) {
	var steps []func(into reflect.Value)
	own := reflect.ValueOf(s)
	for _, line := range AllSettings {
		given := own.Field(line.field)
		if given.IsNil() {
			continue
		}
		value, err := line.stored(given.Elem())
		if err != nil {
			return nil, err
		}
		steps = append(steps, func(into reflect.Value) {
			field := into.Field(line.of)
			field.Set(reflect.ValueOf(value).Convert(field.Type()))
		})
	}
	return func(into *skein.Settings) {
		for _, step := range steps {
			step(reflect.ValueOf(into).Elem())
		}
	}, nil
}

// yes is the place of the word for a switch.
func yes(on bool) int {
	if on {
		return 1
	}
	return 0
}

// Differing are the settings of s and of other, without those that both have alike.
func (s Settings) Differing(other Settings) (own, others Settings) {
	a, b := reflect.ValueOf(&s).Elem(), reflect.ValueOf(&other).Elem()
	for i := range a.NumField() {
		if reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			a.Field(i).SetZero()
			b.Field(i).SetZero()
		}
	}
	return s, other
}

// maxFileTypes bounds the file types of an app, and maxFileType each of them in bytes.
const (
	maxFileTypes = 200
	maxFileType  = 32
)

// stored is a given value as skein.Settings has it. Errors: skein.ErrMalformed.
func (line Setting) stored(given reflect.Value) (any, error) {
	switch given.Kind() {
	case reflect.Bool:
		return given.Bool() != line.inverted, nil
	case reflect.String:
		if line.size > 0 {
			return line.text(given.String())
		}
		i := slices.Index(line.Words, given.String())
		if i < 0 {
			return nil, line.wrong("must be " + strings.Join(line.Words, ", "))
		}
		if line.toggle {
			return i == 1, nil
		}
		return i + 1, nil
	case reflect.Slice:
		list, _ := reflect.TypeAssert[[]string](given)
		if line.Name == "allowed_origins" {
			origins, err := skein.OriginPatterns(list)
			if err != nil {
				return nil, line.wrong(err.Error())
			}
			return origins, nil
		}
		return line.extensions(list)
	default:
		n := given.Int()
		if n != 0 && (n < line.least || n > line.most) {
			return nil, line.wrong("must be " + line.bounds("; -1: no limit", "; 0: the default"))
		}
		return n, nil
	}
}

func (line Setting) wrong(detail string) error { return skein.Malformed("settings."+line.Name, detail) }

// text is a text that may be anything, without space around it.
func (line Setting) text(given string) (string, error) {
	given = strings.TrimSpace(given)
	if len(given) > line.size {
		return "", line.wrong(fmt.Sprintf("at most %d bytes", line.size))
	}
	return given, nil
}

// bounds are the bounds of a number, with words about -1 and about 0.
func (line Setting) bounds(minus, zero string) string {
	text := fmt.Sprintf("%d to %d", max(line.least, 1), line.most)
	if line.Unlimited {
		text += minus
	}
	return text + zero
}

// extensions writes file types as package files compares them, each once; none is the default.
func (line Setting) extensions(list []string) ([]string, error) {
	var out []string
	for _, ext := range list {
		ext = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(ext), "."))
		if len(ext) > maxFileType || strings.ContainsAny(ext, "/\\\x00") {
			return nil, line.wrong(fmt.Sprintf("an extension has at most %d bytes and no slash", maxFileType))
		}
		if ext != "" && !slices.Contains(out, ext) {
			out = append(out, ext)
		}
	}
	if len(out) > maxFileTypes {
		return nil, line.wrong(fmt.Sprintf("at most %d", maxFileTypes))
	}
	return out, nil
}

// Permit refuses settings that an operator may not change in an app; the app "" is one that does not exist
// yet. Errors: skein.ErrForbidden, naming the setting and the role.
func (s Settings) Permit(o *skein.OperatorAccount, app string) error {
	own := reflect.ValueOf(s)
	for _, line := range AllSettings {
		if own.Field(line.field).IsNil() {
			continue
		}
		where, role := app, skein.OperatorAdmin
		switch line.Who {
		case "owner":
			role = skein.OperatorOwner
		case "installation":
			where = ""
		}
		if o.RoleIn(where) < role {
			return &skein.Fault{Err: skein.ErrForbidden, Field: "settings." + line.Name, Detail: line.whoEN()}
		}
	}
	return nil
}

func (line Setting) whoEN() string {
	return map[string]string{"admin": "an admin of the app may change it", "owner": "an owner of the app may change it", "installation": "an admin of the installation may change it"}[line.Who]
}

func (line Setting) whoZH() string {
	return map[string]string{"admin": "应用的 admin 可修改", "owner": "应用的 owner 可修改", "installation": "安装的 admin 可修改"}[line.Who]
}

// Doc is the setting in both languages: its meaning, bounds, default, and who may change it.
func (line Setting) Doc() (en, zh string) {
	en, zh = line.EN, line.ZH
	if line.most > 0 {
		en += "; " + line.bounds(", -1: no limit", "")
		zh += "；" + strings.Replace(line.bounds("，-1 为不限", ""), " to ", " 至 ", 1)
	}
	inEN, inZH := line.DefaultText()
	if line.most > 0 {
		return en + ", 0: " + inEN + ". " + upper(line.whoEN()), zh + "，0 为" + inZH + "。" + line.whoZH()
	}
	return en + "; default: " + inEN + ". " + upper(line.whoEN()), zh + "；默认：" + inZH + "。" + line.whoZH()
}

// DefaultText is the default in both languages.
func (line Setting) DefaultText() (en, zh string) {
	if strings.HasPrefix(line.Default, "--") {
		return "as the server's " + line.Default, "服务器的 " + line.Default
	}
	en, zh, both := strings.Cut(line.Default, "|")
	if !both {
		zh = en
	}
	return en, zh
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
