package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for name, tt := range map[string]struct {
		events, out, skips string
		failed             bool
	}{
		"a package that passes is one line": {
			events: `{"Action":"output","Package":"p","Test":"T","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"T","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":1.25}`,
			out: "pass p 1.2s\n",
		},
		"a failure brings its output": {
			events: `{"Action":"output","Package":"p","Test":"T","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"T"}
{"Action":"fail","Package":"p","Elapsed":1}`,
			out:    "got 1, want 2\nfail p 1.0s\n",
			failed: true,
		},
		"a build that fails is a failure": {
			events: `{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"p","Action":"build-fail"}`,
			out:    "undefined: x\n",
			failed: true,
		},
		"a skip is kept with its reason": {
			events: `{"Action":"output","Package":"p","Test":"T","Output":"=== RUN   T\n"}
{"Action":"output","Package":"p","Test":"T","Output":"    x_test.go:9: no chromium\n"}
{"Action":"output","Package":"p","Test":"T","Output":"--- SKIP: T (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"T"}`,
			skips: "p T: no chromium\n",
		},
		"a package without tests is nothing": {
			events: `{"Action":"skip","Package":"p"}`,
		},
		"what is no event is passed on": {
			events: "go: cannot find main module",
			out:    "go: cannot find main module\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out, skips strings.Builder
			r := newReport(&out, &skips)
			r.read(strings.NewReader(tt.events))
			if out.String() != tt.out || skips.String() != tt.skips || r.failed != tt.failed {
				t.Errorf("%s\ngot  %q, skips %q, failed %v\nwant %q, skips %q, failed %v", tt.events,
					out.String(), skips.String(), r.failed, tt.out, tt.skips, tt.failed)
			}
		})
	}
}
