import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { converseWithRemote } from '../../../src/transports/ssh/remote-program.ts'

/** A client whose streams come in the order that the test wants. */
function talk() {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const client = Object.assign(new EventEmitter(), streams, { exitCode: 0, signalCode: null, kill: () => true })
  const written: string[] = []
  const remote = converseWithRemote({
    child: client as unknown as ChildProcessWithoutNullStreams,
    clock: systemClock(),
    mark: 'flotilla-test',
    input: [],
    isLast: ([word]) => word === 'ended',
    stdout: (bytes) => written.push(`out: ${Buffer.from(bytes).toString()}`),
    stderr: (bytes) => written.push(`err: ${Buffer.from(bytes).toString()}`),
    startLimitMs: 5_000,
    endLimitMs: 5_000,
  })
  async function end(): Promise<void> {
    streams.stdout.end()
    streams.stderr.end()
    client.emit('close')
    await remote.ended
  }
  return { ...streams, remote, written, end }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('HO4 what comes on one stream before the other tells of the start is output all the same', async () => {
  const { stdout, stderr, remote, written, end } = talk()

  stderr.write('a banner\nflotilla-test started\nfrom the program\n')
  await turn()
  stdout.write('also a banner\nflotilla-test started\n')
  await remote.begun
  stdout.write('more\nflotilla-test ended 0\n')
  await end()

  expect(written).toEqual(['err: from the program\n', 'out: more\n'])
})

test('HO5 what a client says before anything has started is the reason of its end', async () => {
  const { stderr, remote, end } = talk()

  stderr.write('Host key verification failed.\n')
  await end()

  expect(await remote.ended).toEqual({ kind: 'lost', reason: 'Host key verification failed.' })
})
