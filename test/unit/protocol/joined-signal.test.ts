import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { joinSignals } from '../../../src/protocol/joined-signal.ts'

it('CO9 a joined signal aborts with the first of several, with its reason, and once', () => {
  const [one, other] = [new AbortController(), new AbortController()]
  using joined = joinSignals([one.signal, undefined, other.signal])
  let times = 0
  joined.signal.addEventListener('abort', () => (times += 1))

  expect(joined.signal.aborted).toBe(false)
  other.abort('enough')
  one.abort('late')

  expect(joined.signal.reason).toBe('enough')
  expect(times).toBe(1)
})

it('CO9 it is let go of by signals that live longer, whether it aborted or not', () => {
  const long = new AbortController()
  const joins = Array.from({ length: 100 }, (_, at) => {
    const short = new AbortController()
    using joined = joinSignals([long.signal, short.signal])
    if (at % 2 === 0) short.abort()
    expect(joined.signal.aborted).toBe(at % 2 === 0)
    return joined.signal
  })
  using kept = joinSignals([long.signal])

  expect(getEventListeners(long.signal, 'abort')).toHaveLength(1)
  long.abort()
  expect(joins.filter((signal) => signal.aborted)).toHaveLength(50)
  expect(kept.signal.aborted).toBe(true)
})

it('CO9 it has aborted already where one of them has', () => {
  using joined = joinSignals([new AbortController().signal, AbortSignal.abort('before')])
  expect(joined.signal.aborted).toBe(true)
  expect(joined.signal.reason).toBe('before')
})
