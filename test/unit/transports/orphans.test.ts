import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { killCarriers, killRecorded, reapOrphans } from '../../../src/transports/orphans.ts'
import { factsFromPs, processFacts } from '../../../src/transports/process-group.ts'
import { isRunning, numberAfter, until } from '../../fixtures/processes.ts'

const clock = systemClock()
const children: ChildProcess[] = []

afterEach(() => {
  for (const { pid } of children.splice(0)) {
    try {
      process.kill(-pid!, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  }
})

/** Starts a program in a group of its own, and waits for its first line. */
async function start(name: string, environment: Record<string, string> = {}) {
  const child = spawn(fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url)), [], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], ...environment },
  })
  children.push(child)
  const said = await new Promise<string>((resolve) => child.stdout.once('data', (bytes: Buffer) => resolve(String(bytes))))
  return { pid: child.pid!, started: processFacts(child.pid!)!.started, said }
}

const store = `orphans-${process.pid}`

describe('what an earlier fleet left running', () => {
  it('LE6 is killed when it carries the id of the store, in whatever group, and nothing else is', async () => {
    const carrier = await start('become-many.sh', { FLOTILLA_STORE: store })
    const other = await start('forever.sh', { FLOTILLA_STORE: `${store}-2` })
    const none = await start('forever.sh', { OTHER: `FLOTILLA_STORE=${store}` })
    expect([carrier, other, none].map(({ pid }) => isRunning(pid))).toEqual([true, true, true])

    await reapOrphans({ storeId: store, recorded: [], clock })

    expect([carrier, other, none].map(({ pid }) => isRunning(pid))).toEqual([false, true, true])
    await killCarriers({ entries: [`FLOTILLA_STORE=${store}`], clock })
  })

  it('LE6 takes along members of its groups that do not carry the lease', async () => {
    const carrier = await start('spawn-bare-grandchild.sh', { FLOTILLA_STORE: store })
    const grandchild = numberAfter('grandchild', carrier.said)
    expect(isRunning(grandchild)).toBe(true)

    await reapOrphans({ storeId: store, recorded: [], clock })

    await until(() => !isRunning(carrier.pid) && !isRunning(grandchild))
  })

  it('LE6 spares the fleet itself, its ancestors and the group that it lives in', async () => {
    const program = `
      const { reapOrphans } = await import('${new URL('../../../src/transports/orphans.ts', import.meta.url).href}')
      const { systemClock } = await import('${new URL('../../../src/host/clock.ts', import.meta.url).href}')
      await reapOrphans({ storeId: '${store}', recorded: [], clock: systemClock() })
      console.log('alive')`
    const output = await new Promise<string>((resolve) => {
      // The shell is an ancestor that carries the lease, the sleeper a carrier in the same group that is no ancestor.
      const line = 'sleep 300 & "$NODE" --import tsx --input-type=module -e "$PROGRAM"; wait $!; echo "sleeper $?"'
      const child = spawn('sh', ['-c', line], {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'], NODE: process.execPath, PROGRAM: program, FLOTILLA_STORE: store },
      })
      children.push(child)
      let text = ''
      child.stdout.on('data', (bytes: Buffer) => (text += String(bytes)))
      child.once('close', () => resolve(text))
    })

    expect(output).toBe('alive\nsleeper 137\n')
  })

  it('LE6 is found by its recorded group elsewhere, unless the pid was used again', async () => {
    const left = await start('forever.sh')
    const reused = await start('forever.sh')

    await killRecorded([
      { group: left.pid, started: left.started },
      { group: reused.pid, started: '1' },
      { group: reused.pid, started: '' },
    ])

    await until(() => !isRunning(left.pid))
    expect(isRunning(reused.pid)).toBe(true)
  })

  it('LE6 the facts of a process are the same from ps as from the kernel', async () => {
    const { pid } = await start('forever.sh')
    const { parent, group } = processFacts(pid)!

    expect(factsFromPs(pid)).toMatchObject({ parent, group, started: expect.stringMatching(/\d\d:\d\d:\d\d/) })
    expect(factsFromPs(2 ** 22 + 1)).toBeUndefined()
    expect(processFacts(2 ** 22 + 1)).toBeUndefined()
  })
})
