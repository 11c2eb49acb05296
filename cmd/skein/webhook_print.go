package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

func (c *ofApp) printSecret(out io.Writer, made adminapi.WebhookSecret) error {
	if c.JSON {
		return printJSON(out, made)
	}
	heading := fmt.Sprintf("The secret of endpoint %s verifies its calls. Keep it: it is not shown again.\n", made.WebhookID)
	return printTable(out, heading, append([][]string{{"secret", made.Secret}}, webhookRows(made.Webhook)...))
}

func (c *ofApp) printWebhook(out io.Writer, w adminapi.Webhook) error {
	if c.JSON {
		return printJSON(out, w)
	}
	return printTable(out, "", webhookRows(w))
}

func (c *ofApp) printWebhooks(out io.Writer, all adminapi.Webhooks) error {
	if c.JSON {
		return printJSON(out, all)
	}
	rows := [][]string{{"ID", "URL", "NAME", "STATE", "DEAD LETTERS", "EVENTS"}}
	for _, w := range all.Data {
		rows = append(rows, []string{w.WebhookID, w.URL, w.Name, stateOf(w), strconv.Itoa(w.DeadLetters), eventsOf(w)})
	}
	return printTable(out, "", rows)
}

// webhookRows are the lines of the text output about one endpoint.
func webhookRows(w adminapi.Webhook) [][]string {
	types := "all"
	if len(w.ConvTypes) > 0 {
		types = strings.ReplaceAll(strings.Trim(fmt.Sprint(w.ConvTypes), "[]"), " ", ",")
	}
	rows := [][]string{
		{"id", w.WebhookID}, {"app", w.AppID}, {"url", w.URL}, {"name", w.Name}, {"state", stateOf(w)}, {"events", eventsOf(w)}, {"conv-types", types},
		{"rate", strconv.Itoa(w.Rate)}, {"batch", strconv.Itoa(w.Batch)}, {"ordered", onOffText(w.Ordered)}, {"dead letters", strconv.Itoa(w.DeadLetters)}, {"created", moment(&w.Created)},
	}
	if w.OldSecret != nil {
		rows = append(rows, []string{"old secret ends", moment(w.OldSecret)})
	}
	return rows
}

func stateOf(w adminapi.Webhook) string {
	switch {
	case w.Reason != nil:
		return "disabled: " + *w.Reason
	case !w.Enabled:
		return "disabled"
	case w.FailingFrom != nil:
		return "failing since " + moment(w.FailingFrom)
	}
	return "enabled"
}

func eventsOf(w adminapi.Webhook) string { return cmp.Or(strings.Join(w.Events, ","), "the usual") }

// printAttempts prints lines of the log; as JSON it prints answer.
func (c *ofApp) printAttempts(out io.Writer, all adminapi.Attempts, answer any) error {
	if c.JSON {
		return printJSON(out, answer)
	}
	rows := [][]string{{"SEQ", "TIME", "ATTEMPT", "STATUS", "MS", "EVENTS", "ERROR"}}
	for _, a := range all.Data {
		first := ""
		if len(a.Events) > 0 {
			first = " " + a.Events[0].Type
		}
		rows = append(rows, []string{
			number(a.Seq), moment(&a.At), strconv.Itoa(a.Attempt), status(a.Status), number(a.Millis), strconv.Itoa(len(a.Events)) + first, text(a.Error),
		})
	}
	return printTable(out, "", rows)
}

func (c *ofApp) printFailed(out io.Writer, all adminapi.FailedCalls) error {
	if c.JSON {
		return printJSON(out, all)
	}
	rows := [][]string{{"SEQ", "FIRST ATTEMPT", "ATTEMPTS", "GIVEN UP", "NEXT", "STATUS", "EVENTS", "ERROR"}}
	for _, f := range all.Data {
		rows = append(rows, []string{
			number(f.Seq), moment(&f.First), strconv.Itoa(f.Attempts), moment(f.GivenUp), moment(f.Next), status(f.Status), strconv.Itoa(f.Events), text(f.Error),
		})
	}
	return printTable(out, "", rows)
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func status(s *int) string {
	if s == nil {
		return "-"
	}
	return strconv.Itoa(*s)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// moment is a time in Unix ms.
func moment(m *int64) string {
	if m == nil {
		return "-"
	}
	return stamp(skein.Millis(*m))
}
