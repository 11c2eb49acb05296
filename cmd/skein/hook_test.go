package main

import (
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/wire/adminapi"
)

func TestBeforeHooksAreManagedFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	if got := runSkein(t, "app", "create", "--id", "shop", "--data", dir); got.code != exitOK {
		t.Fatalf("app create: got %+v", got)
	}
	hook := func(command string, more ...string) []string {
		return append([]string{"hook", command, "--app", "shop", "--data", dir}, more...)
	}
	set := mustJSON[adminapi.HookSecret](t, hook("set", "--hook", "message", "--url", "https://example.com/", "--timeout", "300ms", "--on-failure", "refuse", "--json")...)
	if set.Secret == nil || set.TimeoutMS != 300 || set.OnFailure != "refuse" {
		t.Errorf("set: got %+v", set)
	}
	if again := mustJSON[adminapi.HookSecret](t, hook("set", "--hook", "message", "--url", "https://example.com/", "--json")...); again.Secret != nil || again.TimeoutMS != 500 || again.OnFailure != "pass" {
		t.Errorf("set again: got %+v, want the secret kept", again)
	}
	if got := mustJSON[adminapi.HookSecret](t, hook("rotate", "--hook", "message", "--json")...); got.Secret == nil || *got.Secret == *set.Secret || got.OldSecret == nil {
		t.Errorf("rotate: got %+v", got)
	}
	if got := runSkein(t, hook("list")...); !strings.Contains(got.out, "https://example.com/") || !strings.Contains(got.out, "500 ms") {
		t.Errorf("list: got %+v", got)
	}
	for want, args := range map[string][]string{
		"--url: must be an http": hook("set", "--hook", "message", "--url", "http://127.0.0.1/"),
		"--timeout: must be 50":  hook("set", "--hook", "message", "--url", "https://example.com/", "--timeout", "3s"),
		"--hook: unknown hook":   hook("set", "--hook", "nothing", "--url", "https://example.com/"),
		"--app: there is none":   {"hook", "list", "--app", "nobody", "--data", dir},
	} {
		if got := runSkein(t, args...); got.code != exitFailed || !strings.Contains(got.err, want) {
			t.Errorf("%q: got %+v, want %q", args, got, want)
		}
	}
	if got := runSkein(t, hook("delete", "--hook", "message")...); got.code != exitOK {
		t.Errorf("delete: got %+v", got)
	}
	if got := runSkein(t, hook("delete", "--hook", "message")...); got.code != exitFailed || !strings.Contains(got.err, "--hook: there is none") {
		t.Errorf("delete again: got %+v", got)
	}
}
