// VE8 a handler that returns what its output schema does not describe
import { defineTask } from 'flotilla'
import { z } from 'zod'

export const wrong = defineTask({
  name: 'wrong',
  output: z.object({ words: z.number() }),
  // rejected: Type 'string' is not assignable to type 'number'
  run: () => ({ words: 'many' }),
})
