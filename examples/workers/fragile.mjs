// A worker program whose handlers are not to be trusted with the fleet's own process.
import { serveWorker } from 'flotilla/worker'

await serveWorker({
  handlers: {
    divide: (attempt) => 12 / attempt.input.by,
    crash: () => process.exit(7),
  },
})
