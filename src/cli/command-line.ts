import { parseArgs } from 'node:util'
import { FleetError } from '../index.ts'
import { nearest } from './nearest.ts'
import { optionRows, readOptions } from './options.ts'
import type { OptionName, OptionRow, Options } from './options.ts'
import type { Verb } from './verb.ts'

/** A command line, taken apart. */
export interface CommandLine {
  readonly verb: string
  readonly words: readonly string[]
  readonly options: Options
}

const everyVerb: readonly OptionName[] = ['folder', 'json', 'help']
const rows: Readonly<Record<string, OptionRow>> = optionRows

/**
 * Takes a command line apart. Throws `usage` with everything that is wrong with it; a word that nobody knows comes with the nearest one
 * that is known.
 */
export function parseCommandLine(argv: readonly string[], verbs: Readonly<Record<string, Verb>>): CommandLine {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(rows).map(([name, row]) => [name, { type: row.value === undefined ? 'boolean' : 'string' } as const]),
      ),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'V' },
    },
  })
  const raw: Partial<Record<string, string[]>> = {}
  const problems: string[] = []
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const takesValue = rows[token.name]?.value
    if (takesValue !== undefined && (token.value === undefined || isOption(token)))
      problems.push(`${token.rawName} needs a value: ${token.rawName} ${takesValue}`)
    else if (takesValue === undefined && token.value !== undefined)
      problems.push(`${token.rawName} takes no value, got ${token.value}`)
    else (raw[token.name] ??= []).push(token.value ?? '')
  }
  if (raw['version'] !== undefined)
    return { verb: 'version', words: [], options: readOptions({ ...(raw['json'] && { json: raw['json'] }) }) }
  const name = words.shift() ?? 'help'
  const verb = verbs[name]
  if (verb === undefined || !Object.hasOwn(verbs, name))
    throw usage([`there is no verb ${name}${meant(nearest(name, Object.keys(verbs)))}`])
  const allowed = [...everyVerb, ...verb.options]
  for (const option of Object.keys(raw)) {
    if ((allowed as readonly string[]).includes(option)) continue
    const dashes = option.length === 1 ? '-' : '--'
    const near = nearest(option, allowed)
    const known = Object.hasOwn(rows, option)
      ? `\`flotilla ${name}\` has no option ${dashes}${option}`
      : `there is no option ${dashes}${option}`
    problems.push(known + meant(near === undefined ? undefined : `--${near}`))
  }
  if (raw['help'] === undefined) {
    if (words.length < verb.least)
      problems.push(
        `\`flotilla ${name}\` takes ${verb.takes}; ${words.length === 0 ? 'got nothing' : `got only ${words.join(' ')}`}`,
      )
    if (words.length > verb.most)
      problems.push(`\`flotilla ${name}\` takes ${verb.takes || 'no arguments'}; got ${words.join(' ')}`)
  }
  if (problems.length > 0) throw usage(problems, name)
  return { verb: name, words, options: readOptions(raw) }
}

/** What was taken as a value is the next option; `--option=--value` says that it is meant. */
function isOption({
  value,
  inlineValue,
}: {
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}): boolean {
  return inlineValue !== true && value?.startsWith('--') === true
}

function meant(word: string | undefined): string {
  return word === undefined ? '' : ` (did you mean ${word}?)`
}

function usage(problems: readonly string[], verb?: string): FleetError {
  const see = `See \`flotilla help${verb === undefined ? '' : ` ${verb}`}\`.`
  return new FleetError('usage', `${problems.join('\n')}. ${see}`, { details: { problems } })
}
