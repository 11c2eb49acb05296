package standin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cursorLife is how long a cursor of a scan is good.
const cursorLife = 10 * time.Minute

// ServeHTTP answers as LeanCloud does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/files/") {
		s.file(w, r)
		return
	}
	fault, n, leave := s.enter()
	defer leave()
	if r.Header.Get("X-LC-Id") != AppID || r.Header.Get("X-LC-Key") != MasterKey+",master" {
		refuse(w, http.StatusUnauthorized, 401, "Unauthorized.")
		return
	}
	switch fault {
	case "429":
		if n%2 == 0 {
			w.Header().Set("Retry-After", "1")
		}
		refuse(w, http.StatusTooManyRequests, 429, "Too many requests.")
		return
	case "500":
		refuse(w, http.StatusBadGateway, 1, "Server is in maintenance.")
		return
	case "140":
		refuse(w, http.StatusForbidden, 140, "quota")
		return
	case "hang":
		<-r.Context().Done()
		return
	}
	body, status := s.answer(r)
	if tooLong := s.cutOver(); status == http.StatusOK && (fault == "cut" || tooLong > 0 && len(body) > tooLong) {
		cut(w, body, n%2 == 0)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) //nolint:gosec // JSON, for a test; the caller may be gone
}

func (s *Server) cutOver() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.CutOver
}

// enter counts a request and says what goes wrong with it.
func (s *Server) enter() (fault string, n int, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.atOnce++
	s.most = max(s.most, s.atOnce)
	leave = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.atOnce--
	}
	n = s.requests
	every := func(k int) bool { return k > 0 && n%k == 0 }
	f := s.opt.Faults
	switch {
	case s.atOnce > f.AtOnce, every(f.Every429):
		return "429", n / max(1, f.Every429), leave
	case f.Daily > 0 && n > f.Daily:
		return "140", n, leave
	case every(f.EveryHang):
		return "hang", n, leave
	case every(f.EveryCut):
		return "cut", n / f.EveryCut, leave
	case every(f.Every500):
		return "500", n, leave
	}
	return "", n, leave
}

func refuse(w http.ResponseWriter, status, code int, text string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"code":%d,"error":%q}`, code, text)
}

// cut sends half of an answer. clean: as a server that says nothing of a length and then
// closes, which looks like an end.
func cut(w http.ResponseWriter, body string, clean bool) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
	if !clean {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	_, _ = out.WriteString(head + "\r\n" + body[:len(body)/2])
	_ = out.Flush()
}

// answer finds the row of the API that a path is of.
func (s *Server) answer(r *http.Request) (string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	part := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i := range part {
		part[i] = unescape(part[i])
	}
	q := r.URL.Query()
	at := func(i int) string {
		if i < len(part) {
			return part[i]
		}
		return ""
	}
	count := func(kind string) { s.kinds[kind]++ }
	switch {
	case at(0) == "1.1" && at(1) == "scan" && at(2) == "classes":
		count("scan " + at(3))
		return s.scan(at(3), q.Get("limit"), q.Get("cursor"))
	case at(0) == "1.1" && at(1) == "classes" && at(2) == "_File":
		count("_File")
		return fmt.Sprintf(`{"objectId":%q,"url":"%s/files/%s.bin","name":"now here"}`, at(3), s.opt.Files, at(3)), http.StatusOK
	case at(0) != "1.2" || at(1) != "rtm":
	case at(2) == "messages" && !s.opt.NoWalk:
		count("walk")
		return s.page(s.all, q)
	case (at(2) == "conversations" || at(2) == "chatrooms") && at(4) == "messages":
		count("history")
		if kind := s.kind(at(3)); kind == "" || kind == "system" || (kind == "room") != (at(2) == "chatrooms") {
			return `{"code":1,"error":"no such conversation"}`, http.StatusNotFound
		}
		return s.page(s.history[at(3)], q)
	case (at(2) == "conversations" || at(2) == "chatrooms") && at(4) == "member-infos":
		count("infos")
		rows := s.infos[at(3)]
		skip, _ := strconv.Atoi(q.Get("skip"))
		return results(rows[min(skip, len(rows)):]), http.StatusOK
	case at(2) == "service-conversations" && at(4) == "subscribers" && at(6) == "messages":
		count("told")
		sub := subscriberHistory(at(3), at(5))
		return s.page(slices.DeleteFunc(slices.Clone(s.history[at(3)]), func(m Message) bool { return m.Sub != sub }), q)
	case at(2) == "service-conversations" && at(4) == "subscribers":
		count("subscribers")
		return s.subscribers(at(3), q.Get("client_id"))
	case at(2) == "broadcasts":
		count("broadcasts")
		if q.Get("skip") != "0" {
			return results(nil), http.StatusOK
		}
		return results([]string{`{"msg-id":"broadcast","data":"to all"}`}), http.StatusOK
	}
	return `{"code":1,"error":"no such path"}`, http.StatusNotFound
}

func (s *Server) kind(conv string) string {
	for _, c := range s.convs {
		if c.ID == conv {
			return c.Kind
		}
	}
	return ""
}

// results has white space that a dump must take away, and none inside of rows that it
// must keep.
func results(rows []string) string {
	return "{ \"results\" :\n [" + strings.Join(rows, " ,\n\t") + "] }"
}

func (s *Server) subscribers(conv, after string) (string, int) {
	subs := s.subs[conv]
	from := slices.Index(subs, after) + 1
	rows := make([]string, 0, 50)
	for i := from; i < min(from+50, len(subs)); i++ {
		rows = append(rows, fmt.Sprintf(`{"timestamp":%d,"subscriber":%q,"conv_id":%q}`, 1491467841116+i, subs[i], conv))
	}
	return "[" + strings.Join(rows, ",") + "]", http.StatusOK
}

// scan reads a class by objectId. The last page is empty.
func (s *Server) scan(class, limit, cursor string) (string, int) {
	var rows []string
	switch class {
	case "_Conversation":
		for _, c := range s.convs {
			rows = append(rows, c.Raw)
		}
	case "_User":
		rows = s.users
	case "_SysMessage":
		rows = s.inbound
	case "_ConversationMemberInfo":
		for _, c := range s.convs {
			rows = append(rows, s.infos[c.ID]...)
		}
	}
	if rows == nil || class == "_ConversationMemberInfo" && s.opt.NoInfoClass {
		return `{"code":101,"error":"Class or object doesn't exists."}`, http.StatusNotFound
	}
	n, _ := strconv.Atoi(limit)
	if n < 1 || n > 1000 {
		n = 100
	}
	n = min(n, s.opt.PageMost)
	from := 0
	if cursor != "" {
		var made int64
		if _, err := fmt.Sscanf(cursor, "c+/%d=%d", &from, &made); err != nil || s.now.UnixMilli()-made > cursorLife.Milliseconds() {
			return `{"code":1,"error":"invalid cursor"}`, http.StatusBadRequest
		}
		if from >= len(rows) {
			return `{"results":[],"cursor":null}`, http.StatusOK
		}
	}
	to := min(from+n, len(rows))
	return fmt.Sprintf(`{"results":[%s],"cursor":"c+/%d=%d"}`, strings.Join(rows[from:to], ", \n"), to, s.now.UnixMilli()), http.StatusOK
}
