package calls

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	bashBlock = regexp.MustCompile("(?ms)^```bash\n(.*?)^```")
	word      = regexp.MustCompile(`'([^']*)'|([^\s'\\]+)`)
	anID      = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
)

// examplesOf are the lines of curl in the reference, in their order.
func examplesOf(reference string) []string {
	var all []string
	for _, block := range bashBlock.FindAllStringSubmatch(reference, -1) {
		for line := range strings.SplitSeq("\n"+block[1], "\ncurl ") {
			if strings.TrimSpace(line) != "" {
				all = append(all, line)
			}
		}
	}
	return all
}

// example is what one line of curl asks.
type example struct {
	line, method, path string
	header             http.Header
	query              url.Values
	body               string // JSON
	file               string // name of an uploaded file
}

func parseExample(t *testing.T, line string) example {
	t.Helper()
	e := example{line: line, header: http.Header{}, query: url.Values{}}
	var words []string
	for _, w := range word.FindAllStringSubmatch(line, -1) {
		words = append(words, w[1]+w[2])
	}
	for i := 0; i < len(words); i++ {
		w, value := words[i], ""
		if strings.HasPrefix(w, "-") && w != "-G" {
			i++
			value = words[i]
		}
		switch w {
		case "-X":
			e.method = value
		case "-H":
			name, text, _ := strings.Cut(value, ": ")
			e.header.Set(name, text)
		case "-d":
			e.body = value
		case "-F":
			_, e.file, _ = strings.Cut(value, "@")
		case "--data-urlencode":
			name, text, _ := strings.Cut(value, "=")
			e.query.Set(name, text)
		case "-G":
		default:
			u, err := url.Parse(w)
			if err != nil || u.Path == "" {
				t.Fatalf("%s\ncannot be read from %q on", line, w)
			}
			e.path = u.Path
		}
	}
	return e
}

// ids are those of the server in place of those printed: a printed id stands for the
// newest one of its kind when it is met first. The first id of a line is a
// conversation's.
type ids struct {
	conv, msg string // newest
	known     map[string]string
}

func (i *ids) renew(line string) string {
	if i.known == nil {
		i.known = map[string]string{}
	}
	newest := i.conv
	return anID.ReplaceAllStringFunc(line, func(printed string) string {
		if i.known[printed] == "" {
			i.known[printed] = newest
		}
		newest = i.msg
		return i.known[printed]
	})
}

func (i *ids) keep(o operation, body []byte) {
	var made struct {
		Data struct {
			Conv string `json:"conv_id"`
			Msg  string `json:"msg_id"`
		} `json:"data"`
	}
	if o.id != "convCreate" && o.id != "msgSend" || json.Unmarshal(body, &made) != nil {
		return
	}
	if o.id == "convCreate" {
		i.conv = made.Data.Conv
	} else {
		i.msg = made.Data.Msg
	}
}
