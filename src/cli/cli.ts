import { parseCommandLine } from './command-line.ts'
import { tellFailure } from './failure.ts'
import { helpOf } from './help.ts'
import { createOutput } from './output.ts'
import type { Terminal } from './terminal.ts'
import { verbs } from './verbs.ts'

/** Does what a command line says, and gives the exit code. Never rejects. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  const leave = terminal.stay()
  try {
    const { verb, words, options } = parseCommandLine(argv, verbs)
    const output = createOutput(terminal, options.json)
    if (options.help && verb !== 'help') {
      output.text(...helpOf(verb, verbs, output.paint))
      output.summary({ verbs: [{ verb, ...described(verb) }] })
      return 0
    }
    return await verbs[verb]!.perform({ words, options, output, terminal })
  } catch (error) {
    return tellFailure(terminal, error, argv.includes('--json'))
  } finally {
    leave()
  }
}

function described(name: string): Record<string, unknown> {
  const { takes, does, options } = verbs[name]!
  return { takes, does, options }
}
