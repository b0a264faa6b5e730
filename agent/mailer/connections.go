package mailer

import (
	"slices"
	"sync"
	"time"
)

// idleConnection is how long a connection is kept for the next mail.
const idleConnection = 20 * time.Second

// connections are the transports that no mail uses at present. One that is not used
// again for a while is closed.
type connections struct {
	open func() Transport

	mu   sync.Mutex
	idle []*connection // the one that was used last is at the end
}

type connection struct {
	Transport
	expiry *time.Timer
}

// get returns a transport for one mail.
func (c *connections) get() *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := len(c.idle) - 1; last >= 0 {
		one := c.idle[last]
		c.idle = c.idle[:last]
		one.expiry.Stop()
		return one
	}
	return &connection{Transport: c.open()}
}

// put keeps a transport for the next mail.
func (c *connections) put(one *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, one)
	one.expiry = time.AfterFunc(idleConnection, func() { c.expire(one) })
}

// expire closes a transport, unless a mail uses it again.
func (c *connections) expire(one *connection) {
	if c.remove(one) {
		one.Close()
	}
}

func (c *connections) remove(one *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.idle, one)
	if at >= 0 {
		c.idle = slices.Delete(c.idle, at, at+1)
	}
	return at >= 0
}

// close closes all of them at once: each may have to say good-bye to a slow server. None
// is in use.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all sync.WaitGroup
	for _, one := range c.idle {
		one.expiry.Stop()
		all.Go(one.Close)
	}
	c.idle = nil
	all.Wait()
}
