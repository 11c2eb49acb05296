package rows

import (
	"context"
	"errors"
	"io"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire/request"
)

// FileUpload saves a file.
const FileUpload ops.Call[request.UploadFile, string] = "file.upload"

func fileOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(FileUpload, ops.Op{
			Method: "POST", Path: "/im/file/upload", Need: skein.NeedClient, Policy: ops.Policy{Body: ops.BodyForm}, Codes: []int{4001, 4016, 4130, 4406, 4601},
			Doc: ops.Doc{
				EN: "Uploads a file (multipart field file) and returns its URL. A download from that URL has the file name of the form (Content-Disposition); if the extension does not fit the content, the fitting one is appended. The file stays as long as anything of its app names it: the url, text or attr of a message, a conv_extend, a user's ext, a member's draft or nickname. A link names the file by the 32 hex digits of its name, however the rest of the link is written. The server removes a file that nothing names 24 hours after its upload. It removes a file that was named as soon as the last thing that names it is recalled, edited, replaced, erased or deleted, or its conversation ends, or its app is deleted; after a draft is cleared, the file stays for the rest of its 24 hours. From then on the link answers 404. Browsers and proxies may keep a copy for a year (Cache-Control: immutable); a recall does not reach those copies. If the app has file_access signed, a link opens the file only with its parameter sig, and only for a time (an hour unless the app says otherwise, then 403 with 4004). Every link that the server sends, in a message, an extend, an ext or a draft, is signed when it is sent: read what names the file again for a new link. Compare and cache links by their path. A client may then name only files that it uploaded itself or whose link it has with a sig that has not expired; else 4004. A former member can open the links that it received until they expire. With ?w=64 to 1280 the link of a png, jpg, gif, webp or bmp gives a thumbnail: at most that wide, rounded up to 64, 160, 320, 640 or 1280, never larger than the image, at most four times as tall as wide, upright; a JPEG, or a PNG if the image is transparent; of an animation the first frame. Other widths get 4406; other types, images that cannot be decoded and animated webp get 4601; more than 40 megapixels 4130.",
				ZH: "上传文件（multipart 字段 file），返回其 URL。从该 URL 下载时使用表单中的文件名（Content-Disposition）；扩展名与内容不符时，在其后补上相符的扩展名。只要所属应用中还有内容提到该文件，它就会保留：消息的 url、文本或 attr，会话的 conv_extend，用户的 ext，成员的草稿或昵称。链接以文件名的 32 位十六进制数字指明文件，其余部分如何书写不限。从未被提到的文件在上传 24 小时后删除。被提到过的文件，在最后一处提到它的内容被撤回、编辑、替换、擦除或删除，或其会话结束、应用被删除时立即删除；清空草稿后，文件保留至上传满 24 小时。此后链接返回 404。浏览器与代理可能把副本缓存一年（Cache-Control: immutable），撤回无法触及这些副本。应用的 file_access 为 signed 时，链接须带参数 sig 才能打开文件，且仅在限期内有效（默认一小时，可由应用设定），过期返回 403 与 4004。服务端发出的每个链接（消息、会话扩展、ext、草稿中）均在发出时签名：重新读取提到该文件的内容即可获得新链接。请按路径比较与缓存链接。此时客户端只能提到自己上传的文件，或持有未过期 sig 的链接，否则返回 4004。离开会话的成员在链接过期前仍可打开已收到的链接。png、jpg、gif、webp、bmp 的链接加 ?w=64 至 1280 返回缩略图：宽度向上取 64、160、320、640 或 1280，不大于原图，高不超过宽的四倍，已按拍摄方向转正；格式为 JPEG，透明图片为 PNG，动图取第一帧。其他宽度返回 4406；其他类型、无法解码的图片与动态 webp 返回 4601；超过 4000 万像素返回 4130。",
			},
		}, d.upload, func() (string, string) { return `{}`, reply().URL }),
	}
}

// upload saves a file, records who uploaded it, and returns its link. The record makes the file usable: no
// link opens a file without one. If the record fails, upload removes the
// file: a file without a record would never be removed. It also removes one that the app's hook rejects,
// which can open the link and look at the content; the record goes when nothing has named it for a day.
func (d Deps) upload(ctx context.Context, by skein.Actor, in request.UploadFile) (string, error) {
	s := by.App.Settings
	left, err := d.Chat.StorageLeft(ctx, by)
	if err != nil {
		return "", err
	}
	file := &measured{from: in.File}
	name, err := d.Files.Save(ctx, file, s.FileTypes, min(s.MaxFileBytes, left))
	if errors.Is(err, skein.ErrTooLarge) && left < s.MaxFileBytes {
		err = skein.OverQuota(s.MaxStorageBytes)
	}
	if err != nil {
		return "", err
	}
	if err = d.Chat.Uploaded(ctx, by, name, in.Title, file.bytes); err == nil {
		err = d.Chat.AskAboutUpload(ctx, by, name, in.Title, file.bytes)
	}
	if err != nil {
		_, failed := d.Files.Remove(context.WithoutCancel(ctx), name)
		return "", errors.Join(err, failed)
	}
	return in.Base + skein.UploadsPath + name, nil
}

// measured counts the bytes of what is read from it.
type measured struct {
	from  io.Reader
	bytes int64
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.bytes += int64(n)
	return n, err
}
