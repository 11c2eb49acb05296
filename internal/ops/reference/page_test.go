package reference

import (
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/ops/rows"
)

func TestEveryOpIsOnBothPages(t *testing.T) {
	files := mustFiles(t)
	for _, page := range []string{"docs/api/en.md", "docs/api/zh.md"} {
		headings := headingsOf(files[page])
		var want []string
		for _, o := range mustCatalogue(t).all() {
			want = append(want, "### "+o.Name)
		}
		for _, c := range rows.Commands {
			want = append(want, "### "+c.Name)
		}
		for _, e := range rows.Events {
			want = append(want, "### "+eventHeading(e))
		}
		for _, h := range want {
			if !slices.Contains(headings, h) {
				t.Errorf("%s lacks %q", page, h)
			}
		}
	}
}

// shape is what a page must share with its translation: the levels of headings,
// the size of tables, code and what stands in backticks, links.
func shape(page []byte) map[string][]string {
	prose := fenced.ReplaceAll(page, nil)
	s := map[string][]string{"code": texts(fenced, page), "links": texts(link, prose)}
	for line := range strings.Lines(string(prose)) {
		switch {
		case strings.HasPrefix(line, "#"):
			s["headings"] = append(s["headings"], strings.Repeat("#", len(line)-len(strings.TrimLeft(line, "#"))))
		case strings.HasPrefix(line, "|"):
			s["tables"] = append(s["tables"], strings.Repeat("|", strings.Count(line, "|")))
		case strings.HasPrefix(line, "* "):
			s["lists"] = append(s["lists"], "*")
		}
	}
	return s
}

var (
	fenced   = regexp.MustCompile("(?s)```.*?```\n")
	link     = regexp.MustCompile(`\]\(#[a-z.]+\)`)
	headings = regexp.MustCompile(`(?m)^#+ .+$`)
	target   = regexp.MustCompile(`\]\(#([^)]+)\)`)
)

func texts(re *regexp.Regexp, b []byte) []string {
	var list []string
	for _, m := range re.FindAll(b, -1) {
		list = append(list, string(m))
	}
	return list
}

func headingsOf(page []byte) []string { return texts(headings, fenced.ReplaceAll(page, nil)) }

func TestBothLanguagesSayTheSame(t *testing.T) {
	files := mustFiles(t)
	en, zh := shape(files["docs/api/en.md"]), shape(files["docs/api/zh.md"])
	en["links"], zh["links"] = opLinks(en["links"]), opLinks(zh["links"])
	for _, what := range slices.Sorted(maps.Keys(en)) {
		for i := range max(len(en[what]), len(zh[what])) {
			if i >= len(en[what]) || i >= len(zh[what]) || en[what][i] != zh[what][i] {
				t.Errorf("%s: number %d differs: %d in English, %d in Chinese, first difference after %q",
					what, i, len(en[what]), len(zh[what]), en[what][max(0, min(i, len(en[what]))-1)])
				break
			}
		}
	}
}

// opLinks are the links that do not depend on a language: those to headings of the
// third level.
func opLinks(links []string) []string {
	return slices.DeleteFunc(links, func(l string) bool {
		return slices.ContainsFunc([]string{"codes", "limits", "users", "conversations", "messages", "files", "apps", "objects", "socket", "events", "conditions"},
			func(chapter string) bool { return l == "](#"+chapter+")" })
	})
}

func TestEveryLinkLeadsToAHeading(t *testing.T) {
	files := mustFiles(t)
	for _, page := range []string{"docs/api/en.md", "docs/api/zh.md"} {
		there := map[string]bool{}
		for _, h := range headingsOf(files[page]) {
			a := anchor(strings.TrimSpace(strings.TrimLeft(h, "#")))
			if there[a] {
				t.Errorf("%s: two headings share #%s", page, a)
			}
			there[a] = true
		}
		for _, m := range target.FindAllSubmatch(files[page], -1) {
			if !there[string(m[1])] {
				t.Errorf("%s: #%s leads nowhere", page, m[1])
			}
		}
	}
}

func TestEveryOpAndEventThatTheGuidesNameIsThere(t *testing.T) {
	known := map[string]bool{}
	for _, o := range mustCatalogue(t).all() {
		known[anchor(o.Name)] = true
	}
	for _, e := range rows.Events {
		known[anchor(eventHeading(e))] = true
	}
	for _, name := range []string{"en.md.tmpl", "zh.md.tmpl"} {
		guide, err := guides.ReadFile("guide/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, m := range target.FindAllSubmatch(guide, -1) {
			if !known[string(m[1])] {
				t.Errorf("%s names #%s, which is no op and no event", name, m[1])
			}
		}
	}
}
