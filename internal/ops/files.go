package ops

import (
	"context"
	"errors"
	"io"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/request"
)

// SocketPath is where sockets are accepted.
const SocketPath = "/im/socket"

func fileOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "file.upload", Method: "POST", Path: "/im/file/upload", Need: skein.NeedClient, Multipart: true,
			Doc: Doc{
				"Uploads a file (multipart field file) and answers its URL. Whoever saves it from there gets it under the file name of the form (Content-Disposition); a name whose extension does not fit the content gets the fitting one behind it. The file stays while anything of its app names it: the url, text or attr of a message, a conv_extend, a user's ext, a member's draft or nickname. What counts is the 32 hex digits of its name, however the link is written. A file that nothing names is removed 24 hours after its upload. A file that was named is removed as soon as the last thing that names it is recalled, edited, replaced, erased or deleted, or its conversation ends, or its app is deleted; a draft that is cleared leaves it the rest of its 24 hours. From then on the link answers 404. Browsers and proxies may keep a copy for a year (Cache-Control: immutable); a recall does not reach those copies.",
				"上传文件（multipart 字段 file），返回其 URL。从该 URL 保存时使用表单中的文件名（Content-Disposition）；扩展名与内容不符时在其后补上相符的扩展名。只要所属应用中还有内容提到该文件，它就保留：消息的 url、文本或 attr，会话的 conv_extend，用户的 ext，成员的草稿或昵称。以文件名的 32 位十六进制数字为准，不论链接如何书写。从未被提到的文件在上传 24 小时后删除。被提到过的文件，在最后一处提到它的内容被撤回、编辑、替换、擦除或删除，或其会话结束、应用被删除时立即删除；清空草稿则保留至满 24 小时。此后链接返回 404。浏览器与代理可能把副本缓存一年（Cache-Control: immutable），撤回无法触及这些副本。",
			},
			Answer: "",
		}, func(ctx context.Context, by skein.Actor, in request.UploadFile) (any, error) {
			name, err := upload(ctx, by, in, d)
			return in.Base + skein.UploadsPath + name, err
		}),
	}
}

// upload saves a file and keeps whose it is; a file that is nobody's would never be
// removed.
func upload(ctx context.Context, by skein.Actor, in request.UploadFile, d Deps) (string, error) {
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
	if err := d.Chat.Uploaded(ctx, by, name, in.Title, file.bytes); err != nil {
		_, failed := d.Files.Remove(name)
		return "", errors.Join(err, failed)
	}
	return name, nil
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
