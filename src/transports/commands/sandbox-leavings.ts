import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdir, opendir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** Bounds of what is taken out of a sandbox. */
export interface TakingLimits {
  readonly files: number
  /** By their lengths: a file may be longer than the room that it takes. */
  readonly bytes: number
}

/**
 * Takes what a command left out of the sandbox's folder, which lies in memory, into the attempt's folder: files, folders and links below
 * `artifacts`, and `output.json`. Nothing runs any more that could change it meanwhile. Links are copied as links, so that whoever collects
 * refuses them with the reason. Gives a line for the log for what is left out.
 */
export async function takeLeavings(from: string, to: string, limits: TakingLimits): Promise<readonly string[]> {
  const taking = createTaking(limits)
  await taking.take(join(from, 'output.json'), join(to, 'output.json'), 'output.json')
  const facts = await lstat(join(from, 'artifacts')).catch(() => undefined)
  if (facts?.isDirectory() === true) await taking.takeFolder(join(from, 'artifacts'), join(to, 'artifacts'), 'artifacts')
  else if (facts !== undefined) taking.leave('artifacts', 'it is no folder any more')
  return taking.notes()
}

function createTaking(limits: TakingLimits) {
  const left: string[] = []
  let [files, bytes, uncounted] = [0, 0, 0]

  const leave = (name: string, why: string) => {
    if (left.length < 20) left.push(`[${name} left out: ${why}]\n`)
    else uncounted += 1
  }

  async function take(from: string, to: string, name: string): Promise<void> {
    const facts = await lstat(from).catch(() => undefined)
    if (facts === undefined) return
    if (facts.isSymbolicLink()) return symlink(await readlink(from), to)
    if (!facts.isFile()) return leave(name, 'it is neither a file nor a link')
    if (bytes + facts.size > limits.bytes) return leave(name, `with it there would be more than ${limits.bytes} bytes`)
    bytes += facts.size
    // Its bytes alone: a mode of the sandbox's making, which may give its owner's rights away, stays behind.
    await pipeline(createReadStream(from), createWriteStream(to, { flags: 'wx', mode: 0o600 }))
  }

  async function takeFolder(from: string, to: string, name: string): Promise<void> {
    await mkdir(to, { recursive: true })
    const entries = await opendir(from).catch(() => undefined)
    if (entries === undefined) return leave(name, 'it cannot be read')
    for await (const entry of entries) {
      files += 1
      if (files > limits.files) return leave(name, `there are more than ${limits.files} files`)
      const places = [join(from, entry.name), join(to, entry.name), `${name}/${entry.name}`] as const
      await (entry.isDirectory() ? takeFolder(...places) : take(...places)).catch((error: unknown) => {
        if (isOutOfRoom(error)) throw error
        leave(places[2], String(error))
      })
    }
  }

  return {
    take,
    takeFolder,
    leave,
    notes: () => [...left, ...(uncounted > 0 ? [`[${uncounted} more left out]\n`] : [])],
  }
}

function isOutOfRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
