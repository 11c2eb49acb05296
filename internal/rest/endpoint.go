package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
)

// endpoint holds the ops of one path, by method.
type endpoint map[string]*ops.Op

// queryPost is the key of the op for a POST that has an empty body and the parameter
// Policy.PostWith in its query.
const queryPost = "POST ?"

func (e endpoint) add(op *ops.Op) {
	e[op.Method] = op
	if op.Policy.PostWith != "" {
		e[queryPost] = op
	}
}

// find returns the op of a request, or nil.
func (e endpoint) find(r *http.Request) *ops.Op {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if op := e[queryPost]; op != nil && method == http.MethodPost && r.ContentLength == 0 && r.URL.Query().Has(op.Policy.PostWith) {
		return op
	}
	return e[method]
}

// allow is the Allow header of the path.
func (e endpoint) allow() string {
	var methods []string
	for m := range e {
		if m != queryPost {
			methods = append(methods, m)
		}
		if m == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// queryOf returns the query of a GET or DELETE. For other methods it is empty: their
// parameters are in the body. Errors: skein.ErrMalformed.
func queryOf(r *http.Request, op *ops.Op) (url.Values, error) {
	if r.URL.RawQuery == "" || op.Method != http.MethodGet && op.Method != http.MethodDelete {
		return url.Values{}, nil
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, skein.Malformed("", "the query string cannot be read")
	}
	return values, nil
}

// pathOf returns the values of the path's parameters.
func pathOf(r *http.Request, op *ops.Op) map[string]string {
	var values map[string]string
	for part := range strings.SplitSeq(op.Path, "/") {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		name := strings.Trim(part, "{}")
		if values == nil {
			values = make(map[string]string, 2)
		}
		values[name] = r.PathValue(name)
	}
	return values
}
