import { defineTask, type Fleet, type RunResult } from 'flotilla'
import { z } from 'zod'

/** What the files of this folder use rightly and wrongly. */
export const count = defineTask({
  name: 'count',
  input: z.object({ text: z.string() }),
  output: z.object({ words: z.number() }),
  run: ({ input }) => ({ words: input.text.length }),
})
export const shout = defineTask({
  name: 'shout',
  input: z.object({ line: z.string() }),
  output: z.string(),
  run: ({ input }) => input.line.toUpperCase(),
})

export declare const fleet: Fleet
export declare const result: RunResult
