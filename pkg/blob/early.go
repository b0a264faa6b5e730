package blob

import "os"

// early writes to a file and has the disk begin with what was written while more
// comes, so that the flush in the end finds little to do. The disk is never given
// more than two strides at once: the flushes of others wait behind them.
type early struct {
	file    *os.File
	written int64
	begun   int64 // how far the disk was told to begin
}

// stride is how much is written before the disk is told, in bytes.
const stride = 4 << 20

func (e *early) Write(p []byte) (int, error) {
	n, err := e.file.Write(p)
	e.written += int64(n)
	if e.written-e.begun >= stride {
		awaitFlush(e.file, max(0, e.begun-stride), min(e.begun, stride))
		beginFlush(e.file, e.begun, e.written-e.begun)
		e.begun = e.written
	}
	return n, err
}
