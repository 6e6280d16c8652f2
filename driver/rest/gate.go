package rest

import (
	"context"
	"sync"
)

// How many requests that may be repeated a client has under way at once. It begins with few, so that it opens no more
// connections than are worth their while, and has one more with every so many answers.
const (
	fewAtOnce  = 8
	mostAtOnce = 16
	oneMorePer = 16
)

// gate lets requests through that may be repeated. A streamed one does not pass it: who reads two streams side by side
// would wait for himself.
type gate struct {
	places chan struct{}

	mu     sync.Mutex
	passed int
}

func newGate() *gate {
	g := &gate{places: make(chan struct{}, mostAtOnce)}
	for range fewAtOnce {
		g.places <- struct{}{}
	}
	return g
}

// enter waits for a place.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case <-g.places:
		return g.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.places <- struct{}{}
	if g.passed++; g.passed%oneMorePer == 0 && g.passed <= oneMorePer*(mostAtOnce-fewAtOnce) {
		g.places <- struct{}{}
	}
}
