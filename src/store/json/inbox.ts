import { join } from 'node:path'
import { joinSignals } from '../../protocol/joined-signal.ts'
import type { PostedAnswer, PostedCommand } from '../../protocol/command.ts'
import type { Clock } from '../../ports/clock.ts'
import type { InboxItem } from '../../ports/store.ts'
import type { Disk } from './disk.ts'
import { folderChanges } from './folder-watch.ts'
import { safeName } from './layout.ts'
import { replaceFile } from './whole-file.ts'

export interface InboxParts {
  readonly disk: Disk
  readonly folder: string
  readonly clock: Clock
  readonly unique: () => string
}

/** How often a poster looks for its answer, and the owner for commands, should the watch on the folder miss one. */
const answerLookMs = 100
const commandLookMs = 1000
/** Answers that nobody fetched go after a day. */
export const answerKeptMs = 86_400_000
const answerEnd = '.answer.json'

/** Drops a command into the folder and waits for its answer; undefined when none came in time. */
export async function postCommand(
  { disk, folder, clock, unique }: InboxParts,
  command: PostedCommand,
  { waitMs, signal }: { readonly waitMs: number; readonly signal?: AbortSignal },
): Promise<PostedAnswer | undefined> {
  signal?.throwIfAborted()
  const [commandPath, answerPath] = [commandFile(folder, command.id), answerFile(folder, command.id)]
  await disk.makeFolder(folder)
  if (!disk.exists(answerPath)) await replaceFile(disk, commandPath, Buffer.from(JSON.stringify(command)), unique())
  const until = clock.monotonic() + waitMs
  const stop = new AbortController()
  using both = joinSignals([signal, stop.signal])
  for await (const _ of folderChanges(folder, {
    clock,
    everyMs: Math.min(answerLookMs, Math.max(waitMs, 1)),
    keepAlive: true,
    signal: both.signal,
  })) {
    if (disk.exists(answerPath)) {
      const answer = parse<PostedAnswer>(await disk.read(answerPath), (value) => typeof value['ok'] === 'boolean')
      await discard(disk, folder, command.id)
      return answer
    }
    if (clock.monotonic() >= until) stop.abort()
  }
  signal?.throwIfAborted()
  return undefined
}

/** Yields each posted command once, in the order of their arrival; `look` is called at every look. */
export async function* takeCommands(
  parts: InboxParts,
  taken: Set<string>,
  signal: AbortSignal,
  look: () => void,
): AsyncGenerator<InboxItem> {
  const { folder, clock } = parts
  for await (const _ of folderChanges(folder, { clock, everyMs: commandLookMs, keepAlive: false, signal })) {
    for (const name of await commandsNow(parts, taken, look)) {
      if (signal.aborted) return
      taken.add(name)
      const item = await readItem(parts, name, taken).catch(() => void taken.delete(name))
      if (item !== undefined) yield item
    }
  }
}

/** Removes answers that nobody fetched. */
export async function sweepAnswers({ disk, folder, clock }: InboxParts): Promise<void> {
  for (const name of await disk.list(folder)) {
    const facts = name.endsWith(answerEnd) ? await disk.facts(join(folder, name)) : undefined
    if (facts !== undefined && facts.modifiedAt < clock.now() - answerKeptMs)
      await discard(disk, folder, name.slice(0, -answerEnd.length))
  }
}

/** Removes an answer, durably after its command: one that came back without its answer would be taken once more. */
async function discard(disk: Disk, folder: string, id: string): Promise<void> {
  await disk.remove(commandFile(folder, id))
  await disk.syncFolder(folder)
  await disk.remove(answerFile(folder, id))
}

/** None while the disk does not tell: the next look comes. */
async function commandsNow(parts: InboxParts, taken: ReadonlySet<string>, look: () => void): Promise<readonly string[]> {
  try {
    look()
    return await newCommands(parts, taken)
  } catch {
    return []
  }
}

/** The command in a file of this name; undefined when it cannot be read. */
export function readCommand(bytes: Buffer, name: string): PostedCommand | undefined {
  const id = name.slice(0, -'.json'.length)
  return parse<PostedCommand>(bytes, (value) => value['id'] === id && isCommand(value['command']))
}

async function newCommands({ disk, folder }: InboxParts, taken: ReadonlySet<string>): Promise<readonly string[]> {
  const names = (await disk.list(folder)).filter(
    (name) => name.endsWith('.json') && !name.endsWith(answerEnd) && !taken.has(name),
  )
  const placed = await Promise.all(
    names.map(async (name) => ({ name, at: (await disk.facts(join(folder, name)))?.modifiedAt ?? 0 })),
  )
  return placed.toSorted((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1)).map(({ name }) => name)
}

/** A command to be answered; one that cannot be read is moved aside, one whose answer is there already is done. */
async function readItem({ disk, folder, unique }: InboxParts, name: string, taken: Set<string>): Promise<InboxItem | undefined> {
  const path = join(folder, name)
  const id = name.slice(0, -'.json'.length)
  const forget = async () => {
    await disk.remove(path)
    taken.delete(name)
  }
  if (disk.exists(answerFile(folder, id))) {
    await forget()
    return undefined
  }
  const command = readCommand(await disk.read(path), name)
  if (command === undefined) {
    await disk.rename(path, `${path}.refused`).catch(() => undefined)
    taken.delete(name)
    return undefined
  }
  return {
    command,
    answer: async (answer) => {
      await replaceFile(disk, answerFile(folder, id), Buffer.from(JSON.stringify(answer)), unique())
      await forget()
    },
  }
}

function isCommand(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { kind, run_id: run } = value as { readonly kind?: unknown; readonly run_id?: unknown }
  return typeof kind === 'string' && typeof run === 'string'
}

function parse<T>(bytes: Buffer, fits: (value: Record<string, unknown>) => boolean): T | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as Record<string, unknown> | null
    return value !== null && fits(value) ? (value as T) : undefined
  } catch {
    return undefined
  }
}

function commandFile(folder: string, id: string): string {
  return join(folder, `${safeName(id)}.json`)
}

function answerFile(folder: string, id: string): string {
  return join(folder, `${safeName(id)}${answerEnd}`)
}
