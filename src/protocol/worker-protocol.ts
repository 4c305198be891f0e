import type { AttemptKey, AttemptMessage, CollectedMessage, HandBackMessage, StopMessage, AssignMessage } from './wire.ts'

/** The version of the worker protocol. A worker says in its `hello` which one it speaks; another one is refused. */
export const workerProtocolVersion = 1

/** Bytes of files travel in pieces of at most so many bytes, so that a line stays far below its limit. */
export const transferPieceBytes = 512 * 1_024

/** An attempt that a worker still runs, or whose end was not acknowledged. */
export interface KnownAttempt extends AttemptKey {
  /** The number of the last message that the fleet acknowledged; 0 for none. The next one that is heard has the number after it. */
  readonly acked: number
  /** The number of the last message of the fleet that was taken; 0 for none. The fleet goes on after it. */
  readonly heard: number
}

/** The first frame of every connection, from the worker (WO1, SE7). */
export interface HelloFrame {
  readonly type: 'hello'
  readonly protocol: number
  /** Who it is. A worker that the fleet started may leave it out: it is whoever was started. */
  readonly worker_id?: string
  /** Changes at each start of the worker, and not when it reconnects. A worker that the fleet started may leave it out. */
  readonly incarnation?: string
  /** Proves who it is, where the connection itself does not (SE7). */
  readonly token?: string
  /** The handlers that it serves. Left out: it takes whatever it is given. */
  readonly handlers?: readonly string[]
  /** Whether it does tasks that name neither a handler nor a command. */
  readonly plain?: boolean
  readonly capabilities?: readonly string[]
  /** It keeps what was not acknowledged and sends it again on its next connection; the fleet acknowledges only for such workers (HO7). */
  readonly resumes?: boolean
  readonly attempts: readonly KnownAttempt[]
}

/** Both ways: everything of the attempt up to this number has been taken. */
export interface AckFrame extends AttemptKey {
  readonly type: 'ack'
  readonly seq: number
}

/** Both ways: whoever hears it answers `pong` at once. */
export interface PingFrame {
  readonly type: 'ping' | 'pong'
}

/** From the worker: it takes no more attempts. From the fleet: none will come. What runs goes on. */
export interface DrainFrame {
  readonly type: 'drain'
  readonly reason?: string
}

/** A piece of a file, of at most {@link transferPieceBytes}; the frame that names `transfer` follows its last piece. */
export interface ChunkFrame extends AttemptKey {
  readonly type: 'chunk'
  readonly seq: number
  /** Numbers the files of one attempt and one direction. */
  readonly transfer: number
  /** Base64. */
  readonly bytes: string
}

/** From the worker: what a file that the task's scorer reads was like at the end of the work; before its last frame (VE2). */
export interface EvidenceFrame extends AttemptKey {
  readonly type: 'evidence'
  readonly seq: number
  /** As the scorer names it. */
  readonly path: string
  /** `file`: a regular file, whose bytes came as `transfer`. `refused`: it could not be read, or leads out of the root; `reason` says why. */
  readonly found: 'file' | 'missing' | 'no_file' | 'refused'
  readonly transfer?: number
  readonly reason?: string
}

/** From the worker: it leaves. What it still ran is given back. */
export interface WorkerByeFrame {
  readonly type: 'bye'
  readonly reason: string
}

/** The answer to a `hello` that was taken. */
export interface WelcomeFrame {
  readonly type: 'welcome'
  readonly protocol: number
  readonly worker_id: string
  readonly incarnation: string
  /** Attempts that it gets at a time. */
  readonly slots: number
  /** A lease of which nothing is heard for so long is over (LE3). */
  readonly lease_ttl_ms: number
  /** How often each attempt sends a `heartbeat`. */
  readonly heartbeat_ms: number
  /** The worker sees the files of the fleet: `folder` and `root` are there, and artifacts and evidence go by path. */
  readonly shares_files: boolean
}

/** The answer to what was not taken; the connection is closed after it. */
export interface RefusedFrame {
  readonly type: 'refused'
  /** `unsupported_protocol`, `unauthenticated`, `unknown_worker`, `invalid_message`, … */
  readonly code: string
  readonly reason: string
}

/** From the fleet: a file of the attempt that follows, for workers that do not see the fleet's files; its bytes came as `transfer`. */
export interface FileFrame extends AttemptKey {
  readonly type: 'file'
  readonly seq: number
  /** Relative to the task's root. */
  readonly path: string
  readonly transfer: number
}

/** From the fleet: end all within the grace, and go. */
export interface FleetByeFrame {
  readonly type: 'bye'
  readonly reason: string
  readonly grace_ms: number
}

type Numbered<Message> = Message & { readonly seq: number }

/** An artifact report: by path where files are shared, else with its bytes in `bytes` or, when they are large, as `transfer`. */
type ArtifactFrame = Numbered<Omit<Extract<AttemptMessage, { type: 'artifact' }>, 'bytes'>> & {
  readonly bytes?: string
  readonly transfer?: number
}

/** What a worker says of an attempt. All but heartbeats are numbered from 1 within their attempt, without a gap. */
export type AttemptFrame =
  | Extract<AttemptMessage, { type: 'heartbeat' }>
  | Numbered<Exclude<AttemptMessage, { type: 'heartbeat' | 'artifact' }>>
  | ArtifactFrame
  | ChunkFrame
  | EvidenceFrame

/** A line of a worker. */
export type WorkerFrame = HelloFrame | AckFrame | PingFrame | DrainFrame | WorkerByeFrame | AttemptFrame

/** What the fleet says of an attempt, numbered from 1 within it. */
export type FleetAttemptFrame =
  | Numbered<Omit<AssignMessage, 'folder' | 'root'> & { readonly folder?: string; readonly root?: string }>
  | Numbered<HandBackMessage>
  | Numbered<StopMessage>
  | Numbered<CollectedMessage>
  | ChunkFrame
  | FileFrame

/** A line of the fleet. */
export type FleetFrame = WelcomeFrame | RefusedFrame | AckFrame | PingFrame | DrainFrame | FleetByeFrame | FleetAttemptFrame
