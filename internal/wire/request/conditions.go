package request

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

const (
	extendPrefix  = "conv_extend."
	maxPathDepth  = 8
	maxPathKey    = 64  // bytes of one key
	maxWhereValue = 256 // bytes of one text
)

var whereFields = map[string]skein.Field{
	"conv_id":         skein.FieldConvID,
	"conv_type":       skein.FieldType,
	"conv_creater_id": skein.FieldCreator,
	"client_id":       skein.FieldMember,
	"user_id":         skein.FieldMember,
	"client_num":      skein.FieldMembers,
	"ctime":           skein.FieldCreated,
	"mtime":           skein.FieldUpdated,
}

var whereOperators = map[string]skein.Operator{
	"=": skein.Eq, "!=": skein.Ne, "<>": skein.Ne,
	">": skein.Gt, ">=": skein.Ge, "<": skein.Lt, "<=": skein.Le,
	"in": skein.In, "not in": skein.NotIn, "exists": skein.Exists,
}

// ParseWhere reads a where: a JSON list of [field, operator, value], or
// [field, value] for =. A time is Unix ms, or a whole second in TimeLayout in zone.
// Errors: skein.ErrMalformed naming the line and what is wrong in it.
func ParseWhere(raw jsontext.Value, zone *time.Location) ([]skein.Condition, error) {
	var lines []jsontext.Value
	if err := json.Unmarshal(raw, &lines); err != nil || lines == nil {
		return nil, skein.Malformed("where", "must be a list of [field, operator, value]")
	}
	if len(lines) > skein.MaxConditions {
		return nil, skein.Malformed("where", "at most 20 conditions")
	}
	where := make([]skein.Condition, 0, len(lines))
	for i, line := range lines {
		p := whereLine{name: "where." + strconv.Itoa(i), zone: zone}
		c, err := p.parse(line)
		if err != nil {
			return nil, err
		}
		where = append(where, c)
	}
	return where, nil
}

// whereLine reads one condition; name is its place in the list, such as where.0.
type whereLine struct {
	name string
	zone *time.Location
}

func (p whereLine) fail(detail string) error { return skein.Malformed(p.name, detail) }

func (p whereLine) parse(line jsontext.Value) (skein.Condition, error) {
	var parts []jsontext.Value
	if err := json.Unmarshal(line, &parts); err != nil || len(parts) < 2 || len(parts) > 3 {
		return skein.Condition{}, p.fail("must be [field, operator, value]")
	}
	c, err := p.field(parts[0])
	if err != nil {
		return c, err
	}
	if len(parts) == 3 {
		if err := p.operator(&c, parts[1]); err != nil {
			return c, err
		}
	}
	return c, p.values(&c, parts[len(parts)-1])
}

func (p whereLine) field(raw jsontext.Value) (skein.Condition, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return skein.Condition{}, p.fail("the field must be a string")
	}
	if f, ok := whereFields[name]; ok {
		return skein.Condition{Field: f}, nil
	}
	path, ok := strings.CutPrefix(name, extendPrefix)
	if !ok {
		return skein.Condition{}, p.fail("unknown field " + quoted(name))
	}
	keys := strings.Split(path, ".")
	if len(keys) > maxPathDepth {
		return skein.Condition{}, p.fail("the path has at most 8 keys")
	}
	for _, k := range keys {
		if k == "" || len(k) > maxPathKey || strings.ContainsFunc(k, unfitForPath) {
			return skein.Condition{}, p.fail("invalid key in path " + quoted(path))
		}
	}
	return skein.Condition{Field: skein.FieldExtend, Path: keys}, nil
}

func unfitForPath(r rune) bool { return r < 0x20 || r == 0x7f || r == '"' || r == '\\' }

func (p whereLine) operator(c *skein.Condition, raw jsontext.Value) error {
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return p.fail("the operator must be a string")
	}
	op, ok := whereOperators[name]
	if !ok {
		return p.fail("unknown operator " + quoted(name))
	}
	if op == skein.Exists && c.Field != skein.FieldExtend {
		return p.fail("the operator exists is for conv_extend only")
	}
	ordered := op == skein.Gt || op == skein.Ge || op == skein.Lt || op == skein.Le
	if ordered && (c.Field == skein.FieldMember || c.Field == skein.FieldConvID) {
		return p.fail("operator " + quoted(name) + " does not apply to this field")
	}
	c.Op = op
	return nil
}

func (p whereLine) values(c *skein.Condition, raw jsontext.Value) error {
	list := []jsontext.Value{raw}
	if c.Op == skein.In || c.Op == skein.NotIn {
		list = nil
		if err := json.Unmarshal(raw, &list); err != nil || list == nil {
			return p.fail("the value must be a list")
		}
		if len(list) < 1 || len(list) > skein.MaxValues {
			return p.fail("the value must be a list of 1 to 200 values")
		}
	}
	for _, raw := range list {
		v, err := p.value(c, raw)
		if err != nil {
			return err
		}
		if seconds, ok := v.([]skein.Span); ok {
			addSeconds(c, seconds)
		} else {
			c.Values = append(c.Values, v)
		}
	}
	return nil
}

func (p whereLine) value(c *skein.Condition, raw jsontext.Value) (any, error) {
	v, err := p.scalar(raw)
	if err != nil {
		return nil, err
	}
	if c.Op == skein.Exists {
		return p.boolean(v)
	}
	switch c.Field {
	case skein.FieldConvID, skein.FieldCreator, skein.FieldMember:
		return p.text(v)
	case skein.FieldType, skein.FieldMembers:
		return p.integer(v)
	case skein.FieldCreated, skein.FieldUpdated:
		return p.moment(v)
	default:
		return p.extendValue(c, v)
	}
}

func (p whereLine) extendValue(c *skein.Condition, v any) (any, error) {
	if _, ok := v.(bool); ok && c.Op != skein.Eq && c.Op != skein.Ne && c.Op != skein.In && c.Op != skein.NotIn {
		return nil, p.fail("true and false have no order")
	}
	return v, nil
}

// scalar is a string, int64, float64 or bool.
func (p whereLine) scalar(raw jsontext.Value) (any, error) {
	switch raw.Kind() {
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil || len(s) > maxWhereValue {
			return nil, p.fail("the value has at most 256 bytes")
		}
		return s, nil
	case '0':
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return n, nil
		}
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return nil, p.fail("the number is out of range")
		}
		return f, nil
	case 't', 'f':
		return raw.Kind() == 't', nil
	default:
		return nil, p.fail("the value must be a string, a number, true or false")
	}
}

func (p whereLine) text(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	default:
		return nil, p.fail("the value must be a string")
	}
}

func (p whereLine) integer(v any) (any, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, p.fail("the value must be an integer")
}

func (p whereLine) boolean(v any) (any, error) {
	switch v {
	case true, int64(1), "1":
		return true, nil
	case false, int64(0), "0":
		return false, nil
	}
	return nil, p.fail("the value must be true or false")
}

func (p whereLine) moment(v any) (any, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case string:
		if wall, err := time.Parse(wire.TimeLayout, v); err == nil && wall.Format(wire.TimeLayout) == v {
			return secondsOf(wall, p.zone), nil
		}
	}
	return nil, p.fail("the value must be YYYY-MM-DD HH:MM:SS or Unix milliseconds")
}

// quoted shows a caller its own words, shortened.
func quoted(s string) string {
	const longest = 64
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return strconv.Quote(s)
}
