// VE8 a task whose input has the wrong type
import { count } from '../definitions.ts'

// rejected: Type 'number' is not assignable to type 'string'
count.task({ id: 'a', input: { text: 1 } })
