// Package config holds what an operator can set, where each setting comes from
// and whether it makes sense. It knows the command-line library and nothing else
// of the server.
//
// A setting has one name in three places: the flag --public-url, the environment
// variable SKEIN_PUBLIC_URL and the key public-url of the file that --config
// names. Flag beats environment beats file; an empty variable is none.
package config

import (
	"log/slog"
	"time"
	_ "time/tzdata" // --timezone works on machines without a zone database
)

// Store says where apps, clients and messages are kept. Every command that works
// on them embeds it; doing so is also what makes it read environment and file.
type Store struct {
	Config   string `group:"settings" placeholder:"FILE" help:"YAML file with these settings, named as here without the dashes."`
	Data     string `group:"settings" default:"./data" placeholder:"DIR" help:"Directory of the embedded store and of uploads; created with mode 0700."`
	Database string `group:"settings" default:"sqlite" placeholder:"URL" help:"Where everything is kept: sqlite, in --data."`
}

// Serve is the configuration of a server.
type Serve struct {
	Store

	Dev           bool          `group:"settings" help:"Seed the open demo app 666666 (app-key master) and its clients; loopback addresses only."`
	Addr          string        `group:"settings" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of REST, socket, files and page."`
	AdminAddr     string        `group:"settings" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of /metrics and /debug/pprof; keep it private."`
	Bus           string        `group:"settings" default:"in-process" placeholder:"URL" help:"What carries events between nodes: in-process, for a single node."`
	PublicURL     string        `group:"settings" name:"public-url" placeholder:"URL" help:"Prefix of the file links that are handed out; without it, taken from each request."`
	Drain         time.Duration `group:"settings" default:"10s" placeholder:"TIME" help:"How long sockets take to close after SIGTERM; 0s closes at once."`
	CacheMiB      int           `group:"settings" name:"cache-mib" default:"128" placeholder:"MIB" help:"Memory for what is asked of the store most: members and newest messages of busy conversations, clients who come and go; 0 keeps nothing."`
	Timezone      string        `group:"settings" default:"UTC" placeholder:"ZONE" help:"Zone of ctime and mtime of conversations, such as Asia/Shanghai."`
	AllowOpenApps bool          `group:"settings" help:"Start on a public address although an app has token authentication off."`
	LogLevel      string        `group:"settings" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat     string        `group:"settings" default:"text" enum:"text,json" placeholder:"FORMAT" help:"How log lines are written: text or json."`
}

// Level is LogLevel as slog has it.
func (s Serve) Level() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// Location is Timezone as time has it; UTC where Validate would refuse it.
func (s Serve) Location() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}
