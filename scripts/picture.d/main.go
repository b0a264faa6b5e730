// Command picture.d draws what "tmux capture-pane -p -e" prints as an SVG.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

func main() {
	captured, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = os.Stdout.Write(draw(string(bytes.TrimRight(captured, "\n"))))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}
