// VE8 a handler that reads a field that its input schema does not have
import { defineTask } from 'flotilla'
import { z } from 'zod'

export const wrong = defineTask({
  name: 'wrong',
  input: z.object({ text: z.string() }),
  // rejected: Property 'txt' does not exist
  run: ({ input }) => input.txt,
})
