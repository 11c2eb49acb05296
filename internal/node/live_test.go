package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestANodeKnowsHowManyThereAre(t *testing.T) {
	inCluster(t, func(c *cluster) {
		count := func(when string, want string) {
			c.Helper()
			synctest.Wait()
			var got []string
			for _, name := range slices.Sorted(maps.Keys(c.nodes)) {
				got = append(got, fmt.Sprint(name, " ", c.nodes[name].Live()))
			}
			c.want(when, strings.Join(got, ", "), want)
		}
		count("at the start", "one 1, two 2")
		time.Sleep(time.Second)
		count("a beat later", "one 2, two 2")
		c.start("three", nil)
		count("a third has come", "one 2, three 3, two 2")
		time.Sleep(time.Second)
		count("a beat later", "one 3, three 3, two 3")
		c.stop("three") // its lease lasts five seconds
		time.Sleep(2 * time.Second)
		count("two seconds after one went", "one 2, two 2")
		c.setAway(errors.New("away"))
		time.Sleep(5 * time.Second)
		count("without the store", "one 2, two 2")
		c.setAway(nil)
		time.Sleep(time.Second)
		count("with it again", "one 2, two 2")
		time.Sleep(10 * time.Second)
		count("for a time", "one 2, two 2")
		c.stop("two")
		time.Sleep(2 * time.Second)
		count("one that is alone", "one 1")
	})
}
