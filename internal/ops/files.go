package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// UploadsPath is where uploads are served; a name follows.
const UploadsPath = "/storage/uploads/"

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
			s := by.App.Settings
			name, err := d.Files.Save(ctx, in.File, s.FileTypes, s.MaxFileBytes)
			return in.Base + UploadsPath + name, err
		}),
	}
}
