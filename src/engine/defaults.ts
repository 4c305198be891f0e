/** Times and limits of the engine; an option of `createFleet` changes each. Durations in milliseconds. */
export interface Defaults {
  /** A lease ends this long after the last message of its attempt (LE3). */
  readonly leaseTtlMs: number
  /** Bounds an attempt when its task names no `timeout_seconds` (LE3, LE7). */
  readonly attemptTimeoutMs: number
  /** An attempt without progress for this long is stale; undefined for never (LE3). */
  readonly stallAfterMs: number | undefined
  /** How long running attempts get when the fleet closes (CO8). */
  readonly closeGraceMs: number
  /** How long an attempt that crossed a limit of its budget gets to hand back what it has (BU2). */
  readonly handBackGraceMs: number
  /** How long work gets to end after it was told to stop, before its slot is written off (WO3). */
  readonly stopGraceMs: number
  /** Bounds a scorer that looks at files, and a verifier of the application (VE1). */
  readonly scorerTimeoutMs: number
  /** Bounds a `command` scorer (VE3). */
  readonly commandScorerTimeoutMs: number
  /** Bounds the resolving of an attempt's secrets (SE5). */
  readonly secretTimeoutMs: number
  /** Wait before starting a worker again after it failed to start: first, and at most (WO2). */
  readonly workerBackoffMs: { readonly first: number; readonly most: number }
  /** In-process handlers that may be written off at once before their worker takes no more (WO3). */
  readonly abandonedAtOnce: number
  /** Leases at once in the whole fleet (SC1). */
  readonly maxLeases: number
  /** Shorten waits before retries by up to half, at random (RE2). */
  readonly jitter: boolean
  /** Deliveries of one alert before it is given up (AL2). */
  readonly alertTries: number
  /** Wait after the first delivery of an alert that failed, and at most; it doubles in between. */
  readonly alertBackoffMs: { readonly first: number; readonly most: number }
  /** How long alerts that are due get when the fleet closes; no longer than its own grace. */
  readonly alertCloseGraceMs: number
  /** Reports kept while the store fails (CO1). */
  readonly keptReports: number
  /** Tasks in one entry, and in a run that is created by one append (RU1). */
  readonly taskSlice: number
  /** Entries of a run after which a snapshot of it is taken (ST7); a run of more than four times as many tasks waits for a quarter of them. */
  readonly snapshotAfter: number
  /** The same at the end of the run, or of the fleet: fewer are read as fast. */
  readonly snapshotAtEndAfter: number
}

export const engineDefaults: Defaults = {
  leaseTtlMs: 60_000,
  attemptTimeoutMs: 30 * 60_000,
  stallAfterMs: undefined,
  closeGraceMs: 10_000,
  handBackGraceMs: 10_000,
  stopGraceMs: 10_000,
  scorerTimeoutMs: 60_000,
  commandScorerTimeoutMs: 10 * 60_000,
  secretTimeoutMs: 30_000,
  workerBackoffMs: { first: 1_000, most: 60_000 },
  abandonedAtOnce: 8,
  maxLeases: 256,
  jitter: false,
  alertTries: 30,
  alertBackoffMs: { first: 5_000, most: 3_600_000 },
  alertCloseGraceMs: 5_000,
  keptReports: 10_000,
  taskSlice: 1_000,
  snapshotAfter: 25_000,
  snapshotAtEndAfter: 10_000,
}
