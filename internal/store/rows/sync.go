package rows

import "github.com/skein-im/skein"

// Changed is a conversation that a page of Sync tells of.
type Changed struct {
	Key  int64    // of the conversation, inside the engine
	Gone skein.ID // the client left it; zero: the client may be in it
}

// Tell adds to a page what there is to tell of a conversation that the client may be in:
// its view, that it is gone, or nothing.
type Tell func(page *skein.SyncPage, c Changed) error

// SyncPage makes a page of Sync. round is the cursor of the round that the page belongs to,
// and changed what follows its Key in the order of the keys, one more than limit if there is
// more. The next round begins at Upto.
func SyncPage(round skein.SyncCursor, changed []Changed, limit int, tell Tell) (page skein.SyncPage, err error) {
	if page.Done = len(changed) <= limit; page.Done {
		page.Next = skein.SyncCursor{Epoch: round.Epoch, Since: round.Upto}
	} else {
		changed = changed[:limit]
		page.Next = round
		page.Next.Key = changed[limit-1].Key
	}
	volume := 0
	for i, c := range changed {
		told := len(page.Views)
		if !c.Gone.IsZero() {
			page.Gone = append(page.Gone, c.Gone)
		} else if err := tell(&page, c); err != nil {
			return page, err
		}
		for _, v := range page.Views[told:] {
			volume += volumeOf(v)
		}
		if volume >= syncVolume && i+1 < len(changed) {
			page.Done, page.Next = false, round
			page.Next.Key = c.Key
			break
		}
	}
	return page, nil
}

// syncVolume is how many bytes of user content end a page before its limit.
const syncVolume = 1 << 20

// volumeOf is the user content of a view, in bytes.
func volumeOf(v skein.View) int {
	n := len(v.Extend) + len(v.Member.Draft)
	if v.Last != nil {
		n += len(v.Last.Text) + len(v.Last.Attr) + len(v.Last.URL)
	}
	return n
}
