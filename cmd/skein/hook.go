package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/skein-im/skein/internal/ops/adminrows"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

type hookCmd struct {
	Set    hookSet    `cmd:"" help:"Set a before-hook of an app; print its secret if it is new."`
	List   hookList   `cmd:"" help:"List the before-hooks of an app."`
	Rotate hookRotate `cmd:"" help:"Make a new secret and print it; the old one stays valid for a while."`
	Delete hookDelete `cmd:"" help:"Remove a before-hook."`
}

// ofHook are the flags of commands about one hook.
type ofHook struct {
	ofApp

	Hook string `required:"" help:"What the hook is asked before: message, conversation, members, login or upload."`
}

func (c *ofHook) name() adminapi.OfHook { return adminapi.OfHook{OfApp: c.ofApp.name(), Hook: c.Hook} }

type hookSet struct {
	ofHook

	URL       string        `name:"url" required:"" help:"Where the calls go: http or https, a public address, or one that --outbound-allow has."`
	Timeout   time.Duration `default:"500ms" help:"How long a call may take, 50ms to 2s."`
	OnFailure string        `default:"pass" enum:"pass,refuse" help:"What becomes of what the hook does not answer: pass, it happens; refuse, it is refused."`
}

// Run sets the hook.
func (c *hookSet) Run(ctx context.Context, out io.Writer) error {
	ms := c.Timeout.Milliseconds()
	put, err := call(ctx, &c.ofApp, adminrows.HookPut, adminapi.PutHook{OfHook: c.name(), URL: c.URL, TimeoutMS: &ms, OnFailure: c.OnFailure})
	if err != nil {
		return err
	}
	return c.printHook(out, put)
}

type hookList struct{ ofApp }

// Run lists the hooks.
func (c *hookList) Run(ctx context.Context, out io.Writer) error {
	all, err := call(ctx, &c.ofApp, adminrows.HookList, c.name())
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, all)
	}
	rows := [][]string{{"HOOK", "URL", "TIMEOUT", "ON FAILURE"}}
	for _, h := range all.Data {
		rows = append(rows, []string{h.Hook, h.URL, strconv.Itoa(h.TimeoutMS) + " ms", h.OnFailure})
	}
	return printTable(out, "", rows)
}

type hookRotate struct {
	ofHook

	Grace time.Duration `default:"24h" help:"For how long calls carry the signatures of both secrets, at most 720h (30 days)."`
}

// Run makes the secret.
func (c *hookRotate) Run(ctx context.Context, out io.Writer) error {
	grace := int64(c.Grace / time.Second)
	put, err := call(ctx, &c.ofApp, adminrows.HookRotate, adminapi.RotateHook{OfHook: c.name(), Grace: &grace})
	if err != nil {
		return err
	}
	return c.printHook(out, put)
}

type hookDelete struct{ ofHook }

// Run removes the hook.
func (c *hookDelete) Run(ctx context.Context, out io.Writer) error {
	if _, err := call(ctx, &c.ofApp, adminrows.HookDelete, c.name()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Hook %s of app %s is removed. Running servers follow within 2 s.\n", c.Hook, c.App)
	return err
}

// printHook prints a hook, and its secret if that is new.
func (c *ofApp) printHook(out io.Writer, h adminapi.HookSecret) error {
	if c.JSON {
		return printJSON(out, h)
	}
	heading, rows := "", [][]string{{"hook", h.Hook.Hook}, {"url", h.URL}, {"timeout", strconv.Itoa(h.TimeoutMS) + " ms"}, {"on failure", h.OnFailure}}
	if h.Secret != nil {
		heading = fmt.Sprintf("The secret verifies the calls of hook %s. Keep it: it is not shown again.\n", h.Hook.Hook)
		rows = append([][]string{{"secret", *h.Secret}}, rows...)
	}
	return printTable(out, heading, rows)
}
