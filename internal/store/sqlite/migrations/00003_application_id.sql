-- +goose Up

-- "Skei" in the header of the file says whose it is.
PRAGMA application_id = 1399547241;

-- +goose Down
PRAGMA application_id = 0;
