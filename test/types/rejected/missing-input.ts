// VE8 a task without the input that its definition needs
import { count } from '../definitions.ts'

// rejected: Property 'input' is missing
count.task({ id: 'a' })
