package leancloud

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// link is a file that a row names.
type link struct {
	url  string
	id   string // objectId in _File
	name string
	size int64 // bytes; 0: not said
}

// key tells links apart.
func (l link) key() string {
	if l.url == "" {
		return "id:" + l.id
	}
	return l.url
}

// links finds the files that messages, conversations and users name.
func (d *dump) links() (map[string]link, error) {
	all := map[string]link{}
	take := func(l link) {
		if was, ok := all[l.key()]; !ok || was.id == "" && l.id != "" {
			all[l.key()] = l
		}
	}
	for _, dir := range []string{MessagesDir, SystemDir + "/messages"} {
		if err := messageLinks(d.path(dir), take); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{ConversationsFile, UsersFile} {
		for line, err := range Lines(d.path(name)) {
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
		for line, err := range Lines(file) {
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

// skipMissing: a folder without such messages has no such directory.
func skipMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}

// messageLink is the file of a message (v2, rich messages): data is a text with JSON in
// it, or that JSON itself.
func messageLink(raw jsontext.Value) (link, bool) {
	var m struct {
		Data jsontext.Value `json:"data"`
	}
	if json.Unmarshal(raw, &m, lenient) != nil {
		return link{}, false
	}
	if m.Data.Kind() == '"' {
		var inner string
		if json.Unmarshal(m.Data, &inner, lenient) != nil || !strings.Contains(inner, "_lcfile") {
			return link{}, false
		}
		m.Data = jsontext.Value(inner)
	}
	var data struct {
		File *struct {
			URL  text `json:"url"`
			ID   text `json:"objId"`
			Name text `json:"name"`
			Size size `json:"size"`
			Meta meta `json:"metaData"`
		} `json:"_lcfile"`
	}
	if json.Unmarshal(m.Data, &data, lenient) != nil || data.File == nil {
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

// size is a number of bytes, or nothing where the answer has something else.
type size = millis

// meta is metaData, where that is an object.
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
		Name text `json:"name"`
		Size size `json:"size"`
	}
	err = json.Unmarshal(value, &fields, lenient)
	m.name, m.size = string(fields.Name), int64(fields.Size)
	return err
}

// linkDepth is how deep columnLinks looks.
const linkDepth = 8

// columnLinks finds values of the type File in the columns of a row. A scan leaves out
// their url and has their id alone (storage, data types).
func columnLinks(value jsontext.Value, depth int, take func(link)) {
	if depth > linkDepth {
		return
	}
	switch value.Kind() {
	case '{':
		var fields map[string]jsontext.Value
		if json.Unmarshal(value, &fields, lenient) != nil {
			return
		}
		if string(fields["__type"]) == `"File"` {
			l := link{url: field(value, "url"), id: cmp.Or(field(value, "id"), field(value, "objectId")), name: field(value, "name")}
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
		if json.Unmarshal(value, &list, lenient) == nil {
			for _, inner := range list {
				columnLinks(inner, depth+1, take)
			}
		}
	}
}
