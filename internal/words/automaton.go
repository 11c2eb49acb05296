package words

import "slices"

// automaton is a trie of words with failure links. States are numbered breadth-first, so those of
// one rune come first. All transitions but the root's are in one hash table: a state of a list of
// 100,000 Chinese words has one or two, and a table of transitions per state would take gigabytes.
type automaton struct {
	root   []uint32 // the state after each code at the root; 0: none
	table  []uint64 // state and code (40 bits), and the state that follows (24 bits); 0: free
	shift  uint8    // of a hash, so that it is an index of table
	masks  []uint64 // bit code%64 of a state: it may have a transition with the code. Most look-ups end here
	first  uint32   // the last state of one rune; their failure link is the root
	fails  []uint32 // the state of the longest suffix
	ends   []uint32 // the nearest state of the chain of fails, itself first, that ends a word; 0: none
	depths []uint8
	acts   []action // of the word that ends at a state
}

const stateBits = 24

// span is the words that begin with the same codes.
type span struct {
	from, to int
	parent   uint32
	code     uint16
}

// build makes the automaton; codes is the bound of the codes in words.
func (a *automaton) build(words []word, codes int) {
	slices.SortFunc(words, compareWords)
	words = slices.CompactFunc(words, func(a, b word) bool { return slices.Equal(a.codes, b.codes) })
	states := []span{{from: 0, to: len(words)}}
	a.depths, a.acts = []uint8{0}, []action{none}
	for s := 0; s < len(states); s++ {
		states = a.children(states, uint32(s), words)
	}
	size := 64
	a.shift = 64 - 6
	for size < 2*len(states) {
		size, a.shift = size*2, a.shift-1
	}
	a.root, a.table = make([]uint32, codes), make([]uint64, size)
	a.fails, a.ends, a.masks = make([]uint32, len(states)), make([]uint32, len(states)), make([]uint64, len(states))
	for s := 1; s < len(states); s++ {
		from := states[s]
		if from.parent == 0 {
			a.root[from.code], a.first = uint32(s), uint32(s)
		} else {
			a.put(from.parent, from.code, uint32(s))
			a.fails[s] = a.next(a.fails[from.parent], from.code)
		}
		if a.ends[s] = uint32(s); a.acts[s] == none {
			a.ends[s] = a.ends[a.fails[s]]
		}
	}
}

// children appends the states that follow a state, and notes whether a word ends there.
func (a *automaton) children(states []span, s uint32, words []word) []span {
	at, depth := states[s], int(a.depths[s])
	for i := at.from; i < at.to; {
		if len(words[i].codes) == depth {
			a.acts[s] = words[i].action
			i++
			continue
		}
		child := span{from: i, parent: s, code: words[i].codes[depth]}
		for i < at.to && words[i].codes[depth] == child.code {
			i++
		}
		child.to = i
		states = append(states, child)
		a.depths, a.acts = append(a.depths, uint8(depth+1)), append(a.acts, none)
	}
	return states
}

func keyOf(s uint32, code uint16) uint64 { return uint64(s)<<16 | uint64(code) }

// slot is where the search for a key begins.
func (a *automaton) slot(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> a.shift }

func (a *automaton) put(s uint32, code uint16, next uint32) {
	key := keyOf(s, code)
	i := a.slot(key)
	for a.table[i] != 0 {
		i = (i + 1) & uint64(len(a.table)-1)
	}
	a.table[i] = key<<stateBits | uint64(next)
	a.masks[s] |= 1 << (code % 64)
}

// next is the state after a code.
func (a *automaton) next(s uint32, code uint16) uint32 {
	for s != 0 {
		if a.masks[s]>>(code%64)&1 != 0 {
			if to := a.get(keyOf(s, code)); to != 0 {
				return to
			}
		}
		if s <= a.first {
			break
		}
		s = a.fails[s]
	}
	return a.root[code]
}

// get is the state of a transition; 0: there is none.
func (a *automaton) get(key uint64) uint32 {
	for i := a.slot(key); ; i = (i + 1) & uint64(len(a.table)-1) {
		entry := a.table[i]
		if entry>>stateBits == key {
			return uint32(entry & (1<<stateBits - 1))
		}
		if entry == 0 {
			return 0
		}
	}
}

func (a *automaton) size() int {
	return len(a.root)*4 + len(a.table)*8 + len(a.fails)*18
}
