import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckCommand } from '../../ports/check-runner.ts'
import type { Environment } from '../../ports/environment.ts'
import type { Files } from '../../ports/files.ts'
import type { AssignMessage } from '../../protocol/wire.ts'
import type { EvidenceFrame } from '../../protocol/worker-protocol.ts'
import { hasNul } from '../../security/shell-word.ts'
import type { CheckStart } from '../commands/check-runner.ts'
import type { CommandStart, ConfinedProgram } from '../commands/command-attempt.ts'
import { inputText, leaseEntries } from '../commands/command-launch.ts'
import { finalFailure } from '../commands/command-outcome.ts'
import { evidenceRoot, keepEvidenceFile } from '../session/evidence-store.ts'
import { refusalOutcome, refusalText } from './remote-refusal.ts'
import { passedOn } from './ssh-client.ts'
import { startSshProgram, type SshPlace, type SshProgram, type SshProgramEnd } from './ssh-program.ts'
import { stagedFiles } from '../session/staged-files.ts'
import { tarEnd, tarEntry } from './tar-writer.ts'

/** What running the commands of tasks at a host takes. */
export interface SshCommandParts {
  readonly place: SshPlace
  readonly environment: Environment
  /** Names of the fleet's variables that every command at the host gets. */
  readonly passed: readonly string[]
  readonly files: Files
}

/** Runs the commands of attempts at the host: input files go there first, and what a command leaves comes back when it ends. */
export function sshCommandStart(parts: SshCommandParts): CommandStart {
  return async ({ assign, launch, signal, output }) => {
    const { program, args } = launch
    const { root = '' } = assign.task.workspace ?? {}
    const environment = {
      ...passedOn(parts.environment, parts.passed),
      ...assign.environment,
      ...assign.secrets,
      ...leaseEntries(assign, parts.place.launch.storeId),
    }
    const problem =
      wordsProblem([program, ...args], environment) ??
      (root.startsWith('/') ? `its workspace root ${root} is an absolute path, which says nothing at another host` : undefined) ??
      (assign.confined === undefined ? undefined : 'nothing confines what runs at another host')
    if (problem !== undefined) return finalFailure(`cannot run ${program}: ${problem}`)
    const { scorer } = assign.task
    const evidence = scorer !== undefined && 'path' in scorer ? scorer.path : undefined
    const started = await startSshProgram(parts.place, {
      key: assign,
      program: { program, args, environment },
      input: { name: 'input.json', text: inputText(assign) },
      fresh: {
        root: root === '.' ? '' : root,
        staged: await archiveOf(parts.files, assign),
        evidence,
        keep: scorer?.kind === 'command',
        folder: assign.folder,
      },
      stdout: output.stdout,
      stderr: output.stderr,
      signal,
    })
    if ('refused' in started) return refusalOutcome(program, started.refused)
    return withLeavings(started, assign.folder, evidence)
  }
}

/** Runs the commands of scorers where their attempts ran (VE3). */
export function sshCheckStart(parts: SshCommandParts): CheckStart {
  return async ({ command, signal, output }) => {
    const { key, program, args } = command
    const environment = checkEnvironment(parts, command)
    const problem = wordsProblem([program, ...args], environment)
    if (problem !== undefined) return { problem: `${program} cannot run: ${problem}.` }
    if (command.confined !== undefined) return { problem: `Nothing confines ${program} at another host.` }
    const input = { name: 'scorer-input.json', text: JSON.stringify(command.input, null, 2) }
    const { stdout, stderr } = output
    const started = await startSshProgram(parts.place, {
      key,
      program: { program, args, environment },
      input,
      stdout,
      stderr,
      signal,
    })
    return 'refused' in started ? { problem: `${program} cannot run: ${refusalText(started.refused)}.` } : started
  }
}

function checkEnvironment(parts: SshCommandParts, { environment, key, storeId }: CheckCommand): Readonly<Record<string, string>> {
  return { ...passedOn(parts.environment, parts.passed), ...environment, ...leaseEntries(key, storeId) }
}

/** Why words cannot go to a shell at the other side, whatever they are quoted with. */
function wordsProblem(words: readonly string[], environment: Readonly<Record<string, string>>): string | undefined {
  const name = Object.keys(environment).find((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
  if (name !== undefined) return `the variable ${JSON.stringify(name)} has a name that no shell can export`
  return [...words, ...Object.values(environment)].some(hasNul) ? 'an argument or a variable has a NUL in it' : undefined
}

/** The input files of a task as pieces of one archive; empty without any. */
async function archiveOf(files: Files, { root, task }: AssignMessage): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for await (const { path, bytes } of stagedFiles(files, root, task.input_files)) {
    const facts = await stat(join(root, path)).catch(() => undefined)
    pieces.push(tarEntry({ path, bytes, isExecutable: ((facts?.mode ?? 0) & 0o100) !== 0 }))
  }
  return pieces.length === 0 ? [] : [...pieces, tarEnd]
}

/** What came over lies in the attempt's folder already when the program has ended. */
function withLeavings(program: SshProgram, folder: string, evidence: string | undefined): ConfinedProgram {
  let notes: readonly string[] = []
  const ended = program.ended.then(async (end) => {
    ;({ notes } = end)
    return { ...end, ...(await evidenceOf(end, folder, evidence)) }
  })
  return { ...program, ended, takeLeavings: async () => notes, release: async () => undefined }
}

async function evidenceOf(
  { evidence }: SshProgramEnd,
  folder: string,
  path: string | undefined,
): Promise<{ readonly evidenceRoot?: string }> {
  if (path === undefined || evidence.found === 'none') return {}
  // The script says one of these words.
  const found = evidence.found as EvidenceFrame['found']
  await keepEvidenceFile(folder, { path, found }, evidence.bytes)
  return { evidenceRoot: evidenceRoot(folder) }
}
