package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skein-im/skein"
)

var find = []check{
	{"the newest activity comes first, then the newest conversation", func(f *fixture) {
		f.app("shop", "ann")
		quiet := f.group("shop", "ann")
		busy := f.group("shop", "ann")
		twinA := f.group("shop")
		twinB := f.group("shop")
		f.pass(time.Second)
		f.say("shop", busy, "ann", "hi")
		page, err := f.FindConversations(f.Context(), "shop", skein.ConvQuery{Limit: 10})
		f.must(err)
		equal(f, "order", convIDs(page), []skein.ID{busy, twinB, twinA, quiet})
		equal(f, "uncounted", page.Total, 0)
		equal(f, "as looked up", page.Conversations[0], f.lookup("shop", busy))
	}},
	{"what happens puts a conversation before all others, in the next millisecond as after a day", func(f *fixture) {
		f.app("shop", "ann", "bob")
		var order []skein.ID // newest first
		for range 5 {
			f.pass(time.Millisecond)
			order = append([]skein.ID{f.group("shop", "ann")}, order...)
		}
		for i, ms := range []int{1, 1, 3000, 2, 1, 5000, 1, 1200, 1, 1024, 1, 1023, 86_400_000, 1, 1} {
			f.pass(time.Duration(ms) * time.Millisecond)
			at := 1 + i*2%4
			conv := order[at]
			switch i % 4 {
			case 1:
				f.add("shop", conv, "bob")
				f.remove("shop", conv, "bob")
			case 3:
				f.alterConv("shop", conv, func(c *skein.Conversation) { c.Active = f.now() })
			default:
				f.say("shop", conv, "ann", "hi")
			}
			order = append([]skein.ID{conv}, slices.Delete(order, at, at+1)...)
			equal(f, fmt.Sprintf("pages after change %d", i), f.walk(skein.ConvQuery{Limit: 2}), order)
		}
	}},
	{"pages follow one another and end", func(f *fixture) {
		all := f.crowd()
		for name, tt := range map[string]struct {
			q    skein.ConvQuery
			want []skein.ID
			next bool
		}{
			"the first":    {skein.ConvQuery{Limit: 4}, all[:4], true},
			"the middle":   {skein.ConvQuery{Limit: 4, Offset: 4}, all[4:8], true},
			"the last":     {skein.ConvQuery{Limit: 4, Offset: 8}, all[8:], false},
			"just all":     {skein.ConvQuery{Limit: 10}, all, false},
			"past the end": {skein.ConvQuery{Limit: 4, Offset: 400_000_000}, nil, false},
		} {
			tt.q.Count = true
			page, err := f.FindConversations(f.Context(), "shop", tt.q)
			f.must(err)
			equal(f, name, convIDs(page), tt.want)
			equal(f, name+": total", page.Total, len(all))
			equal(f, name+": more", !page.Next.IsZero(), tt.next)
		}
	}},
	{"a cursor walks through all of them once", func(f *fixture) {
		all := f.crowd()
		for _, member := range []string{"", "ann"} {
			walked := f.walk(skein.ConvQuery{Member: member, Limit: 3})
			equal(f, "walked", walked, all)
		}
	}},
	{"a client is shown its own", func(f *fixture) {
		f.app("shop", "ann", "bob")
		f.group("shop", "bob")
		anns := f.group("shop", "ann", "bob")
		page, err := f.FindConversations(f.Context(), "shop", skein.ConvQuery{Member: "ann", Limit: 10, Count: true})
		f.must(err)
		equal(f, "ids", convIDs(page), []skein.ID{anns})
		equal(f, "total", page.Total, 1)
	}},
	{"nothing of another app is found", func(f *fixture) {
		f.app("shop", "ann")
		f.app("game", "ann")
		conv := f.group("shop", "ann")
		for _, q := range []skein.ConvQuery{
			{},
			{Member: "ann"},
			{Where: []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}},
			{Where: []skein.Condition{{Field: skein.FieldMember, Op: skein.In, Values: []any{"ann"}}}},
		} {
			q.Limit, q.Count = 10, true
			for _, app := range []string{"game", "none"} {
				page, err := f.FindConversations(f.Context(), app, q)
				f.must(err)
				equal(f, fmt.Sprintf("%s %+v", app, q), page, skein.ConvPage{})
			}
		}
	}},
	{"every condition finds what it says", seeConditions},
	{"all conditions must hold", func(f *fixture) {
		byName := f.zoo()
		got := f.found(byName,
			skein.Condition{Field: skein.FieldType, Op: skein.Eq, Values: []any{int64(skein.Group)}},
			skein.Condition{Field: skein.FieldMember, Op: skein.Eq, Values: []any{"ann"}},
			skein.Condition{Field: skein.FieldMember, Op: skein.Eq, Values: []any{"bob"}},
			skein.Condition{Field: skein.FieldExtend, Path: []string{"n"}, Op: skein.Ge, Values: []any{int64(2)}},
		)
		equal(f, "found", got, "full")
	}},
	{"as many conditions and values as are allowed can be asked", func(f *fixture) {
		byName := f.zoo()
		values := make([]any, 0, 2*skein.MaxValues)
		for i := range skein.MaxValues {
			values = append(values, int64(i), fmt.Sprint(i))
		}
		cond := skein.Condition{Field: skein.FieldExtend, Path: []string{"n"}, Op: skein.In, Values: values[:skein.MaxValues]}
		got := f.found(byName, slices.Repeat([]skein.Condition{cond}, skein.MaxConditions)...)
		equal(f, "found", got, "full text")
	}},
}

