import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { batch, storeFolder } from './store-folder.ts'

const pause = (id: string) => ({ id, command: { kind: 'run.pause', run_id: 'run-1' } as const })
const done = { ok: true, outcome: { changed: true, message: 'done' } } as const

test('ST10 commands are taken in the order of their arrival, and those that cannot be read are moved aside', async () => {
  const { folder, store } = await storeFolder()
  const inbox = join(folder, 'inbox')
  await mkdir(inbox)
  const drop = async (name: string, content: unknown, at: number) => {
    await writeFile(join(inbox, name), typeof content === 'string' ? content : JSON.stringify(content))
    await utimes(join(inbox, name), at, at)
  }
  await drop('late.json', pause('late'), 2000)
  await drop('b.json', pause('b'), 1000)
  await drop('a.json', pause('a'), 1000)
  await drop('broken.json', '{"id":"broken"', 1)
  await drop('liar.json', pause('somebody-else'), 1)
  await drop('shapeless.json', { id: 'shapeless', command: { kind: 'run.pause' } }, 1)
  const owner = store()
  await owner.open({ instance: 'owner' })
  const taken: string[] = []
  const stop = new AbortController()
  for await (const { command, answer } of owner.inbox({ signal: stop.signal })) {
    taken.push(command.id)
    await answer(done)
    if (taken.length === 3) stop.abort()
  }
  expect(taken).toEqual(['a', 'b', 'late'])
  expect(await readdir(inbox)).toEqual([
    'a.answer.json',
    'b.answer.json',
    'broken.json.refused',
    'late.answer.json',
    'liar.json.refused',
    'shapeless.json.refused',
  ])
})

test('ST10 an answer is handed to the poster and leaves nothing behind', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  const stop = new AbortController()
  const taking = (async () => {
    for await (const { answer } of owner.inbox({ signal: stop.signal })) await answer(done)
  })()
  expect(await store().post(pause('one'), { waitMs: 10_000 })).toEqual(done)
  stop.abort()
  await taking
  expect(await readdir(join(folder, 'inbox'))).toEqual([])
})

test('ST10 a command whose answer is written already is not taken again', async () => {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  await writeFile(join(folder, 'inbox', 'old.json'), JSON.stringify(pause('old')))
  await writeFile(join(folder, 'inbox', 'old.answer.json'), JSON.stringify(done))
  await writeFile(join(folder, 'inbox', 'young.json'), JSON.stringify(pause('young')))
  for await (const { command } of owner.inbox({ signal: new AbortController().signal })) {
    expect(command.id).toBe('young')
    break
  }
  expect(await owner.post(pause('old'), { waitMs: 0 })).toEqual(done)
})

test('ST10 a command that was taken and not answered is there for the next owner', async () => {
  const { store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  expect(await owner.post(pause('one'), { waitMs: 0 })).toBeUndefined()
  for (const round of ['first', 'second']) {
    for await (const { command } of owner.inbox({ signal: new AbortController().signal })) {
      expect([round, command.id]).toEqual([round, 'one'])
      break
    }
    await owner.close()
    await owner.open({ instance: round })
  }
})

test('ST10 closing the store ends its inbox', async () => {
  const { store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  const next = owner.inbox({ signal: new AbortController().signal })[Symbol.asyncIterator]().next()
  await owner.append([batch('run-1', 0)])
  await owner.close()
  expect(await next).toMatchObject({ done: true })
})

test('ST10 SE6 an id that could lead out of the folder is refused', async () => {
  const { store } = await storeFolder()
  await expect(store().post(pause('../../x'), { waitMs: 0 })).rejects.toMatchObject({ code: 'invalid_document' })
})
