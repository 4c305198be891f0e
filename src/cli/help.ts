import { FleetError } from '../index.ts'
import { nearest } from './nearest.ts'
import { optionRows } from './options.ts'
import type { OptionName, OptionRow } from './options.ts'
import type { Paint } from './paint.ts'
import type { Verb } from './verb.ts'

/** The verb that tells of the verbs. */
export function helpVerb(verbs: () => Readonly<Record<string, Verb>>): Verb {
  return {
    takes: '[VERB]',
    does: 'Tells what there is, or what a verb does.',
    least: 0,
    most: 1,
    options: [],
    async perform({ words, output }) {
      const [name] = words
      if (name === undefined) output.text(...overview(verbs(), output.paint))
      else output.text(...helpOf(name, verbs(), output.paint))
      const told = name === undefined ? Object.entries(verbs()) : Object.entries(verbs()).filter(([verb]) => verb === name)
      output.summary({ verbs: told.map(([verb, { takes, does, options }]) => ({ verb, takes, does, options })) })
      return 0
    },
  }
}

function overview(verbs: Readonly<Record<string, Verb>>, paint: Paint): string[] {
  const rows = Object.entries(verbs).map(([name, { takes, does }]) => [`${name} ${takes}`.trimEnd(), does] as const)
  return [
    'A durable fleet of workers for tasks that are written in a file.',
    '',
    paint.bold('flotilla VERB …'),
    ...inColumns(rows),
    '',
    paint.bold('for every verb'),
    ...optionLines(['folder', 'json', 'help']),
    '',
    'RUN may be left out where only one run has not ended. `flotilla help VERB` tells the options of a verb.',
    'It ends with 0: completed · 1: failed or cancelled · 2: wrong input · 3: a verdict or an artifact is missing · 130: interrupted.',
  ]
}

/** What a verb does, and its options. Throws `usage` for a word that is none. */
export function helpOf(name: string, verbs: Readonly<Record<string, Verb>>, paint: Paint): string[] {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (verb === undefined) {
    const near = nearest(name, Object.keys(verbs))
    throw new FleetError(
      'usage',
      `There is no verb ${name}${near === undefined ? '' : ` (did you mean ${near}?)`}. See \`flotilla help\`.`,
    )
  }
  return [
    paint.bold(`flotilla ${name} ${verb.takes}`.trimEnd()),
    `  ${verb.does}`,
    '',
    ...optionLines([...verb.options, 'folder', 'json']),
  ]
}

function optionLines(names: readonly OptionName[]): string[] {
  return inColumns(
    names.map((name) => {
      const { value, meaning }: OptionRow = optionRows[name]
      return [`--${name}${value === undefined ? '' : ` ${value}`}`, meaning] as const
    }),
  )
}

function inColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
