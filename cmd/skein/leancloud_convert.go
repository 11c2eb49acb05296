package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/convert/leancloud"
)

type leancloudConvert struct {
	From      string `required:"" placeholder:"DIR" help:"The folder that skein leancloud dump made."`
	Out       string `required:"" placeholder:"DIR" help:"Portable folder to create; it must be empty or not exist."`
	Rename    string `placeholder:"FILE" help:"JSON object of client ids to replace: {\"old id\": \"new-id\"}."`
	PublicURL string `placeholder:"URL" help:"URL that links to files of the dump begin with, such as https://im.example.com; default: they begin with /storage/uploads/."`
	MarkRead  bool   `help:"Mark everything as read for every member; default: what others sent is unread."`
}

// Help is shown below the summary by --help.
func (leancloudConvert) Help() string {
	return "What was changed, refused or left out is in " + convert.ReportFile + " of the folder, with what was read. Sorting needs about twice the size of the dump on the disk of --out for a while."
}

// Run converts the dump and prints an account of every record.
func (c *leancloudConvert) Run(ctx context.Context, out io.Writer) error {
	datadir.SetPrivateUmask()
	ctx, stop := untilSignal(ctx)
	defer stop()
	rename, err := c.renames()
	if err != nil {
		return fmt.Errorf("--rename: %w", err)
	}
	sum, err := leancloud.Convert(ctx, leancloud.Options{
		From: c.From, Out: c.Out, Rename: rename, MarkRead: c.MarkRead, Progress: showStages(),
		PublicURL: c.PublicURL, Extension: files.Extension,
	})
	if err != nil {
		return fmt.Errorf("convert %s: %w", c.From, err)
	}
	_, err = fmt.Fprintf(out, "%s\n%s is whole. %s says what became of every record that is not as it was.\n",
		sum, c.Out, filepath.Join(c.Out, convert.ReportFile))
	return err
}

func (c *leancloudConvert) renames() (rename map[string]string, err error) {
	rename = map[string]string{}
	if c.Rename == "" {
		return rename, nil
	}
	raw, err := os.ReadFile(c.Rename)
	if err == nil {
		err = json.Unmarshal(raw, &rename)
	}
	return rename, err
}

// showStages prints how many messages each stage has handled.
func showStages() func(stage string, n int64) {
	var p *progress
	now := ""
	return func(stage string, n int64) {
		if stage != now {
			p, now = newProgress(os.Stderr, time.Now, "messages "+stage), stage
		}
		p.show(n, 0)
	}
}
