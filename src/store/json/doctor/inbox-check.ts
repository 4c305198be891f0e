import { join } from 'node:path'
import type { Clock } from '../../../ports/clock.ts'
import { answerKeptMs, readCommand } from '../inbox.ts'
import type { ExaminedStore } from './examined-store.ts'
import type { StoreFinding } from './finding.ts'

/** Commands that cannot be read, and answers that nobody fetched. */
export async function checkInbox({ disk, layout }: ExaminedStore, clock: Clock): Promise<readonly StoreFinding[]> {
  const findings: StoreFinding[] = []
  const add = (weight: StoreFinding['weight'], message: string, name: string): void =>
    void findings.push({ part: 'inbox', weight, message, file: join(layout.inbox, name) })
  for (const name of await disk.list(layout.inbox)) {
    const path = join(layout.inbox, name)
    if (name.endsWith('.answer.json')) {
      const facts = await disk.facts(path)
      if (facts !== undefined && facts.modifiedAt < clock.now() - answerKeptMs) add('note', 'An answer was never fetched.', name)
    } else if (name.endsWith('.json')) {
      if (readCommand(await disk.read(path), name) === undefined) add('wrong', 'A posted command cannot be read.', name)
    } else if (name.endsWith('.refused')) add('note', 'A posted command could not be read, and was put aside.', name)
  }
  return findings
}
