package cache

// turns tells whether what was read of the engine may be kept: no write that could have
// changed it began, was under way or ended since the read began. Guarded by the lock of
// its shard.
type turns struct {
	reading int // nobody may drop the entry meanwhile
	writing int // nothing is kept or answered meanwhile
	turn    int // grows with each beginning and end of a write
}

// idle reports whether nobody works on the entry.
func (t *turns) idle() bool { return t.reading == 0 && t.writing == 0 }

func (t *turns) beginReading() (turn int) {
	t.reading++
	return t.turn
}

// endReading reports whether what was read since turn may be kept.
func (t *turns) endReading(turn int) (keep bool) {
	t.reading--
	return t.writing == 0 && t.turn == turn
}

func (t *turns) beginWriting() {
	t.writing++
	t.turn++
}

func (t *turns) endWriting() {
	t.writing--
	t.turn++
}
