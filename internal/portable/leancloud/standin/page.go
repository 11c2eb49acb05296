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
	low, high := 0, len(rows) // the page is of rows[low:high]
	now := s.now.UnixMilli()
	start, stop := q.Get("timestamp"), q.Get("till_timestamp")
	from, till := &high, &low
	if up {
		from, till = &low, &high
	}
	for _, bound := range []struct {
		at, id   string
		edge     *int
		inclusiv string
	}{{start, q.Get("msgid"), from, "include_start"}, {stop, q.Get("till_msgid"), till, "include_stop"}} {
		if bound.at == "" {
			if bound.edge == &high {
				high = position(rows, now)
			}
			continue
		}
		at, err := strconv.ParseInt(bound.at, 10, 64)
		if err != nil {
			return `{"code":1,"error":"invalid timestamp"}`, http.StatusBadRequest
		}
		if bound.id == "" {
			*bound.edge = position(rows, at)
			if bound.edge == &low {
				*bound.edge = position(rows, at+1)
			}
			continue
		}
		i := slices.IndexFunc(rows[position(rows, at):], func(m Message) bool { return m.ID == bound.id && m.Time == at })
		if i < 0 {
			return `{"code":1,"error":"invalid msgid"}`, http.StatusBadRequest
		}
		i += position(rows, at)
		inclusive := q.Get(bound.inclusiv) == "true"
		if bound.edge == &low && !inclusive || bound.edge == &high && inclusive {
			i++
		}
		*bound.edge = i
	}
	if low > high {
		low = high
	}
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
	_, _ = w.Write([]byte(strings.Repeat(name+"\n", 64)[:64]))
}