// walk follows the cursor of a listing of the shop's conversations to its end.
func (f *fixture) walk(q skein.ConvQuery) (walked []skein.ID) {
	f.Helper()
	for {
		page, err := f.FindConversations(f.Context(), "shop", q)
		f.must(err)
		walked = append(walked, convIDs(page)...)
		if q.After = page.Next; q.After.IsZero() {
			return walked
		}
	}
}

// crowd is ten conversations of ann, two of each activity, newest first.
func (f *fixture) crowd() (all []skein.ID) {
	f.Helper()
	f.app("shop", "ann")
	for i := range 10 {
		if i%2 == 0 {
			f.pass(time.Second)
		}
		all = append(all, f.group("shop", "ann"))
	}
	slices.Reverse(all)
	return all
}

// zoo is a few conversations, named, that conditions tell apart.
func (f *fixture) zoo() (byName map[skein.ID]string) {
	f.Helper()
	f.app("shop", "ann", "bob", "cat", "Ann")
	byName = make(map[skein.ID]string)
	add := func(name string, typ skein.ConvType, creator, extend string, updated skein.Millis, members ...string) {
		c := f.conv("shop", typ)
		c.Creator, c.Updated, c.Created = creator, updated, start+skein.Millis(len(byName))
		if extend != "" {
			c.Extend = []byte(extend)
		}
		byName[f.create(c, members...).ID] = name
	}
	add("full", skein.Group, "ann", `{"n":2,"s":"b","t":true,"f":false,"z":null,"o":{"k":{"deep":"x"}},"r":1.5,"l":[1],"":"empty","日本":"語"}`, 5, "ann", "bob")
	add("text", skein.Group, "ann", `{"n":"2","s":"é","t":"true","f":0,"r":"1.5","z":""}`, 9, "ann")
	add("bare", skein.Room, "", ``, 0)
	add("list", skein.Private, "bob", `[{"n":2}]`, 0, "bob", "cat")
	add("word", skein.Temporary, "bob", `"n"`, 7, "cat")
	add("odd", skein.Group, "Ann", `{"n":-3,"s":"","t":1,"o":{"k":1},"o.k":9,"%":1,"big":9007199254740993}`, 0, "ann", "bob", "cat")
	return byName
}

