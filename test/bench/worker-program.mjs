// A worker program whose attempts do nothing. Its argument is the module that it gets `serveWorker` from.
const [module] = process.argv.slice(2)
const { serveWorker } = await import(module)
await serveWorker({ handlers: { nothing: () => undefined } })
