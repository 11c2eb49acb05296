//go:build !linux && !darwin

package files

import "errors"

func DiskSpace(string) (free, size int64, err error) { return 0, 0, errors.ErrUnsupported }
