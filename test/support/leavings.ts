import { readdirSync, readFileSync } from 'node:fs'
import { isRunning, until } from '../fixtures/processes.ts'

/** What this process holds that a launcher could forget: descriptors by kind, and what keeps the event loop busy. */
export interface Holdings {
  readonly descriptors: number
  readonly resources: Readonly<Record<string, number>>
}

export function holdings(): Holdings {
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  return { descriptors: readdirSync('/proc/self/fd').length, resources }
}

/** Waits until this process holds no more than before of anything; says of what it does. */
export async function untilNoMoreThan(before: Holdings): Promise<void> {
  const excess = (): readonly string[] => {
    const now = holdings()
    const kinds = [
      'ProcessWrap',
      'PipeWrap',
      'TCPSocketWrap',
      'TCPServerWrap',
      'MessagePort',
      'Worker',
      'Timeout',
      'FSReqCallback',
    ]
    return [
      ...(now.descriptors > before.descriptors ? [`${now.descriptors} descriptors, not ${before.descriptors}`] : []),
      ...kinds.flatMap((kind) =>
        (now.resources[kind] ?? 0) > (before.resources[kind] ?? 0) ? [`${now.resources[kind]} ${kind}`] : [],
      ),
    ]
  }
  await until(() => excess().length === 0).catch(() => {
    throw new Error(`Left behind: ${excess().join(', ')}`)
  })
}

/** Processes that run with all of these in their environment (`NAME=value`). */
export function carrying(...entries: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
        return entries.every((entry) => environment.includes(entry)) && isRunning(pid)
      } catch {
        return false
      }
    })
}
