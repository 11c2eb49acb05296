package reference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// grid is a Markdown table of rows below a head.
func grid(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "|", `\|`)
		}
		line(row)
	}
	return strings.TrimSpace(b.String())
}

// requestTable tells the fields of a request.
func (w *writer) requestTable(fields []field) string {
	var rows [][]string
	for _, f := range fields {
		required := ""
		if f.need {
			required = w.yes
		}
		rows = append(rows, []string{"`" + f.name + "`", w.typeName(f.typ), required, w.pick(f.doc)})
	}
	return grid([]string{w.field, w.typ, w.required, w.meaning}, rows)
}

func (w *writer) uploadTable() string {
	doc := ops.Doc{EN: "a form field with a file name", ZH: "表单字段，须带文件名"}
	return grid([]string{w.field, w.typ, w.required, w.meaning}, [][]string{{"`file`", w.fileWord, w.yes, w.pick(doc)}})
}

// table tells the fields of an answer or of an event.
func (w *writer) table(t reflect.Type) string {
	fields, err := fieldsOf(t)
	w.fail(err)
	var rows [][]string
	for _, f := range fields {
		name := w.typeName(f.typ)
		if f.null && f.typ != jsonType {
			name += w.orNull
		}
		rows = append(rows, []string{"`" + f.name + "`", name, w.pick(f.doc)})
	}
	return grid([]string{w.field, w.typ, w.meaning}, rows)
}

// typeName is a type in words; one with a table of its own is a link to it.
func (w *writer) typeName(t reflect.Type) string {
	if item, ok := pageItem(t); ok {
		return w.page(w.typeName(item))
	}
	switch {
	case t == nil:
		return "`true`"
	case givenTypes[t] == "string":
		return w.str + w.orNull
	case givenTypes[t] == "integer":
		return w.integer + w.orNull
	case givenTypes[t] == "array":
		return w.listOf(w.typeName(givenItem(t))) + w.orNull
	case t == jsonType, t.Kind() == reflect.Interface:
		return w.jsonWord
	case t == idType:
		return w.str
	case t == flagType:
		return "0/1"
	case isList(t):
		return w.listOf(w.typeName(t.Elem()))
	case w.known(t):
		return "[" + t.Name() + "](#" + strings.ToLower(t.Name()) + ")"
	case isObject(t):
		return t.Name()
	}
	return map[string]string{"string": w.str, "integer": w.integer, "boolean": w.boolean}[scalar(t)]
}

// known reports whether the type has a table of its own, or is a page or span.
func (w *writer) known(t reflect.Type) bool {
	_, paged := pageItem(t)
	return paged || slices.Contains(w.objects, t)
}

func (w *writer) codes() string {
	var rows [][]string
	for _, l := range codeLines() {
		text := w.pick(ops.Doc{EN: l.EN, ZH: l.ZH})
		if l.when.EN == "" || l.when.ZH == "" {
			w.fail(fmt.Errorf("code %d lacks its text in a language", l.Code.Code))
		}
		rows = append(rows, []string{fmt.Sprint(l.Code.Code), fmt.Sprint(l.Status), text, w.pick(l.when)})
	}
	return grid([]string{w.code, "HTTP", w.text, w.when}, rows)
}

func (w *writer) closeCodes() string {
	var rows [][]string
	for _, l := range closeLines {
		rows = append(rows, []string{fmt.Sprint(l.code), w.pick(l.when), w.pick(l.do)})
	}
	return grid([]string{w.closeCode, w.when, w.toDo}, rows)
}

