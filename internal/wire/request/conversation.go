package request

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// CreateConversation is the request of conv.create.
type CreateConversation struct {
	ClientID     strict.ID      `json:"client_id" en:"the creator; a client that calls for itself may omit it" zh:"创建者；客户端调用时可省略"`
	ToClientIDs  []strict.ID    `json:"to_client_ids" need:"1" en:"the other members" zh:"其他成员"`
	ConvType     *int64         `json:"conv_type" need:"1" en:"1 private, 2 temporary, 3 group, 4 chat room" zh:"1 私聊 2 临时会话 3 群会话 4 聊天室"`
	ConvExtend   jsontext.Value `json:"conv_extend" en:"any JSON, at most 16 KiB; rules as attr of msg.send" zh:"会话扩展，任意 JSON，最大 16 KiB；规则同 msg.send 的 attr"`
	ClientConvID strict.ID      `json:"client_conv_id" en:"an id of your own, at most 64 characters; a retry with the same id returns the conversation that the first call created, even if it names other members" zh:"自定义 id，最多 64 个字符；以相同 id 重试会返回首次创建的会话"`
	TTL          *int64         `json:"ttl" en:"conv_type 2: seconds to keep the conversation after its last message; default 7 days, at most 365 days" zh:"临时会话在最后一条消息后保留的秒数，默认 7 天，最长 365 天"`
}

// Conversation names one conversation.
type Conversation struct {
	ConvID strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
}

// QueryConversations is the request of conv.query.
type QueryConversations struct {
	Where jsontext.Value `json:"where" en:"list of [field, operator, value]; a conversation must meet all of them. Clients may omit it. ctime and mtime take Unix ms, or the text as answered, which stands for that whole second" zh:"查询条件：[字段, 操作符, 值] 的列表，AND 关系；客户端调用时可省略。ctime、mtime 的值为 Unix 毫秒，或返回的时间文本（表示这一整秒）"`

	Order string `json:"order" en:"active: newest activity first (default); created: oldest first, an order that never changes" zh:"active 按最近活跃（默认）；created 按创建时间从旧到新，顺序稳定"`

	Paging
}

// ByCreation checks the order. Errors: skein.ErrMalformed.
func (r QueryConversations) ByCreation() (bool, error) {
	switch r.Order {
	case "", "active":
		return false, nil
	case "created":
		return true, nil
	default:
		return false, skein.Malformed("order", "must be active or created")
	}
}

// Conditions reads the where; asked is false if there is none.
func (r QueryConversations) Conditions(zone *time.Location) (where []skein.Condition, asked bool, err error) {
	if strict.NonNull(r.Where) == nil {
		return nil, false, nil
	}
	where, err = ParseWhere(r.Where, zone)
	return where, true, err
}

// UpdateConversations is the request of conv.update.
type UpdateConversations struct {
	Where  jsontext.Value `json:"where" need:"1" en:"as in conv.query, not empty; at most 1,000 conversations may match" zh:"查询条件，不可为空；最多匹配 1000 个会话"`
	Update jsontext.Value `json:"update" need:"1" en:"{\"conv_extend\": …}; replaces the whole extension" zh:"{\"conv_extend\": …}，整体替换"`
}

// Draft checks the request and is the conversation it asks for.
func (r CreateConversation) Draft() (skein.Conversation, error) {
	c := skein.Conversation{Type: skein.ConvType(*r.ConvType)}
	if *r.ConvType != int64(c.Type) || !c.Type.Valid() {
		return c, &skein.Fault{Err: skein.ErrConvType, Field: "conv_type", Detail: "must be 1, 2, 3 or 4"}
	}
	if c.Type == skein.Temporary {
		c.TTL = skein.DefaultTTL
	}
	if r.TTL != nil {
		if c.Type != skein.Temporary || *r.TTL < 1 || *r.TTL > int64(skein.MaxTTL/time.Second) {
			return c, skein.Malformed("ttl", "must be 1 second to 365 days, for conv_type 2 only")
		}
		c.TTL = time.Duration(*r.TTL) * time.Second
	}
	if err := checkToken("client_conv_id", string(r.ClientConvID)); err != nil {
		return c, err
	}
	extend, err := Extension("conv_extend", r.ConvExtend)
	c.Extend = extend
	return c, err
}

// Extend checks that the update has conv_extend and nothing else, and is its value; nil
// for null.
func (r UpdateConversations) Extend() ([]byte, error) {
	update := map[string]jsontext.Value{}
	if r.Update.Kind() != '{' {
		return nil, skein.Malformed("update", "must be an object")
	}
	if err := strict.Object(r.Update, &update); err != nil {
		return nil, err
	}
	extend, ok := update["conv_extend"]
	if !ok || len(update) != 1 {
		return nil, skein.Malformed("update", "must hold conv_extend and nothing else")
	}
	return Extension("update.conv_extend", extend)
}

// JoinConversation is the request of conv.join and conv.leave.
type JoinConversation struct {
	ConvID   strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	ClientID strict.ID `json:"client_id" en:"the client; a client that calls for itself may omit it" zh:"用户；客户端调用时可省略"`
}
