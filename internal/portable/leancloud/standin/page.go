package standin

import (
	"crypto/md5" //nolint:gosec // how LeanCloud names a history, not a secret
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// page answers one page of history; rows are oldest first. A time alone is exclusive;
// with a msg-id the page begins behind that message, and a msg-id that is none of the
// history, such as one whose + was not escaped, is refused.
func (s *Server) page(rows []Message, q url.Values) (string, int) {
	limit, _ := strconv.Atoi(q.Get("limit"))
	if limit < 1 {
		limit = 100
	}
	limit = min(limit, s.opt.PageMost)
	up := q.Get("reversed") == "true" && !s.opt.NoReversed
	older := bound{q.Get("till_timestamp"), q.Get("till_msgid"), q.Get("include_stop") == "true"}
	newer := bound{q.Get("timestamp"), q.Get("msgid"), q.Get("include_start") == "true"}
	if up {
		older, newer = newer, older
	}
	low, ok := older.index(rows, 0, false)
	high, fine := newer.index(rows, position(rows, s.now.UnixMilli()), true)
	if !ok || !fine {
		return `{"code":1,"error":"invalid msgid or timestamp"}`, http.StatusBadRequest
	}
	low = min(low, high)
	if s.opt.ShortPages && limit > 1 {
		limit -= 1 + s.requests%min(7, limit-1)
	}
	out := make([]string, 0, limit)
	for i := range min(limit, high-low) {
		if up {
			out = append(out, rows[low+i].Raw)
		} else {
			out = append(out, rows[high-1-i].Raw)
		}
	}
	s.served += len(out)
	return "[" + strings.Join(out, ",\n  ") + "]\n", http.StatusOK
}

// bound is where a page begins or ends.
type bound struct {
	at, id string
	with   bool // the message itself belongs to it
}

// index finds the first row behind the bound, or of an upper one the first beyond it.
func (b bound) index(rows []Message, without int, upper bool) (int, bool) {
	if b.at == "" {
		return without, true
	}
	at, err := strconv.ParseInt(b.at, 10, 64)
	if err != nil {
		return 0, false
	}
	if b.id == "" && upper {
		return position(rows, at), true
	}
	if b.id == "" {
		return position(rows, at+1), true
	}
	from := position(rows, at)
	i := slices.IndexFunc(rows[from:], func(m Message) bool { return m.ID == b.id && m.Time == at })
	if i < 0 {
		return 0, false
	}
	if upper == b.with {
		i++
	}
	return from + i, true
}

// position is the first row at or after a time.
func position(rows []Message, at int64) int {
	i, _ := slices.BinarySearchFunc(rows, at, func(m Message, at int64) int {
		if m.Time < at {
			return -1
		}
		return 1
	})
	return i
}

func subscriberHistory(conv, client string) string {
	sum := md5.Sum([]byte(conv + ":" + client)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

func unescape(s string) string {
	out, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return out
}

// file answers 64 bytes, the same for a name each time; names that begin with 4 are gone.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/files/")
	if strings.HasPrefix(name, "4") {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write([]byte(strings.Repeat(name+"\n", 64)[:64])) //nolint:gosec // text, for a test
}
