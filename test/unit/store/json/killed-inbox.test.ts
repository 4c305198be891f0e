import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { seededIds } from '../../../../src/host/seeded-ids.ts'
import type { Store } from '../../../../src/ports/store.ts'
import type { PostedAnswer, PostedCommand } from '../../../../src/protocol/command.ts'
import { bundledProgram } from './bundled-program.ts'
import { storeFolder } from './store-folder.ts'

const program = fileURLToPath(new URL('../../../fixtures/store/serve-inbox.ts', import.meta.url))
const posters = 6
const commandsEach = 25
const tasks = 10
const kills = 8

test(
  'ST10 commands that are posted while their owner is killed again and again are each taken once, and answered or told as not yet taken',
  { timeout: 120_000 },
  async () => {
    const { folder, store } = await storeFolder()
    const file = await bundledProgram(program, folder)
    const ids = seededIds('inbox')
    let owner = await serving(file, folder)
    const told = new Map<string, PostedAnswer | undefined>()
    const posting = Promise.all(
      Array.from({ length: posters }, async (_, poster) => {
        const own = store()
        for (let index = 0; index < commandsEach; index += 1) {
          const command = restart(`p${poster}-${index}`, `t${index % tasks}`)
          told.set(command.id, await own.post(command, { waitMs: 150 }))
        }
      }),
    )
    for (let round = 0; round < kills; round += 1) {
      await setTimeout(30 + ids.random() * 200)
      await owner.killed()
      owner = await serving(file, folder)
    }
    await posting
    expect(told.size).toBe(posters * commandsEach)

    // Whoever was told "not yet taken" may ask again, and is answered for the command that he had posted.
    const asking = store()
    for (const [id, answer] of told)
      if (answer === undefined) told.set(id, await asking.post(restart(id, taskOf(id)), { waitMs: 20_000 }))
    for (const [id, answer] of told) expect(answer, id).toMatchObject({ ok: true })
    const taken = await takenIn(asking)
    for (const id of told.keys()) expect(taken.get(id), `how often ${id} was taken`).toBe(1)
    expect(taken.size).toBe(told.size)
    await owner.killed()
  },
)

function restart(id: string, task: string): PostedCommand {
  return { id, command: { kind: 'task.restart', run_id: 'run-1', task_id: task } }
}

function taskOf(id: string): string {
  return `t${Number(id.split('-')[1]) % tasks}`
}

/** How many entries each posted command caused: the first of them names it. */
async function takenIn(store: Store): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const { posted } of await store.read('run-1', { from: 1, limit: 100_000 }))
    if (typeof posted === 'string') counts.set(posted, (counts.get(posted) ?? 0) + 1)
  return counts
}

/** A process that serves the inbox, once it does. */
async function serving(file: string, folder: string): Promise<{ killed(): Promise<void> }> {
  const child = spawn(process.execPath, [file, folder, String(tasks)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const killed = async () => {
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(killed)
  await Promise.race([once(child.stdout, 'data'), ended])
  expect(child.exitCode, 'the owner ended by itself').toBeNull()
  return { killed }
}
