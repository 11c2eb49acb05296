package wire

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// BeforeMessage is the data of what a hook before messages is asked.
type BeforeMessage struct {
	ConvType int     `json:"conv_type" en:"of the conversation: 1 private, 2 temporary, 3 group, 4 chat room" zh:"会话类型：1 私聊 2 临时 3 群 4 聊天室"`
	DeviceID *string `json:"device_id" en:"of the sender; null: not known" zh:"发送者的设备；未知为 null"`
	Message  Message `json:"message" en:"the message; its seq is 0 if it is sent; if it is edited, as it is to become" zh:"消息；发送时 seq 为 0，编辑时为编辑后的内容"`
}

// NewBeforeMessage writes the question.
func NewBeforeMessage(q *skein.Question) BeforeMessage {
	return BeforeMessage{ConvType: int(q.ConvType), DeviceID: nullable(q.Device), Message: MessageOf(q.Message)}
}

// BeforeClient is who does what a hook is asked about.
type BeforeClient struct {
	ClientID string  `json:"client_id" en:"who does it" zh:"操作者"`
	DeviceID *string `json:"device_id" en:"the client's device; null: not known" zh:"操作者的设备；未知为 null"`
}

func beforeClient(q *skein.Question) BeforeClient { return BeforeClient{q.Client, nullable(q.Device)} }

// BeforeMembers is the data of what a hook before members is asked.
type BeforeMembers struct {
	BeforeClient

	ConvID    skein.ID `json:"conv_id" en:"the conversation" zh:"会话 id"`
	ConvType  int      `json:"conv_type" en:"1 private, 2 temporary, 3 group, 4 chat room" zh:"1 私聊 2 临时 3 群 4 聊天室"`
	ClientIDs []string `json:"client_ids" en:"who is to be added; client_id alone: it joins by itself" zh:"将加入的用户；仅为 client_id 时是其自行加入"`
}

// NewBeforeMembers writes the question.
func NewBeforeMembers(q *skein.Question) BeforeMembers {
	return BeforeMembers{beforeClient(q), q.Conv, int(q.ConvType), append([]string{}, q.Clients...)}
}

// BeforeConversation is the data of what a hook before conversations is asked.
type BeforeConversation struct {
	BeforeMembers

	ConvExtend jsontext.Value `json:"conv_extend" en:"the JSON of the app's own" zh:"会话扩展"`
}

// NewBeforeConversation writes the question.
func NewBeforeConversation(q *skein.Question) BeforeConversation {
	return BeforeConversation{NewBeforeMembers(q), rawOf(q.Extend)}
}

// BeforeLogin is the data of what a hook before logins is asked.
type BeforeLogin struct {
	BeforeClient

	Addr string `json:"addr" en:"the client's address" zh:"用户的地址"`
}

// NewBeforeLogin writes the question.
func NewBeforeLogin(q *skein.Question) BeforeLogin { return BeforeLogin{beforeClient(q), q.Addr} }

// BeforeUpload is the data of what a hook before uploads is asked.
type BeforeUpload struct {
	BeforeClient

	Path  string  `json:"path" en:"of the file's link, without the host, which a client might have made up; its content can be read there" zh:"文件链接的路径，可读取内容；不含主机名，因其可被客户端伪造"`
	Title *string `json:"title" en:"what its uploader calls it; null: nothing" zh:"上传者给出的文件名；无为 null"`
	Bytes int64   `json:"bytes" en:"its size" zh:"字节数"`
}

// NewBeforeUpload writes the question.
func NewBeforeUpload(q *skein.Question) BeforeUpload {
	return BeforeUpload{beforeClient(q), q.Path, nullable(q.Title), q.Bytes}
}
