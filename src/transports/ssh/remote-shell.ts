import { shellWord } from '../../security/shell-word.ts'
import { essentials } from '../commands/command-launch.ts'

// Everything that runs at the other side of ssh travels over standard input: the command line of ssh is the same for all, no list of
// processes shows what a task says, and the login shell over there, whichever it is, reads one short line.

/** Reads how many bytes follow, takes so many, and carries them out. Byte by byte, since `dd` then reads none too many from a pipe. */
const take = 'read -r n && s=$(dd bs=1 count="$n" 2>/dev/null) && eval "$s"'

/** The one command line that is given to ssh. */
export const remoteLine = `exec sh -c ${shellWord(take)}`

/** Starts anew with what every program may count on as its only environment (WS3). */
const clean = `again=${shellWord(take)}
set --
for n in ${essentials.join(' ')}; do
  eval "[ -z \\"\\\${$n+x}\\" ] || set -- \\"\\$@\\" \\"$n=\\$$n\\""
done
exec env -i "$@" sh -c "$again"
`

/** What a remote script is given. Nothing of it may hold a NUL. */
export interface RemoteInput {
  readonly variables: Readonly<Record<string, string | number>>
  /** Variables of the program alone; names that a shell can export. */
  readonly environment?: Readonly<Record<string, string>>
  /** The program with its arguments. */
  readonly command?: readonly string[]
}

/** A script with its input, as the bytes that standard input begins with. Every value is one quoted word (SE6). */
export function remoteShell(script: string, { variables, environment = {}, command = [] }: RemoteInput): string {
  const assigned = Object.entries(variables).map(([name, value]) => `${name}=${shellWord(String(value))}\n`)
  const exported = Object.entries(environment).map(([name, value]) => `  export ${name}=${shellWord(value)}\n`)
  const input = `${assigned.join('')}environment() {\n  :\n${exported.join('')}}\nset -- ${command.map(shellWord).join(' ')}\n`
  return counted(clean) + counted(input + script)
}

function counted(text: string): string {
  return `${Buffer.byteLength(text)}\n${text}`
}
