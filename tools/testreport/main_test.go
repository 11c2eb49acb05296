package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for name, tt := range map[string]struct {
		events, out, skips, failures string
		failed                       bool
	}{
		"a package that passes is one line": {
			events: `{"Action":"output","Package":"p","Test":"T","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"T","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":1.25}`,
			out: "pass p 1.2s\n",
		},
		"a failure brings its output and how to see it again": {
			events: `{"Action":"output","Package":"p","Test":"T/a_(b)","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"T/a_(b)"}
{"Action":"output","Package":"p","Output":"-test.shuffle 12\n"}
{"Action":"fail","Package":"p","Elapsed":1}`,
			out: "got 1, want 2\nagain: go test -count=1 -run '^T$/^a_\\(b\\)$' p -race\n" +
				"-test.shuffle 12\nagain: go test -count=1 -shuffle=12 p -race\nfail p 1.0s\n",
			failures: "got 1, want 2\nagain: go test -count=1 -run '^T$/^a_\\(b\\)$' p -race\n" +
				"-test.shuffle 12\nagain: go test -count=1 -shuffle=12 p -race\n",
			failed: true,
		},
		"a test that never ends is shown with its package": {
			events: `{"Action":"output","Package":"p","Test":"T","Output":"waiting\n"}
{"Action":"fail","Package":"p","Elapsed":1}`,
			out:      "not finished: T\nwaiting\nagain: go test -count=1 p -race\nfail p 1.0s\n",
			failures: "not finished: T\nwaiting\nagain: go test -count=1 p -race\n",
			failed:   true,
		},
		"a build that fails is a failure": {
			events: `{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"p","Action":"build-fail"}`,
			out:      "undefined: x\n",
			failures: "undefined: x\n",
			failed:   true,
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
			var out, skips, failures strings.Builder
			r := newReport(&out, &skips, &failures, "-race")
			r.read(strings.NewReader(tt.events))
			if out.String() != tt.out || skips.String() != tt.skips || failures.String() != tt.failures || r.failed != tt.failed {
				t.Errorf("%s\ngot  %q, skips %q, failures %q, failed %v\nwant %q, skips %q, failures %q, failed %v", tt.events,
					out.String(), skips.String(), failures.String(), r.failed, tt.out, tt.skips, tt.failures, tt.failed)
			}
		})
	}
}

func TestALongOutputKeepsItsBeginningAndItsEnd(t *testing.T) {
	got := bounded("first" + strings.Repeat("x", 2*most) + "last")
	if len(got) > most+100 || !strings.HasPrefix(got, "firstx") || !strings.HasSuffix(got, "xlast") {
		t.Errorf("got %d bytes, %.10q … %q", len(got), got, got[len(got)-10:])
	}
}
