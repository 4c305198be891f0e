import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** Another process that owns, or tries to own, a store. */
export interface OwnerProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** The next line that it says. */
  heard(): Promise<string>
  tell(line: string): void
  /** Ends it as a power cut would. */
  killed(): Promise<void>
}

const program = fileURLToPath(new URL('../../../fixtures/store/own.ts', import.meta.url))

export function ownerProcess(folder: string, ...options: readonly string[]): OwnerProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', program, folder, ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const killed = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(killed)
  return {
    child,
    killed,
    tell: (line) => void child.stdin.write(`${line}\n`),
    heard: async () => String((await lines.next()).value),
  }
}
