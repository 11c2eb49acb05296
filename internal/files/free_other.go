//go:build !linux && !darwin

package files

import "errors"

func diskSpace(string) (free, size int64, err error) { return 0, 0, errors.ErrUnsupported }
