import { type CommandOutcome, finalFailure, hostFailure } from '../commands/command-outcome.ts'

/** What the codes of remote scripts mean, and whether trying again can mend it (RE3). */
const refusals: Readonly<Record<string, { readonly reason: string; readonly isFinal: boolean }>> = {
  no_home: {
    reason: 'the host has no private folder for it: flotilla-<uid> in its folder for temporary files belongs to somebody else',
    isFinal: false,
  },
  no_tool: { reason: 'the host lacks a program', isFinal: false },
  unkillable: { reason: 'the host runs something of an earlier attempt that does not die', isFinal: false },
  no_folder: { reason: 'the host has no room for its folder', isFinal: false },
  folder_gone: { reason: 'the folder of its attempt is gone from the host', isFinal: false },
  no_directory: { reason: 'the host has no such working directory', isFinal: true },
  no_root: { reason: 'the working directory has no folder of the name of its workspace root', isFinal: true },
  root_outside: { reason: 'its workspace root leads out of the working directory', isFinal: true },
  not_staged: { reason: 'the host could not unpack its input files', isFinal: false },
  not_received: { reason: 'its input did not arrive whole', isFinal: false },
  no_program: { reason: 'the host has no such program', isFinal: true },
}

/** What a remote script says when it does not do what it should, as a sentence without its end. */
export function refusalText(words: readonly string[]): string {
  const [, code = '', ...rest] = words
  return [refusals[code]?.reason ?? 'the host refused it', ...rest].join(' ')
}

/** The same as the end of an attempt. */
export function refusalOutcome(program: string, words: readonly string[]): CommandOutcome {
  const reason = `cannot run ${program}: ${refusalText(words)}`
  return refusals[words[1] ?? '']?.isFinal === true ? finalFailure(reason) : hostFailure(new Error(reason))
}
