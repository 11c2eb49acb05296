package adminrows

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/adminapi"
	"github.com/skein-im/skein/internal/words"
)

// The ops on word lists.
const (
	WordsPut    ops.Call[adminapi.PutWords, adminapi.WordListInfo] = operators.OpWordsPut
	WordsGet    ops.Call[adminapi.App, adminapi.WordList]          = "words.get"
	WordsDelete ops.Call[adminapi.App, ops.Done]                   = operators.OpWordsDelete
	WordsTest   ops.Call[adminapi.TestWords, adminapi.WordsFound]  = "words.test"
)

const wordsPath = appPath + "/words"

// wordsBody bounds the body of words.put: 2 MiB of words, each with quotes and a comma.
const wordsBody = 4 << 20

func wordsOps(d Deps) []*ops.Op {
	put := row("PUT", wordsPath, ops.ScopeApp, skein.OperatorAdmin, []int{4001, 4014, 4130, 4406}, ops.Doc{
		EN: "Gives an app a list of words that it does not allow, in place of the one that it has: at most 100,000 words of at most 64 characters, and 2 MiB in all. In force within 2 s on every node. See docs/hooks.md for which texts are checked and what counts as the same word.",
		ZH: "设置应用的敏感词列表，整体替换原列表：最多 100,000 个词，每个最多 64 个字符，总计 2 MiB。2 秒内在所有节点生效。检查哪些文本、哪些写法视为同一个词，见 docs/hooks.zh-CN.md。",
	})
	put.Policy.MaxBody = wordsBody
	return []*ops.Op{
		ops.Row(WordsPut, put, func(ctx context.Context, by skein.Actor, in adminapi.PutWords) (adminapi.WordListInfo, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return adminapi.WordListInfo{}, err
			}
			list, err := d.Operators.PutWords(ctx, by, in.AppID, in.List())
			return adminapi.InfoOf(list), err
		}, func() (string, adminapi.WordListInfo) {
			list := exampleWords()
			return `{"app_id":"shop","replace":["傻瓜","idiot"],"reject":["casino"],"ignore_separators":true}`, adminapi.InfoOf(list)
		}),
		ops.Row(WordsGet, row("GET", wordsPath, ops.ScopeApp, skein.OperatorReadOnly, []int{4014, 4406}, ops.Doc{
			EN: "Returns the word list of an app. 4014 where it has none.",
			ZH: "查询应用的敏感词列表；没有列表时返回 4014。",
		}), func(ctx context.Context, _ skein.Actor, in adminapi.App) (adminapi.WordList, error) {
			if err := adminapi.CheckApp(in.AppID); err != nil {
				return adminapi.WordList{}, err
			}
			list, err := d.Operators.Words(ctx, in.AppID)
			return adminapi.WordListOf(list), err
		}, func() (string, adminapi.WordList) {
			return `{"app_id":"shop"}`, adminapi.WordListOf(exampleWords())
		}),
		ops.Row(WordsTest, row("POST", wordsPath+"/test", ops.ScopeApp, skein.OperatorReadOnly, []int{4001, 4014, 4406}, ops.Doc{
			EN: "Checks a text against the word list of an app, and says what would become of it.",
			ZH: "用应用的敏感词列表检查一段文本，返回处理结果。",
		}), d.testWords, func() (string, adminapi.WordsFound) {
			return `{"app_id":"shop","text":"You ID-IOT!"}`, adminapi.WordsFound{Verdict: "replace", Text: "You ******!", Found: []string{"ID-IOT"}}
		}),
		ops.Row(WordsDelete, row("DELETE", wordsPath, ops.ScopeApp, skein.OperatorAdmin, []int{4014, 4406}, ops.Doc{
			EN: "Removes the word list of an app. In force within 2 s on every node. 4014 where it has none.",
			ZH: "移除应用的敏感词列表，2 秒内在所有节点生效；没有列表时返回 4014。",
		}), func(ctx context.Context, by skein.Actor, in adminapi.App) (ops.Done, error) {
			return ops.Done{}, cmp.Or(adminapi.CheckApp(in.AppID), d.Operators.DeleteWords(ctx, by, in.AppID))
		}, func() (string, ops.Done) { return `{"app_id":"shop"}`, ops.Done{} }),
	}
}

func (d Deps) testWords(ctx context.Context, _ skein.Actor, in adminapi.TestWords) (adminapi.WordsFound, error) {
	if err := adminapi.CheckApp(in.AppID); err != nil {
		return adminapi.WordsFound{}, err
	}
	if len(in.Text) > skein.MaxText {
		return adminapi.WordsFound{}, skein.Malformed("text", "at most 16 KiB")
	}
	list, err := d.Operators.Words(ctx, in.AppID)
	if err != nil {
		return adminapi.WordsFound{}, err
	}
	m, err := words.Compile(list)
	if err != nil {
		return adminapi.WordsFound{}, err
	}
	found := adminapi.WordsFound{Verdict: "pass", Text: in.Text, Found: []string{}}
	hits := m.Find(in.Text, false)
	for _, h := range hits {
		found.Found = append(found.Found, in.Text[h.From:h.To])
	}
	verdict := words.VerdictOf(hits)
	if found.Verdict = verdict.String(); verdict == words.Replace {
		found.Text = words.Mask(in.Text, hits)
	}
	return found, nil
}

func exampleWords() skein.WordList {
	return skein.WordList{Revision: int64(then), Replace: []string{"傻瓜", "idiot"}, Reject: []string{"casino"}, IgnoreSeparators: true}
}
