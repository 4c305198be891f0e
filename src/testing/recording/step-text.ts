import type { Input, Step } from '../../recording/step.ts'

type Row<Kind extends Input['kind']> = (input: Extract<Input, { kind: Kind }>) => string

const rows: { readonly [Kind in Input['kind']]: Row<Kind> } = {
  call: ({ call, args }) => `${call} was called${call === 'open' ? '' : ` with ${brief(args)}`}`,
  answer: ({ to, failed }) => (failed === undefined ? `answer to ${to}` : `${to} failed: ${failed.code ?? failed.message}`),
  heard: ({ from, word }) => `${from} said ${saidBy(word)}`,
  deadline: () => 'a deadline was met',
  nothing: () => 'the fleet went on by itself',
}

/** What came in with a step, in a few words. */
export function textOfStep({ input }: Step): string {
  // The table pairs each kind with its row.
  return (rows[input.kind] as (input: Input) => string)(input)
}

function saidBy(word: unknown): string {
  const { said } = (word ?? {}) as { readonly said?: Readonly<Record<string, unknown>> }
  if (said === undefined) return brief(word)
  const { type, run_id, task_id, attempt, ...rest } = said
  return task_id === undefined
    ? String(type)
    : `${String(type)} of ${String(run_id)}/${String(task_id)}#${String(attempt)} ${brief(rest)}`
}

const mostLetters = 120

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters - 1)}…`
}
