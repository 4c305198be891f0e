import { expect, test } from 'vitest'
import type { RecordedInput } from '../../../../src/testing/index.ts'
import { textOfStep } from '../../../../src/testing/recording/step-text.ts'

const of = { run_id: 'r', task_id: 't', attempt: 2 }
const rows: readonly (readonly [RecordedInput, string])[] = [
  [{ kind: 'call', call: 'open', number: 1, args: { limits: {} } }, 'open was called'],
  [{ kind: 'call', call: 'drain', number: 2, args: { worker: 'w1' } }, 'drain was called with {"worker":"w1"}'],
  [{ kind: 'answer', to: 'store.read r 1..2', ok: [] }, 'answer to store.read r 1..2'],
  [
    { kind: 'answer', to: 'store.append r 1..2', failed: { code: 'not_stored', message: 'no' } },
    'store.append r 1..2 failed: not_stored',
  ],
  [{ kind: 'answer', to: 'worker.open w1 inc-1', failed: { message: 'gone' } }, 'worker.open w1 inc-1 failed: gone'],
  [{ kind: 'heard', from: 'w1 inc-1', word: { said: { type: 'accepted', ...of } } }, 'w1 said accepted of r/t#2'],
  [{ kind: 'heard', from: 'w1 inc-1', word: { said: { type: 'log', text: '', ...of } } }, 'w1 said log of r/t#2 {"text":""}'],
  [{ kind: 'heard', from: 'w1 inc-1', word: { said: { type: 'hello', worker_id: 'w1' } } }, 'w1 said hello'],
  [
    { kind: 'heard', from: 'w1 inc-1', word: { closed: { reason: 'gone', asked: false } } },
    'w1 said {"closed":{"reason":"gone","asked":false}}',
  ],
  [{ kind: 'deadline', due: 12.5 }, 'a deadline was met'],
  [{ kind: 'nothing' }, 'the fleet went on by itself'],
]

test.each(rows)('CO2 %j reads in a few words', (input, text) => {
  expect(textOfStep({ life: 1, at: 0, up: 0, input })).toBe(text)
})
