import type { Input, Step } from '../../recording/step.ts'

type Row<Kind extends Input['kind']> = (input: Extract<Input, { kind: Kind }>) => string

const rows: { readonly [Kind in Input['kind']]: Row<Kind> } = {
  call: ({ call, args }) => `${call} was called${call === 'open' ? '' : ` with ${brief(args)}`}`,
  answer: ({ to, failed }) => (failed === undefined ? `answer to ${to}` : `${to} failed: ${failed.code ?? failed.message}`),
  heard: ({ from, word }) => `${speakerOf(from)} said ${saidBy(word)}`,
  deadline: () => 'a deadline was met',
  nothing: () => 'the fleet went on by itself',
}

/** What came in with a step, in a few words. */
export function textOfStep({ input }: Step): string {
  // The table pairs each kind with its row.
  return (rows[input.kind] as (input: Input) => string)(input)
}

/** A worker, without its incarnation. */
function speakerOf(from: string): string {
  return from.split(' ', 1)[0] ?? from
}

/** What a worker says of an attempt, or what else was said. */
interface Said {
  readonly type: string
  readonly run_id?: string
  readonly task_id?: string
  readonly attempt?: number
}

function saidBy(word: unknown): string {
  const { said } = (word ?? {}) as { readonly said?: Said }
  if (said === undefined) return brief(word)
  const { type, run_id, task_id, attempt, ...rest } = said
  if (task_id === undefined) return type
  return [`${type} of ${run_id}/${task_id}#${attempt}`, ...(Object.keys(rest).length > 0 ? [brief(rest)] : [])].join(' ')
}

const mostLetters = 120

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters - 1)}…`
}
