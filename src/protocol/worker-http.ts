import { sizeLimits } from './size-limit.ts'

/**
 * How the worker protocol travels over plain HTTP (docs/hosts.md). The worker asks `GET …/connect` and gets server-sent events, one per
 * line of the fleet; what it says goes up as lines in `POST …/messages`. Both count their lines, so that neither a request that was cut
 * nor one that is asked again loses or repeats any.
 */
export const workerHttp = {
  /** Ends of the paths. */
  connect: '/connect',
  messages: '/messages',
  header: {
    /** Names the session. Whoever has it speaks for the worker, so it stands in no URL. */
    session: 'flotilla-session',
    /** Of a post: the number of its first line, from 1. */
    from: 'flotilla-from',
    /** Of a post: everything of the fleet up to this number was heard and need not be kept. */
    heard: 'flotilla-heard',
    /** Of a connect: answer with what there is and end, since something on the way holds back what has not ended. */
    poll: 'flotilla-poll',
    /** Of a connect: everything up to this number was heard; what follows is wanted. */
    resume: 'last-event-id',
  },
  /** Events besides the lines, which have no name. */
  event: { session: 'session', end: 'end' },
  types: { events: 'text/event-stream', lines: 'application/x-ndjson' },
} as const

/** What the first event of a session tells. */
export interface SessionOpening {
  readonly session: string
  /** The fleet sends something at least so often, and expects the same of the worker. */
  readonly keep_alive_ms: number
}

/** Lines of one post, their line breaks counted. */
export const postBytes = sizeLimits.httpBody.maxBytes
