package skein

// WordList is the words that an app does not want in its messages and names. Words are compared
// without regard to case, width, compatible forms and invisible characters; words of Latin, Greek
// and Cyrillic letters and of digits are found as whole words, others anywhere.
type WordList struct {
	Revision         int64 // greater with each change; zero: there is no list
	Replace          []string
	Reject           []string
	IgnoreSeparators bool // white space, punctuation and symbols inside words do not count
}
