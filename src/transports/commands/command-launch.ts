import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AssignMessage, AttemptKey } from '../../protocol/wire.ts'
import type { Environment } from '../../ports/environment.ts'
import { variableProblem } from '../../security/secret-names.ts'

/** How a command is started. */
export interface CommandLaunch {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
}

/** What every program may count on, when the fleet itself has it (WS3). */
export const essentials = [
  'HOME', 'PATH', 'LANG', 'LANGUAGE', 'LC_ALL', 'LC_COLLATE', 'LC_CTYPE', 'LC_MESSAGES', 'LC_MONETARY', 'LC_NUMERIC', 'LC_TIME', 'TMPDIR', 'TZ',
] // prettier-ignore

/** The path of an attempt's folder for artifacts. */
export function artifactsFolder(folder: string): string {
  return join(folder, 'artifacts')
}

/**
 * Plans the start of a task's command, or says why it cannot be: nothing here touches the disk. The environment is exactly the
 * essentials, what the assignment names, its secrets, and the lease, which nothing overrides (WS3, SE5, LE6).
 */
export function planLaunch(
  assign: AssignMessage,
  { storeId, environment }: { readonly storeId: string; readonly environment: Environment },
): CommandLaunch | { readonly problem: string } {
  const command = assign.task.metadata['command']
  if (!isCommand(command)) return { problem: 'metadata.command is no list of strings with a program first' }
  // Never an argument: those can be read by anybody on the machine (SE5).
  for (const key of Object.keys(assign.secrets ?? {})) {
    const why = variableProblem(key)
    if (why !== undefined) return { problem: `the secret <secret:${key}> ${why}` }
  }
  const [program, ...args] = command
  return {
    program,
    args,
    cwd: assign.root,
    environment: { ...inherited(environment), ...assign.environment, ...assign.secrets, ...lease(assign, storeId) },
  }
}

/** Puts in place what a command finds when it starts: its folder for artifacts and its input. Gives the problem when its root is no folder. */
export async function prepareFolder(assign: AssignMessage): Promise<{ readonly problem: string } | undefined> {
  const root = await stat(assign.root).catch(() => undefined)
  if (!root?.isDirectory()) return { problem: `its workspace root ${assign.root} is no folder` }
  await mkdir(artifactsFolder(assign.folder), { recursive: true })
  await writeFile(inputPath(assign.folder), inputText(assign))
  return undefined
}

function isCommand(value: unknown): value is readonly [string, ...string[]] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string') && value[0] !== ''
}

/** What every program may count on, as far as the fleet itself has it. */
export function inherited(environment: Environment): Record<string, string> {
  const set = essentials.flatMap((name) => {
    const value = environment.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(set)
}

function lease(assign: AssignMessage, storeId: string): Record<string, string> {
  return {
    ...leaseEntries(assign, storeId),
    FLOTILLA_FOLDER: assign.folder,
    FLOTILLA_ARTIFACTS: artifactsFolder(assign.folder),
    FLOTILLA_INPUT: inputPath(assign.folder),
  }
}

/** The variables by which the processes of one attempt are known. */
export function leaseEntries({ run_id, task_id, attempt }: AttemptKey, storeId: string): Record<string, string> {
  return { FLOTILLA_STORE: storeId, FLOTILLA_RUN: run_id, FLOTILLA_TASK: task_id, FLOTILLA_ATTEMPT: String(attempt) }
}

/** The path of the file in which a command finds its input. */
export function inputPath(folder: string): string {
  return join(folder, 'input.json')
}

/** What a command finds in the file of its input. */
export function inputText({ task, previous, dependencies, allow_parallel_reads, budget_left = {} }: AssignMessage): string {
  const left = dependencies.map(({ task_id, receipt }) => [task_id, { receipt, output: receipt.output }] as const)
  const input = { task, input: task.input, previous, dependencies: Object.fromEntries(left), allow_parallel_reads, budget_left }
  return JSON.stringify(input, null, 2)
}
