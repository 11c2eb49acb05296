package ops

import (
	"context"
	"errors"
	"io"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// SocketPath is where sockets are accepted.
const SocketPath = "/im/socket"

func fileOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "file.upload", Method: "POST", Path: "/im/file/upload", Need: skein.NeedClient, Multipart: true,
			Doc: Doc{
				"Uploads a file (multipart field file) and answers its URL.",
				"上传文件（multipart 字段 file），返回其 URL。",
			},
			Answer: "",
		}, func(ctx context.Context, by skein.Actor, in wire.UploadFile) (any, error) {
			name, err := upload(ctx, by, in, d)
			return in.Base + skein.UploadsPath + name, err
		}),
	}
}

// upload saves a file and keeps whose it is; a file that is nobody's would never be
// removed.
func upload(ctx context.Context, by skein.Actor, in wire.UploadFile, d Deps) (string, error) {
	s := by.App.Settings
	file := &measured{from: in.File}
	name, err := d.Files.Save(ctx, file, s.FileTypes, s.MaxFileBytes)
	if err != nil {
		return "", err
	}
	if err := d.Chat.Uploaded(ctx, by, name, file.bytes); err != nil {
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
