// A worker program: a fleet starts it, and it speaks the worker protocol over standard input and output, or in a thread over its message port.
import { serveWorker } from 'flotilla/worker'

await serveWorker({
  handlers: {
    greet: (attempt) => `hello, ${attempt.input.name}`,
  },
})
