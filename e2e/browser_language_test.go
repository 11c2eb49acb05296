package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A reader whose browser speaks Chinese gets the page in Chinese.
func TestBrowserChinese(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t, chromedp.Flag("accept-lang", "zh-CN,zh"))
	ming, hong := c.tab(t, "ming", desk), c.tab(t, "hong", desk)
	ming.run(chromedp.Navigate(s.url("/")), chromedp.WaitVisible(chromedp.CSS("#name")))
	ming.sees("用户 ID")
	ming.shot("welcome-zh-light")
	ming.enter(s, "xiaoming", "小明")
	hong.enter(s, "xiaohong", "小红")
	ming.talkTo("", "xiaohong")
	ming.say("早上好！昨晚的雁群看到了吗？")
	hong.until("the conversation", `document.querySelector(".conv")`)
	hong.click(".conv")
	hong.until("the name", `document.querySelector(".talk h2").innerText.includes("小明")`)
	hong.say("看到了，天刚亮就从湖面上飞过去了，排成“人”字。")
	hong.attach(painted(t))
	ming.until("the picture", `document.querySelector('.message:not(.own) img')?.naturalWidth === 480`)
	ming.say("真好看 🪿 下次叫上我。")
	ming.until("all sent", `document.querySelectorAll(".message").length === 4 && !document.querySelector(".message.sending")`)
	ming.sees("小红")
	ming.shot("chat-zh-light")
	ming.scheme("dark")
	ming.shot("chat-zh-dark")
	ming.scheme("light")
	ming.run(chromedp.EmulateViewport(900, 700))
	ming.until("two panes", `!document.querySelector(".pane.wire").checkVisibility()`)
	ming.shot("tablet-light")
	// A refusal is in the reader's language too.
	ming.click(`[data-test="new"]`)
	ming.run(chromedp.WaitVisible(chromedp.CSS("#who")))
	ming.typed("nobody")
	ming.key("Enter")
	ming.sees("错误码 211")
	ming.sees("未知用户")
	c.silent(t)
}
