package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// Bounds on the files of messages, which anybody may have sent.
const (
	filesAtOnce = 8
	fileBytes   = 5 << 30
	fileTime    = time.Hour
	fileTries   = 3
	// filesJournal has a File a line: what the run under way has fetched.
	filesJournal = "files-journal.jsonl"
)

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Files says which files of a dump to fetch, and how.
type Files struct {
	Dir     string // of the dump
	Fetch   bool   // false: only write the list of what was fetched earlier
	Host    string // where files are now; tried if a link is dead
	Private bool   // links may lead into the operator's own network

	API   *api.Client
	Clock api.Clock
	Fatal func(context.Context, error) bool // whether an error ends the run
	Begin func(total int)                   // called with the number of files to fetch
	Done  func()                            // called after each
}

// Write fetches the files that links lead to, and writes their list.
func (o Files) Write(ctx context.Context, m *folder.Manifest) error {
	known, err := o.known()
	if err != nil {
		return err
	}
	if o.Fetch {
		if err := o.fetch(ctx, known); err != nil {
			return err
		}
	}
	w, err := folder.WriteList(o.path(folder.FilesFile))
	if err != nil {
		return err
	}
	m.Files.Asked = true
	for _, key := range slices.Sorted(maps.Keys(known)) {
		f := known[key]
		if f.Error == "" {
			m.Files.Kept++
			m.Files.Bytes += f.Size
		} else {
			m.Files.Lost++
		}
		if err := w.Value(f); err != nil {
			w.Drop()
			return err
		}
	}
	if m.Lists[folder.FilesFile], err = w.End(); err != nil {
		return err
	}
	return skipMissing(os.Remove(o.path(filesJournal)))
}

func (o Files) path(name string) string { return folder.Path(o.Dir, name) }

// known are the files that earlier runs fetched, and this one before it was stopped.
func (o Files) known() (map[string]folder.File, error) {
	known := map[string]folder.File{}
	for _, name := range []string{folder.FilesFile, filesJournal} {
		for line, err := range folder.Lines(o.path(name)) {
			var f folder.File
			if err == nil {
				err = json.Unmarshal(line, &f)
			}
			if err != nil && name == filesJournal {
				break // the last line was being written when the run was killed
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			known[link{url: f.URL, id: f.ID}.key()] = f
		}
	}
	return known, nil
}

// fetcher fetches files. It is safe for concurrent use.
type fetcher struct {
	Files

	http *http.Client

	mu      sync.Mutex // guards what follows
	files   map[string]folder.File
	journal *os.File
}

func (o Files) fetch(ctx context.Context, known map[string]folder.File) error {
	all, err := links(o.Dir)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(o.path(filesJournal), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = journal.Close() }() // an error loses nothing
	f := &fetcher{Files: o, http: fileClient(o.Private), files: known, journal: journal}
	defer f.http.CloseIdleConnections()
	var todo []link
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if was, ok := known[key]; ok && was.Error == "" {
			if err := f.note(key, was); err != nil {
				return err
			}
			continue
		}
		todo = append(todo, all[key])
	}
	o.Begin(len(todo))
	slots := make(chan struct{}, filesAtOnce)
	return api.Each(ctx, todo, func(ctx context.Context, l link) error {
		slots <- struct{}{}
		defer func() { <-slots }()
		got, err := f.get(ctx, l)
		o.Done()
		if err != nil {
			return err
		}
		return f.note(l.key(), got)
	})
}

// note records the result of a link.
func (f *fetcher) note(key string, got folder.File) error {
	line, err := json.Marshal(got, folder.Lenient)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[key] = got
	_, err = f.journal.Write(append(line, '\n'))
	return err
}

// fileClient follows links that strangers wrote, so it connects to no address of the operator's own
// network, unless LeanCloud's server has such an address (in tests).
func fileClient(private bool) *http.Client {
	dialer := &net.Dialer{Timeout: 30 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if ip := at.Addr().Unmap(); !private && (!ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip)) {
			return fmt.Errorf("%s is no address of the public network", ip)
		}
		return nil
	}}
	return &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 30 * time.Second,
		ResponseHeaderTimeout: time.Minute, MaxIdleConnsPerHost: filesAtOnce, DisableCompression: true,
	}}
}

