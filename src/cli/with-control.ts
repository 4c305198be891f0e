import { jsonStore, openControl } from '../index.ts'
import type { Control } from '../index.ts'
import type { Invocation } from './verb.ts'

/** Opens the store for reading and steering while a verb is performed. Creates nothing. */
export function withControl(
  perform: (invocation: Invocation, control: Control) => Promise<number>,
): (invocation: Invocation) => Promise<number> {
  return async (invocation) => {
    const control = openControl(jsonStore({ folder: invocation.options.folder }))
    try {
      return await perform(invocation, control)
    } finally {
      await control.close()
    }
  }
}
