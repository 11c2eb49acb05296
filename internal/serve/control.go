package serve

import (
	"context"
	"errors"
	"log/slog"

	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/portable/importer"
)

// listenControl opens the socket through which `skein import` sends records to this server.
func (s *Server) listenControl(ctx context.Context) error {
	l, cannot, err := datadir.Listen(ctx, s.config.Data)
	if err != nil {
		return err
	}
	if cannot != nil {
		s.log.Warn("no control socket: skein import works only while no server runs", slog.Any("error", cannot))
		return nil
	}
	s.control.listener = l
	s.control.http = newHTTPServer(importer.Handler(importer.StoreTarget{Store: s.store, SaveFile: s.uploads.SaveAs}), s.log)
	s.control.http.ReadTimeout = 0 // files are large
	return nil
}

// closeControl waits for the current batch and closes the control socket.
func (s *Server) closeControl(ctx context.Context) error {
	if s.control.listener == nil {
		return nil
	}
	return errors.Join(s.control.shutdown(ctx, s.log), datadir.RemoveSocket(s.config.Data))
}
