// A Worker in Go: it sorts the words that it is sent.
package main

import (
	"sort"
	"strings"
	"syscall/js"
)

func answer(method string, body string) (int, string) {
	if method != "POST" {
		return 405, "POST words, and Go sorts them.\n"
	}
	words := strings.Fields(body)
	sort.Strings(words)
	return 200, strings.Join(words, "\n") + "\n"
}

func main() {
	// index.js calls this for each request, and waits for what it returns: it must not block.
	handle := js.FuncOf(func(_ js.Value, arguments []js.Value) any {
		status, text := answer(arguments[0].String(), arguments[1].String())
		return map[string]any{"status": status, "text": text}
	})
	js.Global().Get("goWorker").Set("handle", handle)
	select {}
}
