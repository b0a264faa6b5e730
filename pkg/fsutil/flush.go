package fsutil

import "os"

// earlyFlusher writes to a file and starts the disk on what was written while more
// comes, so that the flush in the end finds little to do. The disk never has more than two
// strides at once: the flushes of others wait behind them.
type earlyFlusher struct {
	file    *os.File
	written int64
	begun   int64 // how far the disk was told to begin
}

// flushStride is how much is written before the disk is told, in bytes.
const flushStride = 4 << 20

func (e *earlyFlusher) Write(p []byte) (int, error) {
	n, err := e.file.Write(p)
	e.written += int64(n)
	if e.written-e.begun >= flushStride {
		awaitFlush(e.file, max(0, e.begun-flushStride), min(e.begun, flushStride))
		beginFlush(e.file, e.begun, e.written-e.begun)
		e.begun = e.written
	}
	return n, err
}
