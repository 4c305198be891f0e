/** What the files of a folder of `src` may import, besides each other. */
export interface Layer {
  readonly what: string
  /** Other layers, `*` for all, or single files. */
  readonly imports: readonly string[]
  readonly packages: readonly string[]
  /** Modules of Node. */
  readonly node: boolean | readonly string[]
}

/** Every folder of `src`. `docs/architecture.md` shows this table; a new right needs a decision record. */
export const layers: Readonly<Record<string, Layer>> = {
  protocol: { what: 'words: schemas, types, errors, the codec', imports: [], packages: ['zod'], node: false },
  ports: { what: 'holes: interfaces only', imports: ['protocol'], packages: [], node: false },
  lifecycles: { what: 'rules: the three machines', imports: ['protocol'], packages: ['xstate'], node: false },
  security: { what: 'policy: pure functions', imports: ['protocol'], packages: [], node: false },
  engine: { what: 'decisions', imports: ['protocol', 'ports', 'lifecycles', 'security'], packages: ['tinyqueue'], node: false },
  store: { what: 'adapters: memory, JSON', imports: ['protocol', 'ports'], packages: ['lowdb'], node: true },
  transports: { what: 'adapters: ways to reach workers', imports: ['protocol', 'ports', 'security'], packages: [], node: true },
  alerts: { what: 'adapters: ways to alert people', imports: ['protocol', 'ports'], packages: [], node: true },
  observability: { what: 'adapters: the event bus', imports: ['protocol', 'ports'], packages: ['emittery'], node: true },
  workspace: {
    what: 'checks of files, collection of artifacts',
    imports: ['protocol', 'ports', 'security'],
    packages: [],
    node: false,
  },
  verification: { what: 'scorers', imports: ['protocol', 'ports'], packages: ['re2js', 'json-p3'], node: ['node:crypto'] },
  worker: {
    what: 'the far side of a channel',
    // Its own files: what a fleet that sees them looks at, by the same rules.
    imports: [
      ...['protocol', 'ports', 'transports', 'host'],
      ...['workspace/artifact-place.ts', 'verification/evidence-place.ts'],
    ],
    packages: [],
    node: true,
  },
  host: {
    what: 'the real clock, ids, environment, files',
    imports: ['protocol', 'ports'],
    packages: ['tinyglobby'],
    node: true,
  },
  http: {
    what: 'what a fleet answers over HTTP, in web types',
    imports: ['protocol', 'ports', 'security', 'host/clock.ts'],
    packages: [],
    // Types, of the adapter for its server.
    node: ['node:http'],
  },
  recording: {
    what: 'what passes between a fleet and the world, written down',
    imports: ['protocol', 'ports', 'engine', 'transports'],
    packages: [],
    node: false,
  },
  testing: { what: 'the kit for tests', imports: ['*'], packages: ['tinyqueue', 'fast-check'], node: true },
  fleet: { what: 'wiring: the adapters put into the engine, and the SDK', imports: ['*'], packages: [], node: true },
  cli: {
    what: 'the command line, on the public API',
    imports: ['index.ts', 'protocol/index.ts'],
    packages: ['smol-toml', 'log-update', 'string-width'],
    node: true,
  },
}
