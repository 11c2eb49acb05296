package leancloud

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

// files fetches what links lead to, where that is asked for, and writes its list.
func (d *dump) files(ctx context.Context, m *Manifest) error {
	known, err := d.knownFiles()
	if err != nil {
		return err
	}
	if d.Files && !d.Finish {
		if err := d.fetchFiles(ctx, known); err != nil {
			return err
		}
	}
	w, err := writeList(d.path(FilesFile))
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
		if err := w.value(f); err != nil {
			w.drop()
			return err
		}
	}
	if m.Lists[FilesFile], err = w.end(); err != nil {
		return err
	}
	return skipMissing(os.Remove(d.path(filesJournal)))
}

// knownFiles are the files of earlier runs and of this one before it was stopped.
func (d *dump) knownFiles() (map[string]File, error) {
	known := map[string]File{}
	for _, name := range []string{FilesFile, filesJournal} {
		for line, err := range Lines(d.path(name)) {
			var f File
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
	d    *dump
	http *http.Client

	mu      sync.Mutex // guards what follows
	known   map[string]File
	journal *os.File
}

func (d *dump) fetchFiles(ctx context.Context, known map[string]File) error {
	all, err := d.links()
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(d.path(filesJournal), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer closing(journal)
	f := &fetcher{d: d, http: fileClient(d.private), known: known, journal: journal}
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
	d.ledger.step("files", len(todo))
	slots := make(chan struct{}, filesAtOnce)
	return each(ctx, todo, func(ctx context.Context, l link) error {
		slots <- struct{}{}
		defer func() { <-slots }()
		got, err := f.get(ctx, l)
		d.ledger.one()
		if err != nil {
			return err
		}
		return f.note(l.key(), got)
	})
}

// note keeps what became of a link.
func (f *fetcher) note(key string, got File) error {
	line, err := json.Marshal(got, lenient)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[key] = got
	_, err = f.journal.Write(append(line, '\n'))
	return err
}

// fileClient follows links that strangers wrote, so it reaches no address of the
// operator's own network, unless the server itself is one.
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

// get fetches one file: from its link, and where that is dead from the address that
// _File names today, and from the same path on FileHost. An error ends the run.
func (f *fetcher) get(ctx context.Context, l link) (File, error) {
	got := File{URL: l.url, ID: l.id, Name: l.name}
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
		case err != nil && f.d.fatal(ctx, err) || errors.Is(err, errDisk):
			return got, err
		case err != nil:
			errs = append(errs, err.Error())
		}
	}
	got.Error = cmp.Or(strings.Join(errs, "; "), "no address")
	return got, nil
}

// moved is the address that the row in _File has.
func (f *fetcher) moved(ctx context.Context, l link) (string, error) {
	if l.id == "" {
		return "", nil
	}
	row, err := f.d.api.Get(ctx, "/1.1/classes/_File/"+url.PathEscape(l.id), nil)
	if err != nil {
		return "", fmt.Errorf("_File: %w", err)
	}
	address := field(row, "url")
	if address == l.url {
		return "", nil
	}
	return address, nil
}

func (f *fetcher) onHost(_ context.Context, l link) (string, error) {
	u, err := url.Parse(l.url)
	if f.d.FileHost == "" || err != nil || u.Path == "" {
		return "", nil //nolint:nilerr // there is no such address
	}
	return strings.TrimSuffix(f.d.FileHost, "/") + u.EscapedPath(), nil
}

// errDisk: a file cannot be written.
var errDisk = errors.New("cannot be written")

func (f *fetcher) from(ctx context.Context, address string, l link, got *File) error {
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
	to := path.Join(FilesDir, name[:2], name+ext)
	for try := 1; ; try++ {
		again, err := f.once(ctx, address, f.d.path(to), l, got)
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
		if err := f.d.Clock.Sleep(ctx, api.Backoff(try)); err != nil {
			return err
		}
	}
}

// once asks once. again: another try may do better.
func (f *fetcher) once(ctx context.Context, address, to string, l link, got *File) (again bool, err error) {
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
	defer closing(res.Body)
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

// disk tells a disk that fails from a link that does.
type disk struct{ *os.File }

func (d disk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", errDisk, err)
	}
	return n, err
}