// found is the names of the conversations that meet where, in alphabetical order.
func (f *fixture) found(byName map[skein.ID]string, where ...skein.Condition) string {
	f.Helper()
	page, err := f.FindConversations(f.Context(), "shop", skein.ConvQuery{Where: where, Limit: 100, Count: true})
	f.must(err)
	names := make([]string, 0, len(page.Conversations))
	for _, c := range page.Conversations {
		names = append(names, byName[c.ID])
	}
	slices.Sort(names)
	equal(f, "total", page.Total, len(names))
	return strings.Join(names, " ")
}

const (
	everything = "bare full list odd text word"
	nothing    = ""
)

func seeConditions(f *fixture) {
	byName := f.zoo()
	var fullID string
	for id, name := range byName {
		if name == "full" {
			fullID = id.String()
		}
	}
	ext := func(path ...string) skein.Condition { return skein.Condition{Field: skein.FieldExtend, Path: path} }
	field := func(of skein.Field) skein.Condition { return skein.Condition{Field: of} }
	list := func(values ...any) []any { return values }
	second := func(from skein.Millis) skein.Span { return skein.Span{From: from, Until: from + 1000} }
	for name, tt := range map[string]struct {
		cond   skein.Condition
		op     skein.Operator
		values []any
		want   string
	}{
		"conv_id =":                 {field(skein.FieldConvID), skein.Eq, list(fullID), "full"},
		"conv_id !=":                {field(skein.FieldConvID), skein.Ne, list(fullID), "bare list odd text word"},
		"conv_id = no id":           {field(skein.FieldConvID), skein.Eq, list("full"), nothing},
		"conv_id = in capitals":     {field(skein.FieldConvID), skein.Eq, list(strings.ToUpper("abcdefabcdefabcdefabcdefabcdefab")), nothing},
		"conv_id != no id":          {field(skein.FieldConvID), skein.Ne, list("full"), everything},
		"conv_id in, one no id":     {field(skein.FieldConvID), skein.In, list("full", fullID), "full"},
		"conv_id not in, all no id": {field(skein.FieldConvID), skein.NotIn, list("a", "b"), everything},
		"conv_id exists":            {field(skein.FieldConvID), skein.Exists, list(true), everything},

		"type =":                                {field(skein.FieldType), skein.Eq, list(int64(skein.Group)), "full odd text"},
		"type = a float":                        {field(skein.FieldType), skein.Eq, list(float64(skein.Group)), "full odd text"},
		"type = a text":                         {field(skein.FieldType), skein.Eq, list("3"), nothing},
		"type !=":                               {field(skein.FieldType), skein.Ne, list(int64(skein.Group)), "bare list word"},
		"type in":                               {field(skein.FieldType), skein.In, list(int64(skein.Private), int64(skein.Room)), "bare list"},
		"type not in":                           {field(skein.FieldType), skein.NotIn, list(int64(skein.Private), int64(skein.Room)), "full odd text word"},
		"type >":                                {field(skein.FieldType), skein.Gt, list(int64(skein.Group)), "bare"},
		"type > between":                        {field(skein.FieldType), skein.Gt, list(2.5), "bare full odd text"},
		"type does exist":                       {field(skein.FieldType), skein.Exists, list(true), everything},
		"type exists not":                       {field(skein.FieldType), skein.Exists, list(false), nothing},
		"creator =":                             {field(skein.FieldCreator), skein.Eq, list("ann"), "full text"},
		"creator !=":                            {field(skein.FieldCreator), skein.Ne, list("ann"), "bare list odd word"},
		"creator <":                             {field(skein.FieldCreator), skein.Lt, list("ann"), "bare odd"},
		"creator in":                            {field(skein.FieldCreator), skein.In, list("bob", "Ann"), "list odd word"},
		"creator exists":                        {field(skein.FieldCreator), skein.Exists, list(true), "full list odd text word"},
		"member =":                              {field(skein.FieldMember), skein.Eq, list("ann"), "full odd text"},
		"member = nobody":                       {field(skein.FieldMember), skein.Eq, list("eve"), nothing},
		"member !=":                             {field(skein.FieldMember), skein.Ne, list("ann"), "bare list word"},
		"member in":                             {field(skein.FieldMember), skein.In, list("bob", "eve"), "full list odd"},
		"member not in":                         {field(skein.FieldMember), skein.NotIn, list("ann", "bob"), "bare word"},
		"member exists":                         {field(skein.FieldMember), skein.Exists, list(true), "full list odd text word"},
		"members =":                             {field(skein.FieldMembers), skein.Eq, list(int64(2)), "full list"},
		"members >=":                            {field(skein.FieldMembers), skein.Ge, list(int64(2)), "full list odd"},
		"members <":                             {field(skein.FieldMembers), skein.Lt, list(int64(1)), "bare"},
		"members in":                            {field(skein.FieldMembers), skein.In, list(int64(0), int64(3)), "bare odd"},
		"created <=":                            {field(skein.FieldCreated), skein.Le, list(int64(start) + 1), "full text"},
		"created >":                             {field(skein.FieldCreated), skein.Gt, list(int64(start) + 1), "bare list odd word"},
		"created = a second":                    {field(skein.FieldCreated), skein.Eq, list(second(start)), "bare full list odd text word"},
		"created = one of no time":              {field(skein.FieldCreated), skein.Eq, list(skein.Span{From: start, Until: start}), nothing},
		"created in seconds and moments":        {field(skein.FieldCreated), skein.In, list(second(start+5000), int64(start), second(start-1000)), "full"},
		"created not in seconds":                {field(skein.FieldCreated), skein.NotIn, list(second(start+5000), second(start)), nothing},
		"updated = a second":                    {field(skein.FieldUpdated), skein.Eq, list(skein.Span{From: 0, Until: 7}), "full"},
		"updated != a second":                   {field(skein.FieldUpdated), skein.Ne, list(skein.Span{From: 5, Until: 8}), "bare list odd text"},
		"updated < a second":                    {field(skein.FieldUpdated), skein.Lt, list(skein.Span{From: 7, Until: 9}), "full"},
		"updated <= a second":                   {field(skein.FieldUpdated), skein.Le, list(skein.Span{From: 5, Until: 9}), "full word"},
		"updated > a second":                    {field(skein.FieldUpdated), skein.Gt, list(skein.Span{From: 5, Until: 8}), "text"},
		"updated >= a second":                   {field(skein.FieldUpdated), skein.Ge, list(skein.Span{From: 7, Until: 9}), "text word"},
		"updated =":                             {field(skein.FieldUpdated), skein.Eq, list(int64(5)), "full"},
		"updated = never":                       {field(skein.FieldUpdated), skein.Eq, list(int64(0)), nothing},
		"updated < ":                            {field(skein.FieldUpdated), skein.Lt, list(int64(9)), "full word"},
		"updated !=":                            {field(skein.FieldUpdated), skein.Ne, list(int64(5)), "bare list odd text word"},
		"updated in":                            {field(skein.FieldUpdated), skein.In, list(int64(0), int64(7), int64(9)), "text word"},
		"updated not in":                        {field(skein.FieldUpdated), skein.NotIn, list(int64(7), int64(9)), "bare full list odd"},
		"updated exists":                        {field(skein.FieldUpdated), skein.Exists, list(true), "full text word"},
		"never updated":                         {field(skein.FieldUpdated), skein.Exists, list(false), "bare list odd"},
		"number =":                              {ext("n"), skein.Eq, list(int64(2)), "full"},
		"number = a float":                      {ext("n"), skein.Eq, list(2.0), "full"},
		"number = a text":                       {ext("n"), skein.Eq, list("2"), "text"},
		"number !=":                             {ext("n"), skein.Ne, list(int64(2)), "bare list odd text word"},
		"number <":                              {ext("n"), skein.Lt, list(int64(2)), "odd"},
		"number <=":                             {ext("n"), skein.Le, list(int64(2)), "full odd"},
		"number > a text":                       {ext("n"), skein.Gt, list("1"), "text"},
		"number >=":                             {ext("n"), skein.Ge, list(-3.0), "full odd"},
		"fraction =":                            {ext("r"), skein.Eq, list(1.5), "full"},
		"fraction > whole":                      {ext("r"), skein.Gt, list(int64(1)), "full"},
		"big number =":                          {ext("big"), skein.Eq, list(int64(9007199254740993)), "odd"},
		"big number is no neighbour":            {ext("big"), skein.Eq, list(int64(9007199254740992)), nothing},
		"mixed in":                              {ext("n"), skein.In, list("2", int64(-3), true), "odd text"},
		"mixed not in":                          {ext("n"), skein.NotIn, list("2", int64(-3), true), "bare full list word"},
		"text =":                                {ext("s"), skein.Eq, list("b"), "full"},
		"text = empty":                          {ext("s"), skein.Eq, list(""), "odd"},
		"text >":                                {ext("s"), skein.Gt, list("b"), "text"},
		"text > by code point, not by language": {ext("s"), skein.Gt, list("z"), "text"},
		"true =":                                {ext("t"), skein.Eq, list(true), "full"},
		"true !=":                               {ext("t"), skein.Ne, list(true), "bare list odd text word"},
		"true = 1":                              {ext("t"), skein.Eq, list(int64(1)), "odd"},
		"true = 'true'":                         {ext("t"), skein.Eq, list("true"), "text"},
		"true in":                               {ext("t"), skein.In, list(true, "true"), "full text"},
		"false =":                               {ext("f"), skein.Eq, list(false), "full"},
		"false is no 0":                         {ext("f"), skein.Eq, list(int64(0)), "text"},
		"true has no order":                     {ext("t"), skein.Ge, list(false), nothing},
		"null is there":                         {ext("z"), skein.Exists, list(true), "full text"},
		"null is no value":                      {ext("z"), skein.Eq, list(""), "text"},
		"exists not":                            {ext("z"), skein.Exists, list(false), "bare list odd word"},
		"deep =":                                {ext("o", "k", "deep"), skein.Eq, list("x"), "full"},
		"deep through a number":                 {ext("o", "k", "deep"), skein.Exists, list(false), "bare list odd text word"},
		"an object equals nothing":              {ext("o"), skein.Eq, list(`{"k":1}`), nothing},
		"an object is there":                    {ext("o"), skein.Exists, list(true), "full odd"},
		"a list equals nothing":                 {ext("l"), skein.Eq, list(int64(1)), nothing},
		"a list has no keys":                    {ext("l", "0"), skein.Exists, list(true), nothing},
		"a dot in a key is no path":             {ext("o.k"), skein.Eq, list(int64(9)), "odd"},
		"a path is no key with a dot":           {ext("o", "k"), skein.Eq, list(int64(1)), "odd"},
		"a wild card is a key":                  {ext("%"), skein.Exists, list(true), "odd"},
		"an empty key":                          {ext(""), skein.Eq, list("empty"), "full"},
		"a key of another script":               {ext("日本"), skein.Eq, list("語"), "full"},
		"a value that looks like SQL":           {ext("s"), skein.Eq, list("' OR 1=1 --"), nothing},
		"a key that looks like SQL":             {ext("s') OR 1=1 --"), skein.Exists, list(true), nothing},
		"a key with a bracket":                  {ext("l[0]"), skein.Exists, list(true), nothing},
	} {
		tt.cond.Op, tt.cond.Values = tt.op, tt.values
		if got := f.found(byName, tt.cond); got != tt.want {
			f.Errorf("%s: %+v found %q, want %q", name, tt.cond, got, tt.want)
		}
	}
}

func convIDs(page skein.ConvPage) (ids []skein.ID) {
	for _, c := range page.Conversations {
		ids = append(ids, c.ID)
	}
	return ids
}
