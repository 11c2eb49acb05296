package adminapi

import "github.com/skein-im/skein"

// PutWords is the request of words.put.
type PutWords struct {
	App

	Replace          []string `json:"replace" en:"words that are replaced: each character of them becomes *" zh:"替换的词：其中每个字符变为 *"`
	Reject           []string `json:"reject" en:"words that refuse the whole text with 4015; a word in both lists refuses" zh:"拒绝的词：整段文本以 4015 拒绝；同时在两个列表中时为拒绝"`
	IgnoreSeparators bool     `json:"ignore_separators" en:"true: white space, punctuation and symbols inside words do not count, so that b-a-d is found by bad; absent: false" zh:"为 true 时忽略词中的空白、标点与符号，例如 bad 能找到 b-a-d；省略为 false"`
}

// List is the list of a request.
func (r PutWords) List() skein.WordList {
	return skein.WordList{Replace: r.Replace, Reject: r.Reject, IgnoreSeparators: r.IgnoreSeparators}
}

// TestWords is the request of words.test.
type TestWords struct {
	App

	Text string `json:"text" need:"1" en:"the text to check, at most 16 KiB" zh:"待检查的文本，最大 16 KiB"`
}

// WordListInfo says which list an app has.
type WordListInfo struct {
	Revision int64 `json:"revision" en:"grows with each change of the list" zh:"每次变更后增大"`
	Replace  int   `json:"replace" en:"how many words are replaced" zh:"替换的词数"`
	Reject   int   `json:"reject" en:"how many words refuse a text" zh:"拒绝的词数"`
}

// InfoOf says which list it is.
func InfoOf(l skein.WordList) WordListInfo {
	return WordListInfo{l.Revision, len(l.Replace), len(l.Reject)}
}

// WordList is a list as answered.
type WordList struct {
	Revision         int64    `json:"revision" en:"grows with each change of the list" zh:"每次变更后增大"`
	Replace          []string `json:"replace" en:"words that are replaced" zh:"替换的词"`
	Reject           []string `json:"reject" en:"words that refuse a text" zh:"拒绝的词"`
	IgnoreSeparators bool     `json:"ignore_separators" en:"whether separators inside words do not count" zh:"是否忽略词中的分隔符"`
}

// WordListOf writes a list.
func WordListOf(l skein.WordList) WordList {
	return WordList{l.Revision, append([]string{}, l.Replace...), append([]string{}, l.Reject...), l.IgnoreSeparators}
}

// WordsFound is the answer of words.test.
type WordsFound struct {
	Verdict string   `json:"verdict" en:"pass, replace or reject" zh:"pass、replace 或 reject"`
	Text    string   `json:"text" en:"the text with words replaced; with reject, as it was" zh:"替换后的文本；reject 时为原文"`
	Found   []string `json:"found" en:"what was found, as it stands in the text" zh:"找到的内容，按文本中的写法"`
}
