import type { Options, OptionName } from './options.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** A verb of the command line. */
export interface Verb {
  /** Its arguments, as help shows them: `RUN [TASK]`. */
  readonly takes: string
  readonly does: string
  /** How many arguments it takes. */
  readonly least: number
  readonly most: number
  /** Options besides `--folder`, `--json` and `--help`. */
  readonly options: readonly OptionName[]
  /** Does it, and gives the exit code. */
  perform(invocation: Invocation): Promise<number>
}

/** A command line that was understood. */
export interface Invocation {
  readonly words: readonly string[]
  readonly options: Options
  readonly output: Output
  readonly terminal: Terminal
}
