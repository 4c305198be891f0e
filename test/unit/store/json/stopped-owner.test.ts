import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ownerProcess } from './owner-process.ts'
import { afterCrash, storeFolder } from './store-folder.ts'

/** So many appends are asked for at once; the owner is stopped somewhere among them. */
const asked = 60

test(
  'ST6 ST1 an owner process that is stopped with SIGSTOP, taken over, and woken with SIGCONT is fenced out, and nothing that it was told is lost',
  { timeout: 60_000 },
  async () => {
    for (const answersBeforeStop of [1, 7, 23]) {
      const { folder, store } = await storeFolder()
      const stalled = ownerProcess(folder)
      const pid = stalled.child.pid ?? 0
      expect(await stalled.heard()).toBe('opened 1')
      for (let index = 0; index < asked; index += 1) stalled.tell('append')
      for (let index = 1; index <= answersBeforeStop; index += 1) expect(await stalled.heard()).toBe(`durable ${index}`)
      process.kill(pid, 'SIGSTOP')
      await untilStopped(pid)

      // A stopped process lives: nobody on its machine takes it over. Elsewhere nobody can tell, and a person may say so.
      await expect(store().open({ instance: 'beside', takeOver: true })).rejects.toMatchObject({ code: 'store_owned' })
      const next = store({ host: afterCrash({ host: 'elsewhere' }) })
      await expect(next.open({ instance: 'next' })).rejects.toMatchObject({ code: 'store_owned' })
      await next.open({ instance: 'next', takeOver: true })
      const found = await next.last('run-1')
      await next.append([{ run: 'run-1', after: found, entries: [{ seq: found + 1, pid: 0 }] }])

      process.kill(pid, 'SIGCONT')
      const answers: string[] = []
      for (let left = asked - answersBeforeStop; left > 0; left -= 1) answers.push(await stalled.heard())
      const toldDurable = answers.filter((answer) => answer.startsWith('durable')).map((answer) => Number(answer.split(' ')[1]))
      // What it says late it had been told before it was stopped.
      expect(Math.max(answersBeforeStop, ...toldDurable)).toBeLessThanOrEqual(found)
      expect(answers.filter((answer) => !answer.startsWith('durable'))).toEqual(
        Array.from({ length: asked - answersBeforeStop - toldDurable.length }, () => 'refused store_conflict'),
      )
      await next.append([{ run: 'run-1', after: found + 1, entries: [{ seq: found + 2, pid: 0 }] }])
      const entries = await store().read('run-1', { from: 1, limit: 1000 })
      expect(entries.map((entry) => entry['pid'])).toEqual([...Array.from({ length: found }, () => pid), 0, 0])
      await stalled.killed()
    }
  },
)

/** Until the operating system says that the process is stopped; a signal takes a moment. */
async function untilStopped(pid: number): Promise<void> {
  const stateOf = () => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '')[0]
  while (stateOf() !== 'T') await setTimeout(5)
}
