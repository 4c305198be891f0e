import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../../src/cli/command-line.ts'
import { nearest } from '../../../src/cli/nearest.ts'
import { verbs } from '../../../src/cli/verbs.ts'

const parse = (text: string) => parseCommandLine(text.split(' ').filter(Boolean), verbs)

describe('parseCommandLine', () => {
  it('takes options anywhere, the last of two, and repeated modules', () => {
    const { verb, words, options } = parse(
      '--folder a run x.json --worker m1 --strict --worker=m2 --max-workers 2 --folder b --grace 0.5',
    )
    expect({ verb, words }).toEqual({ verb: 'run', words: ['x.json'] })
    expect(options).toMatchObject({ folder: 'b', workers: ['m1', 'm2'], strict: true, maxWorkers: 2, graceMs: 500, json: false })
  })

  it('gives the defaults', () => {
    expect(parse('list').options).toMatchObject({
      folder: '.flotilla',
      workspace: '.',
      graceMs: 10_000,
      workers: [],
      awaitVerdicts: false,
    })
  })

  it.each([
    ['lsit', 'there is no verb lsit (did you mean list?)'],
    ['constructor', 'there is no verb constructor'],
    ['run a b', 'takes FILE; got a b'],
    ['list --follow', '`flotilla list` has no option --follow'],
    ['events --folow', 'there is no option --folow (did you mean --follow?)'],
    ['list --json=yes', '--json takes no value, got yes'],
    ['run x --max-workers many', '--max-workers: expected a whole number from 1, got many'],
    ['run x --grace -1', '--grace: expected a number of seconds, got -1'],
    ['run x --key --strict', '--key needs a value: --key KEY'],
  ])('WI6 refuses `flotilla %s`, saying why', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  it('WI6 tells everything that is wrong at once', () => {
    expect(() => parse('run --bogus --max-workers')).toThrow(
      /--max-workers needs a value[^]*no option --bogus[^]*takes FILE; got nothing/,
    )
  })

  it('asks for help before it looks at the arguments', () => {
    expect(parse('settle --help').options.help).toBe(true)
    expect(parse('').verb).toBe('help')
    expect(parse('-V').verb).toBe('version')
  })
})

describe('nearest', () => {
  it('knows slips of the hand, and does not guess at what is far away', () => {
    expect(nearest('statsu', ['status', 'start'])).toBe('status')
    expect(nearest('art', ['artifacts', 'list'])).toBe('artifacts')
    expect(nearest('frobnicate', ['status', 'list'])).toBeUndefined()
  })
})
