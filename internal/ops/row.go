package ops

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
)

// Call names an op together with the types of its request and its answer, so that the
// compiler checks those who Invoke it.
type Call[In, Out any] string

// Row makes an op of a function from its request to its answer. example is a request as
// JSON and the answer to it; it runs only when the reference is written.
func Row[In, Out any](name Call[In, Out], op Op, run func(context.Context, skein.Actor, In) (Out, error), example func() (string, Out)) *Op {
	o := &op
	o.Name = string(name)
	o.Request, o.Answer = *new(In), *new(Out)
	o.run = run
	o.example = func() (string, any) {
		request, answer := example()
		return request, answer
	}
	o.serve = server(o, run)
	return o
}

// server runs an op without types: decode, invoke, encode.
func server[In, Out any](op *Op, run func(context.Context, skein.Actor, In) (Out, error)) func(context.Context, *Table, skein.Actor, func(any) error) ([]byte, error) {
	return func(ctx context.Context, t *Table, by skein.Actor, decode func(any) error) ([]byte, error) {
		out, err := invoke(ctx, t, by, op, run, func(in *In) error { return decode(in) })
		if err != nil {
			return nil, err
		}
		return answer(t, by, out)
	}
}

// KeepOlder makes REST and socket calls that use fields of an older request be answered
// in the older form, by older. Invoke knows only the newer form.
func KeepOlder[In, Out any](op *Op, _ Call[In, Out], uses func(In) bool, older func(context.Context, skein.Actor, In) (any, error)) *Op {
	newer, _ := op.run.(func(context.Context, skein.Actor, In) (Out, error))
	op.serve = server(op, func(ctx context.Context, by skein.Actor, in In) (any, error) {
		if uses(in) {
			return older(ctx, by, in)
		}
		return newer(ctx, by, in)
	})
	return op
}

// encode writes an answer as JSON.
func encode[Out any](answer Out) ([]byte, error) {
	if a, ok := any(answer).(interface{ AppendJSON(dst []byte) []byte }); ok {
		return a.AppendJSON(nil), nil
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return out, nil
}
