package files

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// link is a file that a row names.
type link struct {
	url  string
	id   string // objectId in _File
	name string
	size int64 // bytes; 0: not said
}

// key identifies a link.
func (l link) key() string {
	if l.url == "" {
		return "id:" + l.id
	}
	return l.url
}

// links finds the files that messages, conversations and users link to.
func links(dump string) (map[string]link, error) {
	all := map[string]link{}
	take := func(l link) {
		if was, ok := all[l.key()]; !ok || was.id == "" && l.id != "" {
			all[l.key()] = l
		}
	}
	for _, dir := range []string{folder.MessagesDir, folder.SystemDir + "/messages"} {
		if err := messageLinks(folder.Path(dump, dir), take); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{folder.ConversationsFile, folder.UsersFile} {
		for line, err := range folder.Lines(folder.Path(dump, name)) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			columnLinks(line, 0, take)
		}
	}
	return all, nil
}

func messageLinks(dir string, take func(link)) error {
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(file, ".jsonl") {
			return skipMissing(err)
		}
		for line, err := range folder.Lines(file) {
			if err != nil {
				return err
			}
			if l, ok := messageLink(line); ok {
				take(l)
			}
		}
		return nil
	})
}

// skipMissing ignores that a file or directory does not exist.
func skipMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}

// messageLink is the file of a message (v2, rich messages). data is a JSON object, or a string that
// contains one.
func messageLink(raw jsontext.Value) (link, bool) {
	var m struct {
		Data jsontext.Value `json:"data"`
	}
	if json.Unmarshal(raw, &m, folder.Lenient) != nil {
		return link{}, false
	}
	if m.Data.Kind() == '"' {
		var inner string
		if json.Unmarshal(m.Data, &inner, folder.Lenient) != nil || !strings.Contains(inner, "_lcfile") {
			return link{}, false
		}
		m.Data = jsontext.Value(inner)
	}
	var data struct {
		File *struct {
			URL  folder.Text `json:"url"`
			ID   folder.Text `json:"objId"`
			Name folder.Text `json:"name"`
			Size size        `json:"size"`
			Meta meta        `json:"metaData"`
		} `json:"_lcfile"`
	}
	if json.Unmarshal(m.Data, &data, folder.Lenient) != nil || data.File == nil {
		return link{}, false
	}
	f := data.File
	l := link{url: string(f.URL), id: string(f.ID), name: string(f.Name), size: int64(f.Size)}
	if l.name == "" {
		l.name = f.Meta.name
	}
	if l.size == 0 {
		l.size = f.Meta.size
	}
	return l, l.url != "" || l.id != ""
}

// size is a number of bytes; zero if the answer has something else.
type size = folder.Millis

// meta is metaData if that is an object.
type meta struct {
	name string
	size int64
}

func (m *meta) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	value, err := in.ReadValue()
	if err != nil || value.Kind() != '{' {
		return err
	}
	var fields struct {
		Name folder.Text `json:"name"`
		Size size        `json:"size"`
	}
	err = json.Unmarshal(value, &fields, folder.Lenient)
	m.name, m.size = string(fields.Name), int64(fields.Size)
	return err
}

// linkDepth is how deep columnLinks looks.
const linkDepth = 8

// columnLinks finds values of the type File in the columns of a row. In a scan they have an id and no
// url (storage, data types).
func columnLinks(value jsontext.Value, depth int, take func(link)) {
	if depth > linkDepth {
		return
	}
	switch value.Kind() {
	case '{':
		var fields map[string]jsontext.Value
		if json.Unmarshal(value, &fields, folder.Lenient) != nil {
			return
		}
		if string(fields["__type"]) == `"File"` {
			l := link{url: folder.Field(value, "url"), id: cmp.Or(folder.Field(value, "id"), folder.Field(value, "objectId")), name: folder.Field(value, "name")}
			if l.url != "" || l.id != "" {
				take(l)
			}
			return
		}
		for _, inner := range fields {
			columnLinks(inner, depth+1, take)
		}
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(value, &list, folder.Lenient) == nil {
			for _, inner := range list {
				columnLinks(inner, depth+1, take)
			}
		}
	}
}