// shared is the address space behind carriers' own translation (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// get fetches one file from its link. If that fails it tries the address that _File has now, then the
// same path on Host. An error ends the run.
func (f *fetcher) get(ctx context.Context, l link) (folder.File, error) {
	got := folder.File{URL: l.url, ID: l.id, Name: l.name}
	var errs []string
	for _, find := range []func(context.Context, link) (string, error){
		func(context.Context, link) (string, error) { return l.url, nil }, f.moved, f.onHost,
	} {
		address, err := find(ctx, l)
		if err == nil && address != "" {
			err = f.from(ctx, address, l, &got)
			if err == nil {
				return got, nil
			}
		}
		switch {
		case ctx.Err() != nil:
			return got, ctx.Err()
		case err != nil && f.Fatal(ctx, err) || errors.Is(err, errDisk):
			return got, err
		case err != nil:
			errs = append(errs, err.Error())
		}
	}
	got.Error = cmp.Or(strings.Join(errs, "; "), "no address")
	return got, nil
}

// moved is the address in the row of _File.
func (f *fetcher) moved(ctx context.Context, l link) (string, error) {
	if l.id == "" {
		return "", nil
	}
	row, err := f.API.Get(ctx, "/1.1/classes/_File/"+url.PathEscape(l.id), nil)
	if err != nil {
		return "", fmt.Errorf("_File: %w", err)
	}
	address := folder.Field(row, "url")
	if address == l.url {
		return "", nil
	}
	return address, nil
}

func (f *fetcher) onHost(_ context.Context, l link) (string, error) {
	u, err := url.Parse(l.url)
	if f.Host == "" || err != nil || u.Path == "" {
		return "", nil //nolint:nilerr // there is no such address
	}
	return strings.TrimSuffix(f.Host, "/") + u.EscapedPath(), nil
}

// errDisk: a file cannot be written.
var errDisk = errors.New("cannot be written")

func (f *fetcher) from(ctx context.Context, address string, l link, got *folder.File) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%.200q is no link to the web", address)
	}
	sum := sha256.Sum256([]byte(l.key()))
	name := hex.EncodeToString(sum[:])
	ext := strings.ToLower(path.Ext(u.Path))
	if len(ext) > 8 || strings.Trim(ext, ".0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		ext = ""
	}
	to := path.Join(folder.FilesDir, name[:2], name+ext)
	for try := 1; ; try++ {
		again, err := f.once(ctx, address, f.path(to), l, got)
		if err == nil {
			got.Path = to
			if address != l.url {
				got.From = address
			}
			return nil
		}
		if !again || try == fileTries || ctx.Err() != nil {
			return err
		}
		if err := f.Clock.Sleep(ctx, api.Backoff(try)); err != nil {
			return err
		}
	}
}

// once sends one request. again: another try may succeed.
func (f *fetcher) once(ctx context.Context, address, to string, l link, got *folder.File) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	res, err := f.http.Do(req)
	if err != nil {
		dns, unknown := errors.AsType[*net.DNSError](err)
		return !errors.Is(err, syscall.ECONNREFUSED) && (!unknown || !dns.IsNotFound), err
	}
	defer func() { _ = res.Body.Close() }() // an error loses nothing
	if res.StatusCode != http.StatusOK {
		return res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s answers HTTP %d", address, res.StatusCode)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return false, fmt.Errorf("%w: %w", errDisk, err)
	}
	part, err := os.OpenFile(to+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the name is a hash
	if err != nil {
		return false, fmt.Errorf("%w: %w", errDisk, err)
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(disk{part}, hash), io.LimitReader(res.Body, fileBytes+1))
	if err == nil && n > fileBytes {
		err = fmt.Errorf("more than %d bytes", int64(fileBytes))
	}
	if err == nil && res.ContentLength < 0 && n < l.size {
		err = fmt.Errorf("cut off: %d bytes of the %d that the message names", n, l.size)
	}
	if closed := part.Close(); err == nil && closed != nil {
		err = fmt.Errorf("%w: %w", errDisk, closed)
	}
	if err != nil {
		return !errors.Is(err, errDisk), errors.Join(err, os.Remove(part.Name()))
	}
	got.Size, got.SHA256 = n, hex.EncodeToString(hash.Sum(nil))
	if err := os.Rename(part.Name(), to); err != nil {
		return false, fmt.Errorf("%w: %w", errDisk, err)
	}
	return false, nil
}

// disk marks errors of writing with errDisk, to tell them from errors of the download.
type disk struct{ *os.File }

func (d disk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", errDisk, err)
	}
	return n, err
}
