package reference

import (
	"strings"

	"github.com/skein-im/skein/internal/ops"
)

// language is the words of the page that are not in the guides.
type language struct {
	file string // of the guide
	pick func(ops.Doc) string

	socket, answerWord, codesWord                     string
	field, typ, required, meaning, yes                string
	code, text, when, closeCode, toDo, limit, size    string
	str, integer, boolean, jsonWord, fileWord, orNull string
	page, listOf                                      func(string) string
}

var english = language{
	file: "en.md.tmpl",
	pick: func(d ops.Doc) string { return d.EN },

	socket: "socket", answerWord: "Answer: ", codesWord: "Codes: ",
	field: "field", typ: "type", required: "required", meaning: "meaning", yes: "yes",
	code: "code", text: "text", when: "when", closeCode: "code", toDo: "what to do", limit: "what", size: "default",
	str: "string", integer: "integer", boolean: "boolean", jsonWord: "JSON", fileWord: "file", orNull: " or null",
	page:   func(item string) string { return "page of " + plural(item) },
	listOf: func(item string) string { return "list of " + plural(item) },
}

var chinese = language{
	file: "zh.md.tmpl",
	pick: func(d ops.Doc) string { return d.ZH },

	socket: "socket", answerWord: "返回：", codesWord: "状态码：",
	field: "字段", typ: "类型", required: "必填", meaning: "说明", yes: "是",
	code: "状态码", text: "文本", when: "含义", closeCode: "关闭码", toDo: "应对", limit: "项目", size: "默认值",
	str: "字符串", integer: "整数", boolean: "布尔", jsonWord: "JSON", fileWord: "文件", orNull: " 或 null",
	page:   func(item string) string { return item + "分页" },
	listOf: func(item string) string { return item + "数组" },
}

// plural is more than one of a type; a link to its table stays as it is.
func plural(item string) string {
	if strings.HasPrefix(item, "[") {
		return item
	}
	return item + "s"
}
