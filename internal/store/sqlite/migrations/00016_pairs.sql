-- +goose Up

-- Who is deleted frees its private pairs, whichever of the two it is.
CREATE INDEX private_pairs_by_second ON private_pairs (app_key, second_id);

-- +goose Down
DROP INDEX private_pairs_by_second;
