import { describe, expect, it } from 'vitest'
import { createOutputLog } from '../../../src/transports/output-log.ts'

describe('output on its way to the fleet', () => {
  it('HO4 passes through while it is read', () => {
    const sent: string[] = []
    const log = createOutputLog({ limit: 10, unread: () => 0, send: (text) => sent.push(text) })

    for (const line of ['one\n', 'two\n']) log.write(line)
    log.flush()

    expect(sent).toEqual(['one\n', 'two\n'])
  })

  it('HO4 is held back while much lies unread, keeps its order, and comes when there is room', () => {
    const sent: string[] = []
    let unread = 11
    const log = createOutputLog({ limit: 10, unread: () => unread, send: (text) => sent.push(text) })

    log.write('one\n')
    log.write('two\n')
    expect(sent).toEqual([])
    unread = 0
    log.write('three\n')

    expect(sent).toEqual(['one\ntwo\n', 'three\n'])
  })

  it('HO4 of a flood that nobody reads the newest lines stay, and what is left out is counted', () => {
    const sent: string[] = []
    const log = createOutputLog({ limit: 10, unread: () => 11, send: (text) => sent.push(text) })
    const line = `${'x'.repeat(99)}\n`

    for (let lines = 0; lines < 10_000; lines += 1) log.write(line)
    log.write('the last\n')
    log.flush()

    const [note, rest] = [sent[0]!, sent.slice(1).join('')]
    const leftOut = Number(/^\[(\d+) bytes of output left out/.exec(note)?.[1])
    expect(leftOut + rest.length).toBe(10_000 * 100 + 'the last\n'.length)
    expect(rest).toMatch(/the last\n$/)
    expect(rest.length).toBeLessThanOrEqual(128 * 1024)
  })

  it('RE7 remembers its end for the reason of a failure', () => {
    const log = createOutputLog({ limit: 10, unread: () => 11, send: () => {} })
    log.write('a'.repeat(5_000))
    log.write('end\n')

    expect(log.recent).toMatch(/^a+end\n$/)
    expect(log.recent).toHaveLength(2_000)
  })
})
