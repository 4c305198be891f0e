// VE8 the output of another definition
import { result, shout } from '../definitions.ts'

// rejected: Type 'string' is not assignable to type '{ words: number; }'
export const counted: { words: number } = result.output(shout, 'a')
