// VE2 a scorer of a kind that does not exist
import { count } from '../definitions.ts'

// rejected: Type '"regex"' is not assignable
count.task({ id: 'a', input: { text: '' }, scorer: { kind: 'regex', path: 'a', pattern: 'b' } })