// limits are the bounds of calls and of apps, from where the server has them.
func (w *writer) limits() string {
	rows := [][]string{}
	add := func(en, zh, value string) { rows = append(rows, []string{w.pick(ops.Doc{EN: en, ZH: zh}), value}) }
	add("body or frame", "请求体或帧", kib(wire.MaxBody))
	add("`text`", "`text`", kib(skein.MaxText))
	add("`attr`", "`attr`", kib(skein.MaxAttr))
	add("`url`", "`url`", kib(skein.MaxURL))
	add("`conv_extend`, `ext`", "`conv_extend`、`ext`", kib(skein.MaxExtend))
	add("`mention_client_ids`", "`mention_client_ids`", fmt.Sprint(skein.MaxMentions))
	add("`client_ids`, `to_client_ids` in a call", "每次调用的 `client_ids`、`to_client_ids`", fmt.Sprint(skein.MaxMembersPerCall))
	add("`client_id`, `device_id`, `client_msg_id`, in characters", "`client_id`、`device_id`、`client_msg_id` 字符数", fmt.Sprint(skein.MaxIDLength))
	add("items of a page", "每页条数", fmt.Sprint(request.MaxPageSize))
	add("messages in a call by seq", "按 seq 每次返回消息数", fmt.Sprint(request.MaxLimit))
	add("conversations in a call of `sync`", "`sync` 每次返回会话数", fmt.Sprint(request.MaxLimit))
	add("`draft`", "`draft`", kib(skein.MaxDraft))
	add("`nickname`", "`nickname`", fmt.Sprintf("%d B", skein.MaxNickname))
	add("users in a call of `user.get_many`", "`user.get_many` 每次查询用户数", fmt.Sprint(request.MaxUsers))
	add("receipts in a call of `conv.received_many`", "`conv.received_many` 每次上报会话数", fmt.Sprint(request.MaxReceipts))
	add("ranges in a call of `msg.ranges`; messages and changes in its answer", "每次 `msg.ranges` 的范围数；返回的消息与变更总数", fmt.Sprintf("%d; 2000", request.MaxRanges))
	add("`emoji`; different emoji of a message; clients listed for each", "`emoji`；每条消息的种类；每种列出的用户数", fmt.Sprintf("%d B; %d; %d", skein.MaxEmoji, skein.MaxReactions, skein.MaxReactionClients))
	add("pinned messages of a conversation", "每个会话的置顶消息数", fmt.Sprint(skein.MaxPins))
	add("conversations that one `conv.update` may match", "一次 `conv.update` 可匹配的会话数", fmt.Sprint(skein.MaxUpdated))
	add("upload (app setting)", "上传文件（应用设置）", fmt.Sprintf("%d MiB", skein.DefaultMaxFileBytes>>20))
	add("members of a group (app setting)", "群成员数（应用设置）", fmt.Sprint(skein.DefaultMaxMembers))
	add("conversations of a client (app setting)", "每个用户的会话数（应用设置）", fmt.Sprint(skein.DefaultMaxConversations))
	add("devices of a client that are online (app setting)", "每个用户在线设备数（应用设置）", fmt.Sprint(skein.DefaultMaxDevices))
	add("messages a second of a client; in a burst (app setting)", "每个用户每秒消息数；突发（应用设置）", fmt.Sprintf("%d; %d", skein.DefaultSendRate, skein.DefaultSendBurst))
	add("seconds to edit; to recall (app setting)", "编辑时限；撤回时限，秒（应用设置）", fmt.Sprintf("%d; %d", skein.DefaultEditWindow, skein.DefaultRecallWindow))
	add("REST calls a second with an app key (app setting)", "每个 app-key 每秒 REST 调用（应用设置）", fmt.Sprint(skein.DefaultRESTRate))
	add("socket commands a second of a session (app setting)", "每个连接每秒命令数（应用设置）", fmt.Sprint(skein.DefaultCommandRate))
	add("logins a minute from an address for a client, after a failed one (app setting)", "登录失败后每分钟每地址每用户的登录次数（应用设置）", fmt.Sprint(skein.DefaultLoginRate))
	return grid([]string{w.limit, w.size}, rows)
}

// charged lists the ops that count as a message.
func charged(c *catalogue) string {
	var names []string
	for _, g := range c.groups {
		for _, op := range g.ops {
			if op.Policy.Messages > 0 {
				names = append(names, "`"+op.Name+"`")
			}
		}
	}
	return strings.Join(names, ", ")
}

func kib(bytes int) string { return fmt.Sprintf("%d KiB", bytes>>10) }
