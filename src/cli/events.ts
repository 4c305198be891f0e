import type { FleetEvent, FleetRuntimeEvent } from '../index.ts'
import { publicEvent } from '../index.ts'
import { formatClock } from './duration.ts'
import type { Paint } from './paint.ts'
import { cut, oneLine } from './text-width.ts'
import type { Verb } from './verb.ts'
import { whichRun } from './which-run.ts'
import { withControl } from './with-control.ts'

export const events: Verb = {
  takes: '[RUN]',
  does: 'Prints the events of a run, oldest first.',
  least: 0,
  most: 1,
  options: ['follow', 'after', 'tag', 'public'],
  perform: withControl(async ({ words, options, output, terminal }, control) => {
    const run = await whichRun(control, words[0])
    let count = 0
    let cursor = options.after
    const tell = (event: FleetEvent): void => {
      count += 1
      cursor = event.cursor
      const shown = options.public ? publicEvent(event) : event
      if (shown === undefined) return
      output.row(shown)
      output.text(lineOf(shown, output.paint, terminal.live ? terminal.columns() - 1 : Infinity))
    }
    const stop = new AbortController()
    const off = terminal.onEnd(() => stop.abort())
    try {
      for await (const event of eventsOf()) tell(event)
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      off()
    }
    output.summary({ run_id: run, events: count, ...(cursor !== undefined && { cursor }) })
    return 0

    async function* eventsOf(): AsyncGenerator<FleetEvent> {
      const reader = control.run(run)
      const only = options.tags === undefined ? {} : { tags: options.tags }
      const asked = { ...only, ...(cursor !== undefined && { after: cursor }), signal: stop.signal }
      if (options.follow) return yield* reader.events(asked)
      // What there is now, however much more is to come.
      const { next_cursor: last } = await reader.replay({ limit: 1, ...only })
      if (last === undefined || last === options.after) return
      for await (const event of reader.events(asked)) {
        yield event
        if (event.cursor === last) return
      }
    }
  }),
}

function lineOf(shown: FleetEvent | FleetRuntimeEvent, paint: Paint, width: number): string {
  const { timestamp = '', event: name, task_id = '', worker_id = '', payload } = shown
  const attempt = 'attempt' in shown ? shown.attempt : undefined
  const about = [task_id, attempt === undefined ? '' : `#${attempt}`, worker_id].filter((part) => part !== '').join(' ')
  const start = `${formatClock(timestamp)}  `
  const text = `${name}${about === '' ? '' : `  ${about}`}`
  const facts = oneLine(factsOf(payload))
  const room = width - start.length - text.length - 2
  return `${paint.dim(start)}${cut(text, width - start.length)}${facts === '' || room < 8 ? '' : paint.dim(`  ${cut(facts, room)}`)}`
}

/** The payload in few words; a receipt is told by its result. */
function factsOf(payload: object | FleetRuntimeEvent['payload']): string {
  return Object.entries(payload ?? {})
    .filter(([name]) => name !== 'receipt')
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}
